//! The loss of the network of question 5 on a plane through its trained parameters.
//!
//! The two directions are random and *filter-normalised* (Li et al., 2018): each column of weights
//! in a direction, which belongs to one unit, has the norm of the column that it is added to. Biases
//! stay as they are. The parameters are those of the record's run, which is done again.

use datasets::Splits;
use experiment::canvas::{Anchor, Canvas, Font, Pen};
use experiment::palette::{GRID, SERIES};
use experiment::{History, Record};
use ffnn::{IrisConfig, NeuralNetwork};
use ndarray::{Array2, ArrayD, Axis, Ix2};
use numerics::Rng;
use training::{Trainable, TrainingError};

use super::chart::{Chart, Tick};
use super::level_set::at_least;
use crate::expand::Inputs;
use crate::numbers::significant;

/// The record whose run ends in the middle.
pub(super) const RECORD: &str = "iris-sweep/best";

const SEED: u64 = 189;
/// Points along one side.
const POINTS: usize = 61;
const LEVELS: usize = 10;
const OPACITY: f64 = 0.1;

/// The hyperparameters of a run on Iris.
pub(super) fn configuration(run: &Record) -> Result<IrisConfig, String> {
    let table = run.config.hyperparameters.clone();
    table.try_into().map_err(|error| format!("the record `{RECORD}` is no run on Iris: {error}"))
}

