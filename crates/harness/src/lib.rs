//! The verification of the workspace: named checks of every activation, layer, loss and network.
//!
//! A [`Check`] has a question, a kind and a name as the course gives names. Whatever verifies one thing stands
//! in one place, its room; the engines take rooms from a list and know none of them by name. The negative
//! control sends deliberately wrong implementations through the very checks that the real ones pass, and shows
//! which of them fail.
//!
//! | what | module |
//! |---|---|
//! | the rooms, one for each activation, layer, loss, optimiser, ... | `rooms` |
//! | what a room is, and how it adds checks | `room` |
//! | what all activations, layers and losses promise | `activation`, `layer`, `loss` |
//! | random cases, shrinking and replay | `cases` |
//! | finite differences | [`finite_difference`] |
//! | the course's 25 tests, and further fixtures of the same oracle | [`course`], `oracle` |
//! | deliberate bugs | `controls` |
//!
//! [`registry`] lists all checks, [`filter`] selects by name, [`runner`] runs, [`transcript`] prints
//! and [`results`] records. The gradient-check table of the course's notebook is [`gradcheck`].
//! [`worked`] has the worked examples of the book, [`step_curve`] the error of finite differences by
//! their step.

mod activation;
mod cases;
mod check;
mod controls;
pub mod course;
mod elementwise;
mod error;
pub mod filter;
pub mod finite_difference;
pub mod gradcheck;
mod layer;
mod loss;
mod npz;
mod oracle;
pub mod registry;
pub mod results;
mod room;
mod rooms;
pub mod runner;
pub mod step_curve;
pub mod transcript;
mod transcription;
pub mod worked;
pub mod workspace;

pub use check::{Check, Context, CourseData, Kind, Outcome, Status};
pub use error::HarnessError;
