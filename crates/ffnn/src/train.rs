//! The training loop.

use datasets::{Batches, Dataset, DatasetError};
use experiment::{Divergence, EpochMetrics, Evaluation, IterationMetrics, MetricsSink};
use numerics::Scalar;
use optim::{ScheduleConfig, SgdConfig};

use crate::{FfnnError, NeuralNetwork};

/// How a network is trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainConfig {
    /// How often every example is seen, at least once.
    pub epochs: u64,
    /// The number of examples in a mini-batch.
    pub batch_size: usize,
    /// The optimiser.
    pub sgd: SgdConfig,
    /// The learning rate.
    pub schedule: ScheduleConfig,
    /// The seed of the order of the examples.
    pub seed: u64,
}

impl<T: Scalar> NeuralNetwork<T> {
    /// Trains for all epochs and reports to `sink`: before it starts, after each update, and after
    /// each epoch. Returns the metrics of the last epoch.
    ///
    /// # Errors
    /// [`FfnnError::Diverged`] as soon as a loss is not finite; what was reported until then stays.
    /// [`FfnnError::Hyperparameter`], [`FfnnError::Optim`], [`FfnnError::Dataset`] for a
    /// configuration that is not valid, [`FfnnError::Data`] for data that do not fit, before
    /// anything is changed.
    pub fn train(
        &mut self,
        train: &Dataset<T>,
        validation: Option<&Dataset<T>>,
        config: &TrainConfig,
        sink: &mut dyn MetricsSink,
    ) -> Result<EpochMetrics, FfnnError> {
        for data in [Some(train), validation].into_iter().flatten() {
            self.check_data(data)?;
        }
        if config.epochs == 0 {
            return Err(FfnnError::Hyperparameter {
                what: "the number of epochs",
                expected: "at least 1".to_owned(),
                got: "0".to_owned(),
            });
        }
        let batches = Batches::new(train, config.batch_size, config.seed)?;
        let schedule = config.schedule.build()?;
        let mut optimiser = config.sgd.build()?;

        let mut iteration = 0;
        let mut last = self.measure(train, validation, 0, iteration)?;
        sink.epoch(&last)?;
        for epoch in 1..=config.epochs {
            for batch in batches.epoch(epoch) {
                let lr = schedule.lr(iteration);
                iteration += 1;
                // ANCHOR: step
                let out = self.forward(batch.features)?;
                let loss = self.backward(batch.targets.view(), out.view())?.as_f64();
                if !loss.is_finite() {
                    return Err(diverged("the loss of the mini-batch", loss, epoch, iteration));
                }
                self.update(&mut optimiser, lr)?;
                // ANCHOR_END: step
                sink.iteration(&IterationMetrics { epoch, iteration, lr, batch_loss: loss })?;
            }
            last = self.measure(train, validation, epoch, iteration)?;
            sink.epoch(&last)?;
        }
        for layer in self.layers_mut() {
            layer.clear_cache();
        }
        Ok(last)
    }

    fn measure(
        &self,
        train: &Dataset<T>,
        validation: Option<&Dataset<T>>,
        epoch: u64,
        iteration: u64,
    ) -> Result<EpochMetrics, FfnnError> {
        let test = |what: &str, data: &Dataset<T>| -> Result<Evaluation, FfnnError> {
            match self.test(data) {
                Ok(evaluation) if evaluation.loss.is_finite() => Ok(evaluation),
                Ok(Evaluation { loss: value, .. })
                | Err(FfnnError::Dataset(DatasetError::NotFinite { got: value, .. })) => {
                    Err(diverged(what, value, epoch, iteration))
                }
                Err(error) => Err(error),
            }
        };
        let train = test("the loss of the training set", train)?;
        let validation =
            validation.map(|data| test("the loss of the validation set", data)).transpose()?;
        Ok(EpochMetrics { epoch, iteration, train, validation })
    }
}

fn diverged(what: &str, value: f64, epoch: u64, iteration: u64) -> FfnnError {
    let (quantity, value) = (what.to_owned(), value.to_string());
    FfnnError::Diverged(Divergence { epoch, iteration, quantity, value })
}
