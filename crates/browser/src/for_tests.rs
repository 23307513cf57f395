//! A browser for tests.

use std::env;
use std::io::Write as _;

use crate::error::BrowserError;
use crate::find::find;
use crate::start::{Browser, Settings};

/// The variable with which a missing browser fails the tests that need one, if it is not empty.
pub const REQUIRE_VARIABLE: &str = "REQUIRE_BROWSER";

/// A browser for the test of that name. Where none is installed, this says on standard error that
/// the test was skipped, and the test is over:
///
/// ```no_run
/// let Some(browser) = browser::for_tests("a page opens").unwrap() else { return };
/// ```
///
/// # Errors
/// If there is one that does not start; and if there is none although [`REQUIRE_VARIABLE`] is set.
pub fn for_tests(test: &str) -> Result<Option<Browser>, BrowserError> {
    match find(None) {
        Ok(program) => {
            let settings = Settings { program: Some(program), ..Settings::default() };
            Browser::start(&settings).map(Some)
        }
        Err(error) if is_required() => Err(error),
        Err(error) => {
            // Not eprintln!, which is hidden for a test that passes; in one piece, since tests run side
            // by side.
            let line = format!("\nSKIPPED: {test}: {error}\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
            Ok(None)
        }
    }
}

fn is_required() -> bool {
    env::var_os(REQUIRE_VARIABLE).is_some_and(|value| !value.is_empty())
}
