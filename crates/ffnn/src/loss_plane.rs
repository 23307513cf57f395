//! The loss of a trained network on a plane through its parameters.

use datasets::{Dataset, Splits};
use experiment::History;
use ndarray::{Array2, ArrayD, ArrayView1, Axis, Ix2};
use network::NeuralNetwork;
use numerics::Rng;
use training::{Trainable, TrainingError};

use crate::IrisConfig;

/// A plane in the space of the parameters, through those that a run ends with.
///
/// The two directions are random and *filter-normalised* (Li et al., 2018): each column of weights
/// in a direction, which belongs to one unit, has the norm of the column that it is added to. Biases
/// stay as they are.
///
/// Nothing here is generic, so that it is compiled, and optimised, with this crate.
#[derive(Debug)]
pub struct LossPlane {
    network: NeuralNetwork<f64>,
    train: Dataset<f64>,
    middle: Vec<(String, ArrayD<f64>)>,
    directions: [Vec<ArrayD<f64>>; 2],
}

/// Of the directions.
const SEED: u64 = 189;

impl LossPlane {
    /// The plane through the end of this run in single precision, which is done again.
    pub fn of_run(config: &IrisConfig, seed: u64) -> Result<Self, TrainingError> {
        let preprocess = config.training.preprocess;
        let data = Splits::iris()?.preprocess(preprocess)?;
        let (trained, _) = config.run::<f32>(&data, seed, &mut History::default())?;
        let middle: Vec<_> =
            trained.parameters().map(|(name, array)| (name, array.mapv(f64::from))).collect();
        let data = Splits::iris()?.preprocess(preprocess)?;
        let mut rng = Rng::new(SEED);
        let directions = [(); 2].map(|()| direction(&middle, &mut rng));
        Ok(Self { network: config.network(&data, 0)?, train: data.train, middle, directions })
    }

    /// The loss on the training set so far from the middle along each direction.
    pub fn loss(&mut self, [a, b]: [f64; 2]) -> Result<f64, TrainingError> {
        let [first, second] = &self.directions;
        let moves = self.middle.iter().zip(first).zip(second);
        let mut points = moves.map(|(((_, w), d), e)| w + &(a * d) + &(b * e));
        for layer in self.network.layers_mut() {
            let names: Vec<&'static str> = layer.parameters().names().collect();
            for (name, point) in names.into_iter().zip(&mut points) {
                let set = layer.set_parameter(name, &point);
                set.expect("the network is built as that of the run");
            }
        }
        Ok(self.network.measure(&self.train)?.loss)
    }
}

/// A random direction: each column of weights as long as the trained one, biases 0.
fn direction(middle: &[(String, ArrayD<f64>)], rng: &mut Rng) -> Vec<ArrayD<f64>> {
    let norm = |column: ArrayView1<'_, f64>| column.dot(&column).sqrt();
    let of = |(name, trained): &(String, ArrayD<f64>)| {
        let weights = trained.view().into_dimensionality::<Ix2>();
        let Some(weights) = weights.ok().filter(|_| name.ends_with(".W")) else {
            return ArrayD::zeros(trained.raw_dim());
        };
        let mut drawn: Array2<f64> = rng.normal_array(weights.raw_dim(), 0.0, 1.0);
        for (mut column, trained) in drawn.axis_iter_mut(Axis(1)).zip(weights.axis_iter(Axis(1))) {
            let factor = norm(trained) / norm(column.view());
            column.mapv_inplace(|weight| factor * weight);
        }
        drawn.into_dyn()
    };
    middle.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use experiment::Record;

    use super::*;

    #[test]
    fn the_middle_is_the_network_of_the_record_and_directions_are_as_long_as_its_columns() {
        let records = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/records");
        let record = Record::read(&records.join("iris-sweep/best")).unwrap();
        let config: IrisConfig = record.config.hyperparameters.try_into().unwrap();
        let mut plane = LossPlane::of_run(&config, record.config.seed).unwrap();
        let recorded = record.summary.train.unwrap().loss;
        let loss = plane.loss([0.0, 0.0]).unwrap();
        // Another processor may round the last bits of a product otherwise.
        let difference = (loss - recorded).abs();
        assert!(difference < 1e-4, "{loss}, recorded {recorded}");
        assert!(plane.loss([1.0, -1.0]).unwrap() > loss);

        let norms = |array: &ArrayD<f64>| (array * array).sum_axis(Axis(0)).mapv(f64::sqrt);
        for ((name, trained), direction) in plane.middle.iter().zip(&plane.directions[0]) {
            let expected =
                if name.ends_with(".b") { norms(&(0.0 * trained)) } else { norms(trained) };
            let difference = expected - norms(direction);
            assert!(difference.iter().all(|d| d.abs() < 1e-12), "{name}: {difference}");
        }
        assert_ne!(plane.directions[0], plane.directions[1]);
    }
}
