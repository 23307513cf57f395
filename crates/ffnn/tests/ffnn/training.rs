//! Training on Iris.

use datasets::{Dataset, Splits};
use experiment::History;
use ffnn::{Hyperparameters, IrisConfig};
use losses::Loss;

use crate::iris;

fn config(lr: f64, hidden: &str, training: Hyperparameters) -> IrisConfig {
    IrisConfig { lr, hidden: hidden.to_owned().try_into().unwrap(), training }
}

#[test]
fn twelve_examples_can_be_learned_by_heart() {
    let data = iris::<f64>();
    let (x, y) = data.train.select(&(0..12).collect::<Vec<_>>());
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
        let (_, last) = config(0.1, "32", training).run(&data, 0, &mut History::default()).unwrap();
        let train = last.train;
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
        let mut history = History::default();
        let (_, last) = config(0.1, hidden, training).run(&data, 0, &mut history).unwrap();
        let before = history.rows()[0].train_loss.unwrap();
        let after = last.train;
        assert!(after.loss < 0.5 * before, "{loss}, {hidden}: {before} -> {}", after.loss);
        assert!(after.wrong.is_none_or(|wrong| wrong <= 10), "{loss}, {hidden}: {after:?}");
    }
}
