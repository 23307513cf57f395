//! Loss and error of a network.

use datasets::{Dataset, argmax};
use experiment::Evaluation;
use losses::Loss;
use ndarray::{ArrayView2, Axis, concatenate};
use network::NeuralNetwork;
use numerics::Scalar;

use crate::{Trainable, TrainingError};

/// The number of examples of a data set that go through the network at once, which bounds its memory.
const AT_ONCE: usize = 256;

impl<T: Scalar> Trainable for NeuralNetwork<T> {
    type Number = T;
    type Examples = Dataset<T>;

    fn network_mut(&mut self) -> &mut Self {
        self
    }

    fn measure(&self, data: &Dataset<T>) -> Result<Evaluation, TrainingError> {
        let chunks = data.features().axis_chunks_iter(Axis(0), AT_ONCE);
        let out = chunks.map(|x| self.infer(&x.to_owned())).collect::<Result<Vec<_>, _>>()?;
        let views: Vec<_> = out.iter().map(|rows| rows.view()).collect();
        let out =
            concatenate(Axis(0), &views).expect("every chunk has the outputs of the last layer");
        evaluation(self.loss(), data.targets().view(), out.view(), AT_ONCE)
    }
}

/// Loss and error of these outputs, the loss as a mean over chunks of so many rows: its bits depend on them.
///
/// # Shapes
/// `targets`, `out`: `(n, k)`.
pub(crate) fn evaluation<T: Scalar>(
    loss: Loss,
    targets: ArrayView2<'_, T>,
    out: ArrayView2<'_, T>,
    chunk: usize,
) -> Result<Evaluation, TrainingError> {
    let mut sum = 0.0;
    let chunks = targets.axis_chunks_iter(Axis(0), chunk).zip(out.axis_chunks_iter(Axis(0), chunk));
    for (targets, out) in chunks {
        sum += loss.forward(targets, out)?.as_f64() * targets.nrows() as f64;
    }
    let examples = targets.nrows();
    let mean = sum / examples as f64;
    if loss == Loss::L2 {
        return Ok(Evaluation::regression(mean, examples));
    }
    let (truth, said) = (argmax(targets)?, argmax(out)?);
    let wrong = truth.iter().zip(&said).filter(|(truth, said)| truth != said).count();
    Ok(Evaluation::classification(mean, wrong, examples))
}
