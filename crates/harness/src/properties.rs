//! Claims that no gradient shows: stability at the ends of the number range, what ties and padding
//! mean, that nothing is kept or changed between calls, and that misuse gives a typed error.
//!
//! Every claim is made on random cases. One that compares numbers has a bound, which its check
//! states; the others hold exactly.

mod activation;
mod batch_norm;
mod conv2d;
mod cycle;
mod dropout;
mod each_loss;
mod elementwise;
mod flatten;
mod free;
mod gelu;
mod global_average_pool2d;
mod label_smoothing;
mod layer_batch;
mod layer_contract;
mod layer_errors;
mod loss;
mod muon;
mod network;
mod pool2d;
mod sgd_training;
mod softmax;
#[cfg(test)]
mod tests;
mod whitening;

use std::sync::Arc;

use activations::Activation;
use losses::Loss;

use crate::cases::{Case, Cases, Failure};
use crate::{ActivationSubject, Check, Kind, LayerClass, LayerSubject, LossSubject, Subject};

/// Random cases of each claim.
const CASES: usize = 20;

/// The claims about the subject.
#[must_use]
pub fn checks(subject: &Subject<f64>) -> Vec<Check> {
    match subject {
        Subject::Activation(activation, implementation) => {
            let claims = Claims::new(subject, *activation, implementation);
            let mut checks = activation::checks(&claims);
            checks.extend(match activation {
                Activation::SoftMax => softmax::checks(&claims),
                _ => elementwise::checks(&claims),
            });
            checks
        }
        Subject::Network(implementation) => network::checks(subject, implementation),
        // What the strings mean, the transcriptions say.
        Subject::Einsum(_) => vec![],
        Subject::Loss(loss, implementation) => {
            let claims = Claims::new(subject, *loss, implementation);
            let mut checks = loss::checks(&claims);
            checks.extend(each_loss::checks(&claims));
            checks
        }
        Subject::Layer(class, implementation) => {
            let claims = Claims::new(subject, *class, implementation);
            let mut checks = layer_contract::checks(&claims);
            checks.extend(layer_batch::checks(&claims));
            checks.extend(layer_errors::checks(&claims));
            checks.extend(match class {
                LayerClass::FullyConnected => vec![],
                LayerClass::BatchNorm => batch_norm::checks(&claims),
                LayerClass::Dropout => dropout::checks(&claims),
                LayerClass::GlobalAveragePool2D => global_average_pool2d::checks(&claims),
                LayerClass::Flatten => flatten::checks(&claims),
                LayerClass::Conv2D => conv2d::checks(&claims),
                LayerClass::Pool2D => pool2d::checks(&claims),
            });
            checks
        }
        Subject::Sgd(implementation) => sgd_training::checks(subject, implementation),
        Subject::Muon(implementation) => muon::checks(subject, implementation),
        Subject::Schedule(implementation) => cycle::checks(subject, implementation),
        Subject::Smoothing(implementation) => label_smoothing::checks(subject, implementation),
        Subject::Whitening(implementation) => whitening::checks(subject, implementation),
    }
}

/// Claims about what is no [`Subject`]: initialisers, the optimiser, schedules.
#[must_use]
pub fn free_checks() -> Vec<Check> {
    free::checks()
}

/// An implementation, what it claims to be, and where its checks belong.
struct Claims<What, Implementation: ?Sized> {
    question: &'static str,
    group: String,
    what: What,
    implementation: Arc<Implementation>,
}

type ActivationClaims = Claims<Activation, dyn ActivationSubject<f64>>;
type LossClaims = Claims<Loss, dyn LossSubject<f64>>;
type LayerClaims = Claims<LayerClass, dyn LayerSubject<f64>>;

/// A claim on one case.
type Claim<What, Implementation> = fn(What, &Implementation, &mut Case) -> Result<(), Failure>;

impl<What, Implementation> Claims<What, Implementation>
where
    What: Copy + Send + Sync + 'static,
    Implementation: ?Sized + Send + Sync + 'static,
{
    fn new(subject: &Subject<f64>, what: What, implementation: &Arc<Implementation>) -> Self {
        Self {
            question: subject.question(),
            group: format!("properties.{}", subject.name()),
            what,
            implementation: Arc::clone(implementation),
        }
    }

    /// A claim that holds exactly.
    fn exactly(&self, name: &str, one: Claim<What, Implementation>) -> Check {
        self.within(0.0, name, one)
    }

    /// A claim that holds up to rounding: no element is off by more than `bound`.
    fn within(&self, bound: f64, name: &str, one: Claim<What, Implementation>) -> Check {
        let (what, implementation) = (self.what, Arc::clone(&self.implementation));
        let cases = Cases { count: CASES, bound };
        cases.check(self.question, Kind::Property, self.group.clone(), name, move |case| {
            one(what, implementation.as_ref(), case)
        })
    }
}
