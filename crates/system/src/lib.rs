//! The machine around a program, as all crates that read, write and print meet it.
//!
//! - [`print!`], [`println!`], [`eprintln!`] and [`finish`]: standard streams that may be closed or full.
//! - [`replace`], [`create_folder`] and [`entries`]: files that are there whole or not at all, also after a loss of
//!   power, and folders without what file managers leave in them.
//! - [`workspace_root`], [`target_folder`] and [`cargo_metadata`]: the workspace, and cargo's word on it.
//! - [`quoted`] and [`hex`]: words for a shell, and digests as people compare them.

mod streams;

mod atomic;
mod folder;

mod cargo;

mod hex;
mod panics;
mod shell;

pub mod for_tests;

pub use atomic::{
    create_folder, is_temporary, remedy, replace, replace_locked, temporary_beside,
    temporary_folder, without_temporary_name,
};
pub use cargo::{cargo_metadata, current_package, target_folder, workspace_root};
pub use folder::{entries, is_litter};
pub use hex::hex;
pub use panics::{panic_message, panics_in_a_line};
pub use shell::quoted;
pub use streams::{close, finish, write_error, write_output};
