//! The predictions of a trained network where two features vary and the others stay.

use datasets::{Dataset, Splits};
use experiment::History;
use ndarray::{Array2, Ix2};
use network::NeuralNetwork;
use training::TrainingError;

use crate::IrisConfig;

/// The plane of two features through the mean flower of the training set, and the network of a run that looks at it.
///
/// Nothing here is generic, so that it is compiled, and optimised, with this crate.
#[derive(Debug)]
pub struct FeaturePlane {
    network: NeuralNetwork<f32>,
    features: [usize; 2],
    /// Of each of the two features, the measurement in cm that becomes 0, and that which becomes 1.
    scales: [(f64, f64); 2],
    sets: [Dataset<f64>; 3],
}

impl FeaturePlane {
    /// The plane of these features, by their number, for a run in single precision, which is done again. The features
    /// of the run are standardised.
    pub fn of_run(
        config: &IrisConfig,
        seed: u64,
        features: [usize; 2],
    ) -> Result<Self, TrainingError> {
        let data = Splits::iris()?.preprocess(config.training.preprocess)?;
        let (network, _) = config.run::<f32>(&data, seed, &mut History::default())?;
        let Splits { train, validation, test, .. } = Splits::iris()?;
        let raw = matrix(&train);
        let scales = features.map(|feature| {
            let column = raw.column(feature);
            let mean = column.mean().unwrap_or_default();
            (mean, mean + column.std(0.0))
        });
        Ok(Self { network, features, scales, sets: [train, validation, test] })
    }

    /// The two measurements in cm and the species of each flower, by set: training, validation, test.
    pub fn flowers(&self) -> [Vec<([f64; 2], usize)>; 3] {
        self.sets.each_ref().map(|set| {
            let rows = matrix(set);
            let species = set
                .targets()
                .rows()
                .into_iter()
                .map(|row| row.iter().position(|target| *target == 1.0).unwrap_or_default());
            let measured = rows.rows().into_iter().map(|row| self.features.map(|f| row[f]));
            measured.zip(species).collect()
        })
    }

    /// The probability of each species for flowers with these measurements in cm, the rest of which is the mean.
    pub fn probabilities(&self, flowers: &[[f64; 2]]) -> Result<Array2<f32>, TrainingError> {
        let n_in = self.sets[0].example_shape()[0];
        let mut x = Array2::<f32>::zeros((flowers.len(), n_in));
        for (mut row, flower) in x.rows_mut().into_iter().zip(flowers) {
            for (index, (zero, one)) in self.scales.into_iter().enumerate() {
                row[self.features[index]] = ((flower[index] - zero) / (one - zero)) as f32;
            }
        }
        Ok(self.network.predict(&x.into_dyn())?)
    }
}

fn matrix(set: &Dataset<f64>) -> Array2<f64> {
    set.features().clone().into_dimensionality::<Ix2>().expect("a flower is a row of measurements")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use experiment::Record;

    use super::*;

    #[test]
    fn the_plane_has_all_flowers_and_the_network_tells_most_of_them_by_their_petals() {
        let records = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/records");
        let record = Record::read(&records.join("iris-sweep/best")).unwrap();
        let config: IrisConfig = record.config.hyperparameters.try_into().unwrap();
        let plane = FeaturePlane::of_run(&config, record.config.seed, [2, 3]).unwrap();
        let flowers = plane.flowers();
        assert_eq!(flowers.each_ref().map(Vec::len), [100, 25, 25]);
        let all: Vec<([f64; 2], usize)> = flowers.concat();
        let measured: Vec<[f64; 2]> = all.iter().map(|(measured, _)| *measured).collect();
        let p = plane.probabilities(&measured).unwrap();
        let right = p
            .rows()
            .into_iter()
            .zip(&all)
            .filter(|(p, (_, species))| (0..3).all(|other| p[*species] >= p[other]));
        // Standardised as in the training: by other scales it would take nearly all for one species.
        assert!(right.count() >= 135);
    }
}
