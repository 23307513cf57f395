//! No code: this crate asks for features of dependencies.
//!
//! Cargo turns on what any package that it builds asks for. A program that is built alone, `cargo run -p kaggle`,
//! would ask for less of some dependencies than the whole workspace does, and they, and all that is built on
//! them, would be compiled a second time. So the programs that people start alone depend on this crate, which
//! asks for what the workspace asks for. `einsum` builds on less than the others, and asks for the rest itself.
//! `cargo xtask check features` tells what is missing.

use {flate2 as _, getrandom as _, libc as _, num_complex as _, once_cell as _, zip as _};
