//! Training on Iris.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use datasets::{Dataset, DatasetError, Preprocess, Splits};
use experiment::{History, MetricsSink};
use ffnn::{FfnnError, IrisConfig, Outcome, Training};
use losses::Loss;
use numerics::Scalar;
use optim::OptimError;

fn iris<T: Scalar>() -> Splits<T> {
    Splits::iris().unwrap().preprocess(Preprocess::Standardise).unwrap()
}

fn config(lr: f64, hidden: &str, training: Training) -> IrisConfig {
    IrisConfig { lr, hidden: hidden.parse().unwrap(), training }
}

fn run<T: Scalar>(
    config: &IrisConfig,
    data: &Splits<T>,
    seed: u64,
) -> Result<(Outcome<T>, History), FfnnError> {
    let mut history = History::default();
    let outcome = config.run(data, seed, &mut history)?;
    Ok((outcome, history))
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_others() {
    let config = config(0.1, "8", Training { epochs: 5, ..Training::default() });
    let data = iris::<f32>();
    let (first, history) = run(&config, &data, 1).unwrap();
    let (again, history_again) = run(&config, &data, 1).unwrap();
    assert_eq!(history, history_again);
    assert!(first.network.parameters().eq(again.network.parameters()));
    let (_, other) = run(&config, &data, 2).unwrap();
    assert_ne!(history, other);
}

#[test]
fn a_history_has_a_row_for_each_iteration_and_metrics_for_each_epoch() {
    let training = Training { epochs: 3, batch_size: 30, ..Training::default() };
    let (outcome, history) = run(&config(0.1, "4", training), &iris::<f64>(), 0).unwrap();
    // 100 examples are 3 mini-batches of 30 and one of 10; row 0 is before training.
    let rows = history.rows();
    assert_eq!(rows.len(), 1 + 3 * 4);
    let epochs: Vec<_> = history.column(|row| row.train_loss).iter().map(|point| point.0).collect();
    assert_eq!(epochs, [0.0, 4.0, 8.0, 12.0]);
    assert!(rows[1..].iter().all(|row| row.lr == Some(0.1) && row.batch_loss.is_some()));
    assert_eq!(rows[12].train_loss, Some(outcome.last.train.loss));
}

#[test]
fn a_decaying_rate_decays_by_iteration() {
    let decay = Some(ffnn::Decay { factor: 0.5, steps: 2, staircase: true });
    let training = Training { epochs: 1, batch_size: 20, decay, ..Training::default() };
    let (_, history) = run(&config(0.4, "4", training), &iris::<f64>(), 0).unwrap();
    let rates: Vec<_> = history.column(|row| row.lr).iter().map(|point| point.1).collect();
    assert_eq!(rates, [0.4, 0.4, 0.2, 0.2, 0.1]);
}

#[test]
fn twelve_examples_can_be_learned_by_heart() {
    let data = iris::<f64>();
    let rows: Vec<usize> = (0..12).collect();
    let (x, y) = data.train.select(&rows);
    let few = Dataset::new(x, y).unwrap();
    let data = Splits { train: few.clone(), validation: few, ..data };
    for loss in [Loss::CrossEntropy, Loss::SoftmaxCrossEntropy] {
        let training =
            Training { epochs: 1000, batch_size: 12, momentum: 0.9, loss, ..Training::default() };
        let (outcome, _) = run(&config(0.1, "32", training), &data, 0).unwrap();
        let train = outcome.last.train;
        assert_eq!(train.wrong, Some(0), "{loss}");
        assert!(train.loss < 2e-3, "{loss}: {}", train.loss);
    }
}

#[test]
fn every_loss_and_depth_learns() {
    let data = iris::<f32>();
    for (loss, hidden) in [
        (Loss::CrossEntropy, "8"),
        (Loss::SoftmaxCrossEntropy, "none"),
        (Loss::SoftmaxCrossEntropy, "16,8"),
        (Loss::L2, "8"),
    ] {
        let training = Training { loss, ..Training::default() };
        let (outcome, history) = run(&config(0.1, hidden, training), &data, 0).unwrap();
        let before = history.rows()[0].train_loss.unwrap();
        let after = outcome.last.train;
        assert!(after.loss < 0.5 * before, "{loss}, {hidden}: {before} -> {}", after.loss);
        assert!(after.wrong.is_none_or(|wrong| wrong <= 10), "{loss}, {hidden}: {after:?}");
    }
}

#[test]
fn a_run_that_diverges_says_where_and_leaves_what_it_reported() {
    let config = config(1e30, "8", Training::default());
    let mut history = History::default();
    let error = config.run(&iris::<f32>(), 0, &mut history).unwrap_err();
    let FfnnError::Diverged(divergence) = &error else { panic!("{error}") };
    let reported = history.rows().last().unwrap();
    assert_eq!(divergence.iteration, reported.iteration + 1, "{error}");
    assert!(divergence.epoch >= 1 && ["NaN", "inf"].contains(&divergence.value.as_str()));
    assert!(error.to_string().contains("lower the learning rate"), "{error}");
    assert!(!history.rows().is_empty());
}

#[test]
fn hyperparameters_out_of_range_are_refused_before_anything_is_reported() {
    let data = iris::<f64>();
    let valid = Training::default();
    let mut history = History::default();
    let mut refused = |lr: f64, training: Training| {
        config(lr, "8", training).run(&data, 0, &mut history).unwrap_err()
    };
    for lr in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        let error = refused(lr, valid.clone());
        assert!(matches!(error, FfnnError::Optim(OptimError::Hyperparameter { .. })), "{error}");
    }
    let error = refused(0.1, Training { momentum: 1.0, ..valid.clone() });
    assert!(matches!(error, FfnnError::Optim(_)), "{error}");
    let error = refused(0.1, Training { clip_norm: Some(0.0), ..valid.clone() });
    assert!(matches!(error, FfnnError::Optim(_)), "{error}");
    let error = refused(0.1, Training { epochs: 0, ..valid.clone() });
    assert!(matches!(error, FfnnError::Hyperparameter { .. }), "{error}");
    for batch_size in [0, 101] {
        let error = refused(0.1, Training { batch_size, ..valid.clone() });
        let expected = matches!(error, FfnnError::Dataset(DatasetError::BatchSize { .. }));
        assert!(expected, "{error}");
    }
    assert!(history.rows().is_empty());
}

#[test]
fn a_log_that_cannot_be_written_ends_the_training() {
    struct Full;
    impl MetricsSink for Full {
        fn iteration(
            &mut self,
            _: &experiment::IterationMetrics,
        ) -> Result<(), experiment::ExperimentError> {
            Ok(())
        }

        fn epoch(
            &mut self,
            _: &experiment::EpochMetrics,
        ) -> Result<(), experiment::ExperimentError> {
            Err(experiment::ExperimentError::NotFinite { what: "a test", got: f64::NAN })
        }
    }
    let error =
        config(0.1, "8", Training::default()).run(&iris::<f32>(), 0, &mut Full).unwrap_err();
    assert!(matches!(error, FfnnError::Experiment(_)), "{error}");
}
