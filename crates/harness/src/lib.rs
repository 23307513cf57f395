//! The verification of the workspace: named checks of every activation, layer, loss and network.
//!
//! A [`Check`] has a question, a kind and a name as the course gives names. The five kinds of check
//! take a [`Subject`], which is a real implementation or a deliberately wrong one: the negative
//! control runs the very checks that the real implementations pass, and shows which of them fail.

mod check;
mod subject;

pub use check::{Check, Context, Kind, Outcome, Status};
pub use subject::{
    ActivationSubject, LayerClass, LayerSpec, LayerSubject, LossSubject, Real, Subject,
};
