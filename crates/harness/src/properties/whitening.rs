//! Claims about the whitening of patches.

use std::sync::Arc;

use layers::LayerError;
use ndarray::{Array2, Array4, Axis, s};

use super::CASES;
use crate::cases::{Case, Cases, Failure, claim};
use crate::formulas::whitening::patches;
use crate::{Check, Kind, Subject, WhiteningSubject};

type One = fn(&dyn WhiteningSubject<f64>, &mut Case) -> Result<(), Failure>;

pub(super) fn checks(
    subject: &Subject<f64>,
    implementation: &Arc<dyn WhiteningSubject<f64>>,
) -> Vec<Check> {
    let check = |name, bound, one: One| {
        let implementation = Arc::clone(implementation);
        let group = format!("properties.{}", subject.name());
        let cases = Cases { count: CASES, bound };
        cases.check(subject.question(), Kind::Property, group, name, move |case| {
            one(implementation.as_ref(), case)
        })
    };
    vec![
        // Rounding of the eigenvectors, 1e-14, grows by 1/λ, which is below 1e3.
        check("with_a_tiny_eps_responses_are_white", 1e-8, responses_are_white),
        // A mean of numbers of at most 1.
        check("the_order_of_images_does_not_matter", 1e-14, order_of_images),
        check("what_cannot_be_whitened_is_refused", 0.0, misuse),
    ]
}

/// Three images of 6 by 6: 75 patches of at least 4 numbers.
fn draw(case: &mut Case) -> Array4<f64> {
    let channels = case.between(1, 3);
    case.describe(format!("3 images of 6x6x{channels}"));
    case.rng.uniform_array((3, 6, 6, channels), -1.0, 1.0)
}

/// With ε = 1e-12 the covariance of the responses is the identity up to ε/λ, if no λ is tiny, which
/// the sizes of the filters tell: `wᵀ w = 1 / (λ + ε)`.
fn responses_are_white(
    whitening: &dyn WhiteningSubject<f64>,
    case: &mut Case,
) -> Result<(), Failure> {
    let images = draw(case);
    let filters = whitening.filters(&images, (2, 2), 1e-12)?;
    let d = 4 * images.dim().3;
    let w = filters.into_shape_with_order((d, 2 * d))?;
    let w = w.slice(s![.., ..d]);
    let largest = w.columns().into_iter().map(|w| w.dot(&w)).fold(0.0, f64::max);
    claim(largest < 1e3, || format!("a filter of squared length {largest}"))?;
    let y = patches(&images, (2, 2)).dot(&w);
    let covariance = y.t().dot(&y) / y.nrows() as f64;
    case.compare("the covariance of Y", &covariance, &Array2::eye(d))
}

fn order_of_images(whitening: &dyn WhiteningSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let images = draw(case);
    let order = case.permutation(3);
    let other = images.select(Axis(0), &order);
    let covariance = whitening.covariance(&images, (2, 2))?;
    case.compare("C", &whitening.covariance(&other, (2, 2))?, &covariance)
}

/// Kernels that are empty or too large, too few patches, ε out of range, pixels that are not finite.
fn misuse(whitening: &dyn WhiteningSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let images = draw(case);
    let few = images.slice(s![..1, ..2, ..2, ..]).to_owned();
    let mut nan = images.clone();
    nan[[1, 2, 3, 0]] = f64::NAN;
    for (images, kernel, eps) in [
        (&images, (7, 2), 0.1),
        (&images, (2, 7), 0.1),
        (&images, (0, 2), 0.1),
        (&few, (2, 2), 0.1),
        (&nan, (2, 2), 0.1),
        (&images, (2, 2), 0.0),
        (&images, (2, 2), f64::NAN),
    ] {
        let got = whitening.filters(images, kernel, eps).err();
        let typed = matches!(got, Some(LayerError::Configuration { layer: "Whitening", .. }));
        claim(typed, || format!("kernel {kernel:?}, ε {eps}: {got:?}"))?;
    }
    Ok(())
}
