//! Training on Iris.

use datasets::{Dataset, DatasetError, Splits};
use experiment::{EpochMetrics, ExperimentError, History, IterationMetrics, MetricsSink};
use ffnn::{Decay, Hyperparameters, IrisConfig, Outcome};
use losses::Loss;
use numerics::Scalar;
use optim::OptimError;
use training::TrainingError;

use crate::iris;

fn config(lr: f64, hidden: &str, training: Hyperparameters) -> IrisConfig {
    IrisConfig { lr, hidden: hidden.parse().unwrap(), training }
}

fn run<T: Scalar>(
    config: &IrisConfig,
    data: &Splits<T>,
    seed: u64,
) -> Result<(Outcome<T>, History), TrainingError> {
    let mut history = History::default();
    let outcome = config.run(data, seed, &mut history)?;
    Ok((outcome, history))
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_others() {
    let config = config(0.1, "8", Hyperparameters { epochs: 5, ..Hyperparameters::default() });
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
    let training = Hyperparameters { epochs: 3, batch_size: 30, ..Hyperparameters::default() };
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
    let decay = Some(Decay { factor: 0.5, steps: 2, staircase: true });
    let training =
        Hyperparameters { epochs: 1, batch_size: 20, decay, ..Hyperparameters::default() };
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
        let training = Hyperparameters {
            epochs: 1000,
            batch_size: 12,
            momentum: 0.9,
            loss,
            ..Hyperparameters::default()
        };
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
        let training = Hyperparameters { loss, ..Hyperparameters::default() };
        let (outcome, history) = run(&config(0.1, hidden, training), &data, 0).unwrap();
        let before = history.rows()[0].train_loss.unwrap();
        let after = outcome.last.train;
        assert!(after.loss < 0.5 * before, "{loss}, {hidden}: {before} -> {}", after.loss);
        assert!(after.wrong.is_none_or(|wrong| wrong <= 10), "{loss}, {hidden}: {after:?}");
    }
}

#[test]
fn a_run_that_diverges_says_where_and_leaves_what_it_reported() {
    let config = config(1e30, "8", Hyperparameters::default());
    let mut history = History::default();
    let error = config.run(&iris::<f32>(), 0, &mut history).unwrap_err();
    let TrainingError::Diverged { divergence, .. } = &error else { panic!("{error}") };
    let reported = history.rows().last().unwrap();
    assert_eq!(divergence.iteration, reported.iteration + 1, "{error}");
    assert!(divergence.epoch >= 1 && ["NaN", "inf"].contains(&divergence.value.as_str()));
    assert!(error.to_string().contains("lower the learning rate"), "{error}");
    assert!(!history.rows().is_empty());
}

#[test]
fn hyperparameters_out_of_range_are_refused_before_anything_is_reported() {
    let data = iris::<f64>();
    let valid = Hyperparameters::default();
    let mut history = History::default();
    let mut refused = |lr: f64, training: Hyperparameters| {
        config(lr, "8", training).run(&data, 0, &mut history).unwrap_err()
    };
    for (lr, training) in [
        (0.0, valid.clone()),
        (-0.1, valid.clone()),
        (f64::NAN, valid.clone()),
        (f64::INFINITY, valid.clone()),
        (0.1, Hyperparameters { momentum: 1.0, ..valid.clone() }),
        (0.1, Hyperparameters { clip_norm: Some(0.0), ..valid.clone() }),
    ] {
        let error = refused(lr, training);
        let expected = matches!(error, TrainingError::Optim(OptimError::Hyperparameter { .. }));
        assert!(expected, "{error}");
    }
    let error = refused(0.1, Hyperparameters { epochs: 0, ..valid.clone() });
    assert!(matches!(error, TrainingError::Config { .. }), "{error}");
    for batch_size in [0, 101] {
        let error = refused(0.1, Hyperparameters { batch_size, ..valid.clone() });
        let expected = matches!(error, TrainingError::Dataset(DatasetError::BatchSize { .. }));
        assert!(expected, "{error}");
    }
    assert!(history.rows().is_empty());
}

#[test]
fn a_field_that_no_configuration_has_is_refused() {
    let decay = Some(Decay { factor: 0.5, steps: 10, staircase: false });
    let training = Hyperparameters { decay, clip_norm: Some(1.0), ..Hyperparameters::default() };
    let config = config(0.5, "8", training);
    let table = toml::Table::try_from(&config).unwrap();
    assert_eq!(table.clone().try_into::<IrisConfig>().unwrap(), config);
    let mut outer = table.clone();
    outer.insert("weight_deacy".to_owned(), 0.5.into());
    assert!(outer.try_into::<IrisConfig>().is_err());
    let mut inner = table;
    inner["decay"].as_table_mut().unwrap().insert("weight_deacy".to_owned(), 0.5.into());
    assert!(inner.try_into::<IrisConfig>().is_err());
}

#[test]
fn a_log_that_cannot_be_written_ends_the_training() {
    struct Full;
    impl MetricsSink for Full {
        fn iteration(&mut self, _: &IterationMetrics) -> Result<(), ExperimentError> {
            Ok(())
        }

        fn epoch(&mut self, _: &EpochMetrics) -> Result<(), ExperimentError> {
            Err(ExperimentError::NotFinite { what: "a test", got: f64::NAN })
        }
    }
    let error =
        config(0.1, "8", Hyperparameters::default()).run(&iris::<f32>(), 0, &mut Full).unwrap_err();
    assert!(matches!(error, TrainingError::Experiment(_)), "{error}");
}
