//! The training loop: one for every network, number type and program.

use datasets::{Batch, Dataset, DatasetError, argmax};
use experiment::{Divergence, EpochMetrics, Evaluation, IterationMetrics};
use losses::{Loss, smooth_labels};
use ndarray::{Array2, ArrayView2, Axis, concatenate};
use network::{NeuralNetwork, Part};
use numerics::Scalar;
use optim::Grouped;

use crate::{BatchSource, Position, RunConfig, TrainingError};

/// A network that can be trained, with all that it takes to measure it.
pub trait Trainable {
    /// The number type of the network.
    type Number: Scalar;
    /// Labelled examples on which it is measured.
    type Examples;

    /// The network.
    fn network_mut(&mut self) -> &mut NeuralNetwork<Self::Number>;

    /// Loss and error on these examples, in inference mode.
    ///
    /// # Errors
    /// [`TrainingError::Dataset`] with the first example for which the output of the network is not
    /// finite; otherwise if the examples are not made for the network.
    fn measure(&self, examples: &Self::Examples) -> Result<Evaluation, TrainingError>;
}

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

/// A model in training, which goes on by one [`Event`] at a time.
#[derive(Debug)]
pub struct Learner<M: Trainable> {
    pub(crate) model: M,
    pub(crate) config: RunConfig,
    pub(crate) optimiser: Grouped<M::Number>,
    pub(crate) position: Position,
    /// Whether it was measured before its first step, or continues a training that was.
    pub(crate) measured: bool,
}

/// A part of a training that is done.
#[derive(Debug)]
pub enum Event<T> {
    /// A step was made.
    Step(Step<T>),
    /// The model was measured: before the first step, or after an epoch.
    Epoch(EpochMetrics),
}

/// A step that was made.
#[derive(Debug)]
pub struct Step<T> {
    /// Its loss and learning rate.
    pub metrics: IterationMetrics,
    targets: Array2<T>,
    out: Array2<T>,
}

impl<T: Scalar> Step<T> {
    /// The number of examples.
    pub fn examples(&self) -> usize {
        self.targets.nrows()
    }

    /// The number of examples whose largest output was that of their class.
    pub fn correct(&self) -> Result<usize, DatasetError> {
        let (labels, said) = (argmax(self.targets.view())?, argmax(self.out.view())?);
        Ok(said.iter().zip(&labels).filter(|(a, b)| a == b).count())
    }
}

impl<M: Trainable> Learner<M> {
    /// A training that has not begun.
    ///
    /// # Errors
    /// [`TrainingError::Refused`] or [`TrainingError::Optim`] for a configuration that is not valid or
    /// does not fit the model.
    pub fn new(mut model: M, config: RunConfig) -> Result<Self, TrainingError> {
        config.validate()?;
        let optimiser = config.optimiser()?;
        let parameters: Vec<_> = model.network_mut().parameters().collect();
        let shapes = parameters.iter().map(|(name, parameter)| (name.as_str(), parameter.shape()));
        optimiser.check_parameters(shapes)?;
        drop(parameters);
        Ok(Self { model, config, optimiser, position: Position::default(), measured: false })
    }

    /// Whether all epochs are over.
    pub fn is_over(&self) -> bool {
        self.position.epochs >= self.config.epochs
    }

    /// Makes a step, or the evaluation that ends an epoch or precedes the first step.
    ///
    /// # Errors
    /// [`TrainingError::Diverged`] as soon as a loss is not finite; otherwise errors of the source and of
    /// the network.
    // ANCHOR: advance
    pub fn advance(
        &mut self,
        source: &dyn BatchSource<M::Number>,
        train: &M::Examples,
        validation: Option<&M::Examples>,
    ) -> Result<Event<M::Number>, TrainingError> {
        let Position { epochs, step, iteration } = self.position;
        if self.measured && step < source.per_epoch() {
            return Ok(Event::Step(self.step(source)?));
        }
        let epoch = if self.measured { epochs + 1 } else { 0 };
        let measure = |what, examples| match self.model.measure(examples) {
            Ok(evaluation) if evaluation.loss.is_finite() => Ok(evaluation),
            Ok(Evaluation { loss: value, .. })
            | Err(TrainingError::Dataset(DatasetError::NotFinite { got: value, .. })) => {
                Err(diverged(what, value, epoch, iteration))
            }
            Err(error) => Err(error),
        };
        let train = measure("the loss of the training set", train)?;
        let validation =
            validation.map(|set| measure("the loss of the validation set", set)).transpose()?;
        self.measured = true;
        self.position = Position { epochs: epoch, step: 0, iteration };
        let weight_norm = self.model.network_mut().weight_norm();
        Ok(Event::Epoch(EpochMetrics { epoch, iteration, train, validation, weight_norm }))
    }
    // ANCHOR_END: advance

    // ANCHOR: step
    /// One mini-batch: forward, loss, backward, update.
    fn step(
        &mut self,
        source: &dyn BatchSource<M::Number>,
    ) -> Result<Step<M::Number>, TrainingError> {
        let Position { epochs, step, iteration } = self.position;
        let (network, optimiser) = (self.model.network_mut(), &mut self.optimiser);
        let profiler = network.profiler_mut();
        profiler.begin_step();
        let Batch { features, targets } =
            profiler.time(Part::Data, || source.batch(epochs + 1, step))?;
        let smoothed = smooth_labels(targets.view(), self.config.label_smoothing)?;

        let out = network.forward(features)?;
        let first = network.first_trained(|name| !optimiser.at_rest(name, iteration));
        let loss = network.backward_to(first, smoothed.view(), out.view())?.as_f64();
        if !loss.is_finite() {
            return Err(diverged("the loss of the mini-batch", loss, epochs + 1, iteration + 1));
        }
        network.update_each(|name, parameter, gradient, decays| {
            optimiser.update(name, parameter, gradient, decays, iteration)
        })?;
        network.profiler_mut().end_step(targets.nrows());

        let (epoch, lr) = (epochs + 1, optimiser.lr(iteration));
        let iteration = iteration + 1;
        self.position = Position { epochs, step: step + 1, iteration };
        let metrics = IterationMetrics { epoch, iteration, lr, batch_loss: loss };
        Ok(Step { metrics, targets, out })
    }
    // ANCHOR_END: step

    /// The model.
    pub fn into_model(self) -> M {
        self.model
    }
}

fn diverged(what: &str, value: f64, epoch: u64, iteration: u64) -> TrainingError {
    let (quantity, value) = (what.to_owned(), value.to_string());
    let divergence = Divergence { epoch, iteration, quantity, value };
    TrainingError::Diverged { divergence, directory: None }
}
