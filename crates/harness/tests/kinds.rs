//! Every kind of check as a judge of mutants, for `cargo xtask mutants`.

use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

/// The kinds that judge, as `harness judge` knows them.
const KINDS: [&str; 7] =
    ["course", "oracle", "gradient", "formula", "adjoint", "proof", "property"];

/// What a kind may take; without a mutant the slowest takes three seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// Writes the kinds that notice the mutant which the engine has switched on, a line each, to a file of its number
/// in the folder `JUDGED`. Without the variable nothing is judged: `cargo xtask test` has run the same checks.
#[test]
fn no_kind_of_check_notices_a_mutant() {
    let Some(folder) = env::var_os("JUDGED").map(PathBuf::from) else { return };
    // Each is a process, so that one which aborts or does not end says nothing of the others.
    let noticed = KINDS.iter().filter(|kind| {
        let mut judge = Command::new(env!("CARGO_BIN_EXE_harness"));
        let status = ended(judge.args(["judge", kind]).spawn().unwrap()).unwrap();
        !status.is_some_and(|status| status.success())
    });
    let noticed: String = noticed.map(|kind| format!("{kind}\n")).collect();
    let mutant = env::var("GAMMA_ACTIVE").unwrap_or_else(|_| "none".to_owned());
    fs::write(folder.join(mutant), &noticed).unwrap();
    assert_eq!(noticed, "");
}

/// How the process ended; `None` if it was stopped at the limit.
fn ended(mut process: Child) -> io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        if let Some(status) = process.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(Duration::from_millis(5));
    }
    process.kill()?;
    process.wait().map(|_| None)
}
