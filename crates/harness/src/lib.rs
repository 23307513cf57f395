//! The verification of the workspace: named checks of every activation, layer, loss and network.
//!
//! A [`Check`] has a question, a kind and a name as the course gives names. Most kinds of check
//! take a [`Subject`], which is a real implementation or a deliberately wrong one: the negative
//! control runs the very checks that the real implementations pass, and shows which of them fail.
//!
//! | kind | module |
//! |---|---|
//! | the course's 25 tests | [`course`] |
//! | further fixtures of the same oracle | [`oracle`] |
//! | finite differences | [`gradients`] |
//! | transcriptions of formulas | [`formulas`] |
//! | adjoints of linear maps | [`adjoint`] |
//! | other claims | [`properties`] |
//! | deliberate bugs | [`controls`] |
//!
//! [`registry`] lists all of them, [`filter`] selects by name, [`runner`] runs, [`transcript`] prints
//! and [`results`] records. The gradient-check table of the course's notebook is [`gradcheck`].
//! [`worked`] has the worked examples of the book, [`step_curve`] the error of finite differences by
//! their step.

pub mod adjoint;
mod cases;
mod check;
pub mod controls;
pub mod course;
mod einsum_subject;
mod error;
pub mod filter;
pub mod finite_difference;
pub mod formulas;
pub mod gradcheck;
pub mod gradients;
mod network_subject;
pub mod npz;
pub mod oracle;
mod pieces;
pub mod properties;
mod random_layer;
pub mod registry;
pub mod results;
pub mod runner;
pub mod step_curve;
mod subject;
#[cfg(test)]
mod tampered;
mod training_subject;
pub mod transcript;
mod whitening_subject;
pub mod worked;
pub mod workspace;

pub use check::{Check, Context, CourseData, Kind, Outcome, Status};
pub use einsum_subject::{EinsumSubject, RealEinsum};
pub use error::HarnessError;
pub use network_subject::{NetworkSubject, RealNetwork};
pub use subject::{
    ActivationSubject, LayerClass, LayerSpec, LayerSubject, LossSubject, Real, Subject,
};
pub use training_subject::{
    MuonSubject, Optimiser, RealTraining, ScheduleSubject, SgdSubject, SmoothingSubject,
};
pub use whitening_subject::WhiteningSubject;
