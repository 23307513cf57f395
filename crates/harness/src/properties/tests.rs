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
    let broken: BTreeSet<String> =
        tampered::caught(checks, wrong.into_iter().chain(controls).collect()).into_iter().collect();
    // A claim that several subjects make is the same function: breaking it once is enough.
    let claim = |id: &str| id.rsplit('.').next().map(str::to_owned);
    let broken: BTreeSet<_> = broken.iter().filter_map(|id| claim(id)).collect();
    let made: BTreeSet<_> =
        Subject::all_real().iter().flat_map(checks).filter_map(|c| claim(&c.id())).collect();
    assert_eq!(made.difference(&broken).collect::<Vec<_>>(), Vec::<&String>::new());
}
