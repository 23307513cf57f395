//! Panics as messages.

use std::panic::{self, PanicHookInfo};

/// The message of a panic and its place: `index out of bounds (crates/cnn/src/pool2d_kernel.rs:30)`. The words of
/// `todo!` before its own message are left out.
pub fn panic_message(info: &PanicHookInfo<'_>) -> String {
    let message = info.payload_as_str().unwrap_or("a panic");
    let message = message.strip_prefix("not yet implemented: ").unwrap_or(message);
    match info.location() {
        Some(place) => format!("{message} ({}:{})", place.file(), place.line()),
        None => message.to_owned(),
    }
}

/// Makes a panic an error in one line, unless a backtrace is asked for: for programs that run what someone has yet
/// to write.
pub fn panics_in_a_line() {
    if std::env::var_os("RUST_BACKTRACE").is_none_or(|value| value == "0") {
        panic::set_hook(Box::new(|info| crate::eprintln!("error: {}", panic_message(info))));
    }
}
