//! The implementation of this workspace, as `cargo xtask test --subject 'cargo run --quiet --bin served'` starts it.

use std::process::ExitCode;

fn main() -> ExitCode {
    system::finish(served::serve(&served::Ours).map(|()| ExitCode::SUCCESS))
}
