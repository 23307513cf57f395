//! Every claim is kept by the real implementations, and broken by some wrong one.

mod activations;
mod layers;
mod losses;
mod muon;

use std::collections::{BTreeSet, HashSet};
use std::mem::discriminant;

use super::{checks, free_checks};
use crate::{Subject, controls, tampered};

#[test]
fn the_implementations_keep_their_promises() {
    tampered::assert_all_pass(Subject::all_real().iter().flat_map(checks).collect());
    tampered::assert_all_pass(free_checks());
}

#[test]
fn every_claim_can_be_broken() {
    let controls = controls::all().into_iter().map(|control| control.subject);
    let wrong = [activations::wrong(), losses::wrong(), layers::wrong(), muon::wrong()].concat();
    let wrong: Vec<_> = wrong.into_iter().chain(controls).collect();
    // A claim that several activations make, say, is one function: breaking it once is enough.
    let claim = |of: &Subject<f64>, id: &str| {
        (discriminant(of), id.rsplit('.').next().unwrap_or_default().to_owned())
    };
    let claims = |of: &Subject<f64>| -> Vec<_> {
        checks(of).iter().map(|check| claim(of, &check.id())).collect()
    };
    let broken = wrong.iter().flat_map(|subject| {
        let caught = tampered::caught(checks, vec![subject.clone()]);
        caught.into_iter().map(|id| claim(subject, &id)).collect::<Vec<_>>()
    });
    let broken: HashSet<_> = broken.collect();
    let made = Subject::all_real().iter().flat_map(claims).collect::<Vec<_>>();
    let kept: BTreeSet<_> =
        made.iter().filter(|made| !broken.contains(made)).map(|(_, claim)| claim).collect();
    assert_eq!(kept, BTreeSet::<&String>::new());
}
