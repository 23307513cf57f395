//! The protocol between the harness and a program that it verifies, a **subject**.
//!
//! A [`Message`] is a line of JSON and the arrays that it lists. A [`Process`] is a subject that was started, of
//! which one asks something; [`serve`] is the other side, for subjects written in Rust. The protocol's page in the
//! book lists the operations.

mod message;
mod process;
mod serve;

pub use message::{Array, Message, MessageError};
pub use process::{Limits, Process, SubjectError};
pub use serve::{Answer, serve};

/// The version of the protocol that this crate speaks.
pub const VERSION: u64 = 1;

/// The adapter that answers for the course's Python package, as `python3 -c ADAPTER FOLDER`.
pub const NUMPY_ADAPTER: &str = include_str!("../python/numpy_adapter.py");