pub(super) fn draw(inputs: &Inputs) -> Result<String, String> {
    let surface = Surface::of(&inputs.records.read_run(RECORD)?)?;
    let values = surface.values()?;
    let all = || values.iter().flatten().copied();
    let (low, high) =
        (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let ratio = (high / low).powf(1.0 / (LEVELS + 1) as f64);
    let levels: Vec<f64> = (1..=LEVELS).map(|level| low * ratio.powi(level as i32)).collect();
    let chart = Chart { at: (60.0, 20.0), size: (400.0, 400.0), x: (-1.0, 1.0), y: (-1.0, 1.0) };
    let tick = |value: f64| -> Tick { (value, significant(value).replace('-', "\u{2212}")) };
    let ticks = [-1.0, -0.5, 0.0, 0.5, 1.0].map(tick);
    let mut canvas = Canvas::themed();
    // Logarithms, so that a level lies where the loss has it also between distant values.
    let logarithms: Vec<Vec<f64>> =
        values.iter().map(|row| row.iter().map(|value| value.ln()).collect()).collect();
    for level in &levels {
        let area = at_least(&logarithms, level.ln(), |row, column| {
            chart.place((coordinate(column), coordinate(row)))
        });
        canvas.area(&area, SERIES[0], OPACITY);
    }
    chart.axes(&mut canvas, &ticks, &ticks);
    let (x, y) = chart.place((0.0, 0.0));
    let cross = Pen::of(SERIES[1], 2.4);
    canvas.line(&[(x - 7.0, y - 7.0), (x + 7.0, y + 7.0)], cross);
    canvas.line(&[(x - 7.0, y + 7.0), (x + 7.0, y - 7.0)], cross);
    let centre = surface.loss(0.0, 0.0)?;
    let label = format!("loss {}", significant(centre));
    canvas.text((x + 12.0, y - 8.0), Font::of(13.0).bold(), Anchor::Start, &label);
    canvas.text((260.0, 458.0), Font::of(13.0), Anchor::Middle, "first direction");
    canvas.text((60.0, 12.0), Font::of(13.0), Anchor::Start, "second direction");
    scale(&mut canvas, low, &levels);
    Ok(canvas.finish(580.0, 468.0))
}

/// The legend of the shades.
fn scale(canvas: &mut Canvas, low: f64, levels: &[f64]) {
    let (left, bottom, side) = (490.0, 400.0, 30.0);
    canvas.text((left, 38.0), Font::of(13.0), Anchor::Start, "loss at least");
    for (shade, level) in [low].iter().chain(levels).enumerate() {
        let (top, right) = (bottom - side * (shade + 1) as f64, left + side);
        let square = vec![(left, top), (right, top), (right, top + side), (left, top + side)];
        for _ in 0..shade {
            canvas.area(std::slice::from_ref(&square), SERIES[0], OPACITY);
        }
        canvas.rect((left, top), (side, side), None, Pen::of(GRID, 1.0));
        let at = (right + 8.0, top + side - 3.0);
        canvas.text(at, Font::of(12.0), Anchor::Start, &significant(*level));
    }
}

/// Where point `index` of a side lies, from -1 to 1.
fn coordinate(index: f64) -> f64 {
    2.0 * index / (POINTS - 1) as f64 - 1.0
}

/// A plane in the space of the parameters.
struct Surface {
    config: IrisConfig,
    data: Splits<f64>,
    middle: Vec<(String, ArrayD<f64>)>,
    directions: [Vec<ArrayD<f64>>; 2],
}

impl Surface {
    fn of(run: &Record) -> Result<Self, String> {
        let config = configuration(run)?;
        let data = Splits::iris().map_err(|error| error.to_string())?;
        let data =
            data.preprocess(config.training.preprocess).map_err(|error| error.to_string())?;
        let middle = trained(run, &config)?;
        let mut rng = Rng::new(SEED);
        let directions = [(); 2].map(|()| direction(&middle, &mut rng));
        Ok(Self { config, data, middle, directions })
    }

    /// The loss on the training set at each point: rows are the second direction, columns the first.
    fn values(&self) -> Result<Vec<Vec<f64>>, String> {
        let at = |index: usize| coordinate(index as f64);
        let row = |b: usize| (0..POINTS).map(|a| self.loss(at(a), at(b))).collect();
        (0..POINTS).map(row).collect()
    }

    fn loss(&self, a: f64, b: f64) -> Result<f64, String> {
        let network = self.network(a, b)?;
        let train = network.measure(&self.data.train).map_err(|error| error.to_string())?;
        Ok(train.loss)
    }

    fn network(&self, a: f64, b: f64) -> Result<NeuralNetwork<f64>, String> {
        let mut network = self.config.network(&self.data, 0).map_err(|error| error.to_string())?;
        let [first, second] = &self.directions;
        let moves = self.middle.iter().zip(first).zip(second);
        let mut points = moves.map(|(((_, w), d), e)| w + &(a * d) + &(b * e));
        for layer in network.layers_mut() {
            let names: Vec<&'static str> = layer.parameters().names().collect();
            for name in names {
                let point = points.next().ok_or("the run lacks a parameter")?;
                layer.set_parameter(name, &point).map_err(|error| error.to_string())?;
            }
        }
        Ok(network)
    }
}

/// The parameters that the run ended with: it takes a moment to do it again, in single precision as
/// recorded.
fn trained(run: &Record, config: &IrisConfig) -> Result<Vec<(String, ArrayD<f64>)>, String> {
    let again = || -> Result<_, TrainingError> {
        let data = Splits::iris()?.preprocess::<f32>(config.training.preprocess)?;
        let network = config.run(&data, run.config.seed, &mut History::default())?.network;
        Ok(network.parameters().map(|(name, array)| (name, array.mapv(f64::from))).collect())
    };
    again().map_err(|error| format!("the run `{RECORD}` cannot be done again: {error}"))
}

/// A random direction: each column of weights as long as the trained one, biases 0.
fn direction(middle: &[(String, ArrayD<f64>)], rng: &mut Rng) -> Vec<ArrayD<f64>> {
    let norm = |column: ndarray::ArrayView1<'_, f64>| column.dot(&column).sqrt();
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

    use super::*;

    fn record() -> Record {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/records");
        Record::read(&root.join(RECORD)).unwrap()
    }

    #[test]
    fn the_middle_is_the_network_of_the_record_and_directions_are_as_long_as_its_columns() {
        let surface = Surface::of(&record()).unwrap();
        let recorded = record().summary.train.unwrap().loss;
        let loss = surface.loss(0.0, 0.0).unwrap();
        // Another processor may round the last bits of a product otherwise.
        let difference = (loss - recorded).abs();
        assert!(difference < 1e-4, "{loss}, recorded {recorded}");
        assert!(surface.loss(1.0, -1.0).unwrap() > loss);

        let norms = |array: &ArrayD<f64>| (array * array).sum_axis(Axis(0)).mapv(f64::sqrt);
        for ((name, trained), direction) in surface.middle.iter().zip(&surface.directions[0]) {
            let expected =
                if name.ends_with(".b") { norms(&(0.0 * trained)) } else { norms(trained) };
            let difference = expected - norms(direction);
            assert!(difference.iter().all(|d| d.abs() < 1e-12), "{name}: {difference}");
        }
        assert_ne!(surface.directions[0], surface.directions[1]);
    }
}
