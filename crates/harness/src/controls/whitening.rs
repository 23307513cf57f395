//! Bugs of the whitening of patches.

use std::sync::Arc;

use layers::LayerError;
use ndarray::{Array2, Array4, Axis, concatenate, s};
use numerics::symmetric_eigen;

use super::Control;
use crate::Kind::{Formula, Property};
use crate::{Kind, RealTraining, Subject, WhiteningSubject};

/// A mistake in whitening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    Centres,
    ForgetsTheCount,
    LeavesOutTheLastImage,
    ExchangesRowsAndColumns,
    ForgetsTheRoot,
    AddsEpsAfterTheRoot,
    TakesRowsForColumns,
    Rises,
    RepeatsInsteadOfNegating,
    AcceptsAnything,
}

impl WhiteningSubject<f64> for Bug {
    fn covariance(
        &self,
        images: &Array4<f64>,
        (k1, k2): (usize, usize),
    ) -> Result<Array2<f64>, LayerError> {
        if *self != Self::AcceptsAnything {
            RealTraining.covariance(images, (k1, k2))?;
        }
        let (m, rows, cols, channels) = images.dim();
        let last = if *self == Self::LeavesOutTheLastImage { m - 1 } else { m };
        let (k1, k2) = (k1.min(rows), k2.min(cols));
        let mut patches = Vec::new();
        for n in 0..last {
            for (r, q) in (0..=rows - k1).flat_map(|r| (0..=cols - k2).map(move |q| (r, q))) {
                let patch = images.slice(s![n, r..r + k1, q..q + k2, ..]);
                if *self == Self::ExchangesRowsAndColumns {
                    patches.extend(patch.permuted_axes([1, 0, 2]).iter());
                } else {
                    patches.extend(patch.iter());
                }
            }
        }
        let d = k1 * k2 * channels;
        let count = patches.len() / d.max(1);
        let mut patches = Array2::from_shape_vec((count, d), patches).expect("a row for a patch");
        if *self == Self::Centres {
            let mean = patches.sum_axis(Axis(0)) / count as f64;
            patches -= &mean;
        }
        let sum = patches.t().dot(&patches);
        Ok(if *self == Self::ForgetsTheCount { sum } else { sum / count as f64 })
    }

    fn filters(
        &self,
        images: &Array4<f64>,
        kernel_shape: (usize, usize),
        eps: f64,
    ) -> Result<Array4<f64>, LayerError> {
        if *self != Self::AcceptsAnything {
            RealTraining.filters(images, kernel_shape, eps)?;
        }
        let c = self.covariance(images, kernel_shape)?;
        let d = c.nrows();
        let identity = || (Array2::eye(d).diag().to_owned(), Array2::eye(d));
        let (values, mut vectors) = symmetric_eigen(c.view()).unwrap_or_else(identity);
        if *self == Self::TakesRowsForColumns {
            vectors = vectors.t().to_owned();
        }
        let mut filters = match self {
            Self::ForgetsTheRoot => vectors / values.mapv(|value| value + eps),
            Self::AddsEpsAfterTheRoot => vectors / values.mapv(|value| value.sqrt() + eps),
            _ => vectors / values.mapv(|value| (value + eps).sqrt()),
        };
        if *self == Self::Rises {
            filters.invert_axis(Axis(1));
        }
        let second =
            if *self == Self::RepeatsInsteadOfNegating { filters.clone() } else { -&filters };
        let both = concatenate![Axis(1), filters, second];
        let ((k1, k2), channels) = (kernel_shape, images.dim().3);
        let (k1, k2) = (k1.min(images.dim().1), k2.min(images.dim().2));
        let both = both.as_standard_layout().to_owned();
        Ok(both.into_shape_with_order((k1, k2, channels, 2 * d)).expect("a row for a number"))
    }
}

fn subject(bug: Bug) -> Subject<f64> {
    Subject::Whitening(Arc::new(bug))
}

pub(super) fn without_bugs() -> Vec<Subject<f64>> {
    vec![subject(Bug::None)]
}

pub(super) fn controls() -> Vec<Control> {
    let control = |id, bug, what, expected: &'static [Kind]| Control {
        id,
        bug: what,
        expected,
        subject: subject(bug),
    };
    vec![
        control(
            "centres",
            Bug::Centres,
            "the mean patch is taken off before the covariance",
            &[Formula, Property],
        ),
        control(
            "forgets-the-count",
            Bug::ForgetsTheCount,
            "the covariance is a sum over the patches, not a mean",
            &[Formula, Property],
        ),
        control(
            "leaves-out-the-last-image",
            Bug::LeavesOutTheLastImage,
            "the patches of the last image are left out",
            &[Formula, Property],
        ),
        control(
            "exchanges-rows-and-columns",
            Bug::ExchangesRowsAndColumns,
            "the numbers of a patch are taken column after column",
            &[Formula, Property],
        ),
        control(
            "forgets-the-root",
            Bug::ForgetsTheRoot,
            "an eigenvector is divided by λ + ε, not by its root",
            &[Formula, Property],
        ),
        control(
            "adds-eps-after-the-root",
            Bug::AddsEpsAfterTheRoot,
            "an eigenvector is divided by √λ + ε",
            &[Formula],
        ),
        control(
            "takes-rows-for-columns",
            Bug::TakesRowsForColumns,
            "the rows of U are taken for the eigenvectors",
            &[Formula, Property],
        ),
        control(
            "rises",
            Bug::Rises,
            "the filters are in rising order of the eigenvalues",
            &[Formula],
        ),
        control(
            "repeats",
            Bug::RepeatsInsteadOfNegating,
            "the second half of the filters repeats the first",
            &[Formula],
        ),
        control(
            "accepts-anything",
            Bug::AcceptsAnything,
            "kernels that do not fit, too few patches and an ε of 0 are accepted",
            &[Property],
        ),
    ]
}
