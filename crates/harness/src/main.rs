//! The verification program: `cargo xtask test` and `cargo xtask gradcheck` call it.

fn main() -> std::process::ExitCode {
    harness::main()
}
