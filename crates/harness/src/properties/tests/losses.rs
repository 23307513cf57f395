//! Wrong losses.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use losses::{Loss, LossError};
use ndarray::{Array2, Axis, Zip};

use crate::{LossSubject, Subject};

#[derive(Clone, Copy, PartialEq)]
enum Bug {
    Drifts,
    RepairsNan,
    Broadcasts,
    AcceptsEmpty,
    AcceptsAnyTarget,
    WeighsByExample,
    WeighsByClass,
    WantsDistributions,
    PrefersZero,
    Lopsided,
    NotShifted,
    RowsDoNotBalance,
}

struct Wrong(Loss, Bug, AtomicUsize);

impl Wrong {
    /// Factors of the elements.
    fn weights(&self, shape: (usize, usize)) -> Array2<f64> {
        Array2::from_shape_fn(shape, |(i, k)| match self.1 {
            Bug::WeighsByExample => 1.0 + i as f64,
            Bug::WeighsByClass => 1.0 + k as f64,
            _ => 1.0,
        })
    }

    /// The loss as the mean of the rows' losses, each with the weight of its row or of its classes.
    fn value(&self, target: &Array2<f64>, output: &Array2<f64>) -> Result<f64, LossError> {
        let whole = self.0.forward(target.view(), output.view())?;
        Ok(match self.1 {
            Bug::Drifts => whole + self.2.fetch_add(1, Ordering::Relaxed) as f64,
            Bug::RepairsNan if whole.is_nan() => 0.0,
            Bug::WeighsByExample => whole * (1.0 + output[[0, 0]]),
            Bug::PrefersZero => whole + output.iter().map(|p| p.abs()).sum::<f64>(),
            Bug::Lopsided => whole + target[[0, 0]],
            Bug::NotShifted => whole + output[[0, 0]] * 1e-9,
            _ => whole,
        })
    }
}

impl LossSubject<f64> for Wrong {
    fn forward(&self, target: &Array2<f64>, output: &Array2<f64>) -> Result<f64, LossError> {
        let result = self.value(target, output);
        match (&result, self.1) {
            (Err(LossError::Shape { .. }), Bug::Broadcasts)
            | (Err(LossError::Empty { .. }), Bug::AcceptsEmpty)
            | (Err(LossError::NotADistribution { .. }), Bug::AcceptsAnyTarget) => Ok(0.0),
            (Ok(_), Bug::WantsDistributions) => {
                Loss::CrossEntropy.forward(target.view(), output.view())
            }
            _ => result,
        }
    }

    fn backward(
        &self,
        target: &Array2<f64>,
        output: &Array2<f64>,
    ) -> Result<Array2<f64>, LossError> {
        let gradient = self.0.backward(target.view(), output.view())?;
        let weights = self.weights(gradient.dim());
        Ok(match self.1 {
            Bug::RowsDoNotBalance => gradient + 1e-9,
            _ => Zip::from(&gradient).and(&weights).map_collect(|g, w| g * w),
        })
    }
}

/// Cross-entropy summed, not averaged.
struct Summed;

impl LossSubject<f64> for Summed {
    fn forward(&self, target: &Array2<f64>, output: &Array2<f64>) -> Result<f64, LossError> {
        let mean = Loss::CrossEntropy.forward(target.view(), output.view())?;
        Ok(mean * target.len_of(Axis(0)) as f64)
    }

    fn backward(
        &self,
        target: &Array2<f64>,
        output: &Array2<f64>,
    ) -> Result<Array2<f64>, LossError> {
        let mean = Loss::CrossEntropy.backward(target.view(), output.view())?;
        Ok(mean * target.len_of(Axis(0)) as f64)
    }
}

pub(super) fn wrong() -> Vec<Subject<f64>> {
    let wrong = |loss, bug| Subject::Loss(loss, Arc::new(Wrong(loss, bug, AtomicUsize::new(0))));
    vec![
        Subject::Loss(Loss::CrossEntropy, Arc::new(Summed)),
        wrong(Loss::CrossEntropy, Bug::Drifts),
        wrong(Loss::CrossEntropy, Bug::RepairsNan),
        wrong(Loss::CrossEntropy, Bug::Broadcasts),
        wrong(Loss::CrossEntropy, Bug::AcceptsEmpty),
        wrong(Loss::CrossEntropy, Bug::AcceptsAnyTarget),
        wrong(Loss::CrossEntropy, Bug::WeighsByExample),
        wrong(Loss::CrossEntropy, Bug::WeighsByClass),
        wrong(Loss::L2, Bug::WantsDistributions),
        wrong(Loss::L2, Bug::PrefersZero),
        wrong(Loss::L2, Bug::Lopsided),
        wrong(Loss::SoftmaxCrossEntropy, Bug::NotShifted),
        wrong(Loss::SoftmaxCrossEntropy, Bug::RowsDoNotBalance),
    ]
}
