//! The verification of the workspace: named checks of every activation, layer, loss and network, and the
//! program that runs them.
//!
//! A check has a question, a kind and a name as the course gives names. Whatever verifies one thing stands
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
//! | finite differences, and their error by their step | `finite_difference`, `step_curve` |
//! | derivatives in exact arithmetic | `derivative`, `dual` |
//! | the gradient-check table of the course's notebook | `gradcheck` |
//! | the course's 25 tests, and further fixtures of the same oracle | `course`, `oracle` |
//! | their files, each read once | `npz`, `once` |
//! | deliberate bugs | `controls` |
//! | the verification of other programs, and our own as one | `foreign`, `serve` |
//! | the worked examples of the book | `worked` |
//! | all checks, those of a name, how they are run, printed and recorded | `registry`, `filter`, `runner`, `transcript`, `failures`, `results` |
//! | the program | `program` |
//! | the names of the unit tests | `unit_tests` |

mod activation;
mod cases;
mod check;
mod controls;
mod course;
mod derivative;
mod dual;
mod elementwise;
mod error;
mod failures;
mod filter;
mod finite_difference;
mod foreign;
mod gradcheck;
mod layer;
mod loss;
mod npz;
mod once;
mod oracle;
mod program;
mod registry;
mod results;
mod room;
mod rooms;
mod runner;
mod serve;
mod step_curve;
mod transcript;
mod transcription;
mod unit_tests;
mod worked;
mod workspace;

pub(crate) use check::{Check, Context, CourseData, Kind, Outcome, Status};
pub(crate) use error::{HarnessError, Result};
pub use foreign::{Asked, asked};
pub use program::{main, run};
#[doc(hidden)]
pub use unit_tests::unit_test;
