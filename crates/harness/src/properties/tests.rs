//! Every claim is kept by the real implementations, and broken by some wrong one.

mod activations;
mod layers;
mod losses;

use std::collections::BTreeSet;

use super::{checks, free_checks};
use crate::{Subject, controls, tampered};

#[test]
fn the_implementations_keep_their_promises() {
    tampered::assert_all_pass(Subject::all_real().iter().flat_map(checks).collect());
    tampered::assert_all_pass(free_checks());
}

#[test]
fn every_claim_can_be_broken() {
    let wrong = [activations::wrong(), losses::wrong(), layers::wrong()].concat();
    let controls = controls::all().into_iter().map(|control| control.subject);
    let wrong: Vec<_> = wrong.into_iter().chain(controls).collect();
    for family in [is_activation, is_loss, is_layer, is_network, is_training] {
        // A claim that several activations make, say, is one function: breaking it once is enough.
        let claim = |id: String| id.rsplit('.').next().map(str::to_owned);
        let wrong = wrong.iter().filter(|subject| family(subject)).cloned().collect();
        let broken: BTreeSet<_> =
            tampered::caught(checks, wrong).into_iter().filter_map(claim).collect();
        let real = Subject::all_real().into_iter().filter(family);
        let made: BTreeSet<_> =
            real.flat_map(|subject| checks(&subject)).filter_map(|c| claim(c.id())).collect();
        assert_eq!(made.difference(&broken).collect::<Vec<_>>(), Vec::<&String>::new());
    }
}

fn is_activation(subject: &Subject<f64>) -> bool {
    matches!(subject, Subject::Activation(..))
}

fn is_loss(subject: &Subject<f64>) -> bool {
    matches!(subject, Subject::Loss(..))
}

fn is_layer(subject: &Subject<f64>) -> bool {
    matches!(subject, Subject::Layer(..))
}

fn is_network(subject: &Subject<f64>) -> bool {
    matches!(subject, Subject::Network(_))
}

fn is_training(subject: &Subject<f64>) -> bool {
    matches!(
        subject,
        Subject::Sgd(_) | Subject::Schedule(_) | Subject::Smoothing(_) | Subject::Whitening(_)
    )
}
