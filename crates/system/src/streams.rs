//! The standard streams of a program.
//!
//! The macros of the standard library panic where a stream cannot be written. These have their names and
//! never fail: a program goes on to its end, so that what it writes elsewhere is complete. What a closed
//! pipe (`| head`) no longer takes is dropped, and the exit code is that of the work. Where the output is
//! lost for another reason, such as a full device, [`close`] says so and turns success into failure.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::OnceLock;

/// The first error of the standard output; nothing is written to it afterwards.
static ERROR: OnceLock<io::Error> = OnceLock::new();

/// Prints to the standard output, as [`std::print!`] does, but at once and without panicking.
#[macro_export]
macro_rules! print {
    ($($arguments:tt)*) => { $crate::write_output(::std::format_args!($($arguments)*)) };
}

/// Prints a line to the standard output, as [`std::println!`] does, but without panicking.
#[macro_export]
macro_rules! println {
    () => { $crate::print!("\n") };
    ($($arguments:tt)*) => { $crate::print!("{}\n", ::std::format_args!($($arguments)*)) };
}

/// Prints a line to the standard error, as [`std::eprintln!`] does, but without panicking.
#[macro_export]
macro_rules! eprintln {
    ($($arguments:tt)*) => {
        $crate::write_error(::std::format_args!("{}\n", ::std::format_args!($($arguments)*)))
    };
}

/// The work of [`print!`].
#[doc(hidden)]
pub fn write_output(text: fmt::Arguments<'_>) {
    let mut out = io::stdout();
    if ERROR.get().is_none()
        && let Err(first) = out.write_all(text.to_string().as_bytes()).and_then(|()| out.flush())
    {
        // Another thread may have been the first.
        let _ = ERROR.set(first);
    }
}

/// The work of [`eprintln!`]. Where even errors cannot be written, the exit code is all that is left.
#[doc(hidden)]
pub fn write_error(text: fmt::Arguments<'_>) {
    // In one piece, since threads write side by side.
    let _ = io::stderr().write_all(text.to_string().as_bytes());
}

/// The exit code of a program whose work ended so: the last call of most `main`s. An error is printed, and its
/// exit code is 1.
pub fn finish(result: Result<ExitCode, impl fmt::Display>) -> ExitCode {
    close(result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    }))
}

/// The exit code of a program that did its work with this one, for a `main` that prints its errors itself.
pub fn close(code: ExitCode) -> ExitCode {
    let (code, message) = verdict(ERROR.get(), code);
    if let Some(message) = message {
        eprintln!("{message}");
    }
    code
}

fn verdict(error: Option<&io::Error>, code: ExitCode) -> (ExitCode, Option<String>) {
    match error {
        Some(error) if error.kind() != ErrorKind::BrokenPipe => {
            let code = if code == ExitCode::SUCCESS { ExitCode::FAILURE } else { code };
            (code, Some(format!("error: cannot write to the standard output: {error}")))
        }
        _ => (code, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_leaves_the_exit_code_to_the_work_and_a_full_device_is_a_failure() {
        let (success, failure, interrupted) =
            (ExitCode::SUCCESS, ExitCode::FAILURE, ExitCode::from(130));
        for (error, code, expected) in [
            (None, success, success),
            (Some(ErrorKind::BrokenPipe), success, success),
            (Some(ErrorKind::BrokenPipe), interrupted, interrupted),
            (Some(ErrorKind::StorageFull), success, failure),
            (Some(ErrorKind::StorageFull), interrupted, interrupted),
        ] {
            let error = error.map(io::Error::from);
            let (code, message) = verdict(error.as_ref(), code);
            let lost = error.is_some_and(|error| error.kind() == ErrorKind::StorageFull);
            assert_eq!((code, message.is_some()), (expected, lost));
        }
    }
}
