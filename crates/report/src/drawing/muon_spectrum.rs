//! Singular values of a gradient of the network that ships, on the sample of CIFAR-10, before and after Muon's iteration.

use datasets::{cifar10_sample, one_hot};
use experiment::canvas::{Anchor, Canvas, Font, Pen, Point};
use experiment::palette::SERIES;
use ndarray::{Array2, ArrayView2};
use numerics::symmetric_eigen;
use optim::orthogonalise;
use training::Checkpoint;

use super::chart::{Chart, power_ticks, whole_ticks};
use crate::expand::Inputs;

/// The weights that ship, and the filters whose gradient is taken.
const WEIGHTS: &str = "crates/kaggle/weights/cifar10.safetensors";
const LAYER: usize = 4;

/// As many as the recipe takes.
const STEPS: u32 = 3;

pub(super) fn draw(inputs: &Inputs) -> Result<String, String> {
    let gradient = gradient(&inputs.root.join(WEIGHTS))?;
    let spectra =
        [(gradient.clone(), SERIES[0]), (orthogonalise(gradient.view(), STEPS), SERIES[1])];
    let mut lines = Vec::new();
    for (matrix, colour) in spectra {
        let values = singular_values(matrix.view()).ok_or("its singular values do not converge")?;
        let largest = values.first().copied().unwrap_or(1.0);
        let line: Vec<Point> = values
            .iter()
            .enumerate()
            .map(|(index, value)| {
                (index as f64 + 1.0, (value / largest).max(f64::MIN_POSITIVE).log10())
            })
            .collect();
        lines.push((line, colour));
    }
    let count = lines[0].0.len() as f64;
    let low = lines.iter().flat_map(|(line, _)| line).map(|(_, y)| *y).fold(0.0, f64::min) - 0.1;
    let chart = Chart { at: (60.0, 30.0), size: (480.0, 220.0), x: (1.0, count), y: (low, 0.0) };
    let mut canvas = Canvas::themed();
    let every = (count as usize / 4).max(1);
    chart.axes(
        &mut canvas,
        &whole_ticks(every as i32, count as i32, every),
        &power_ticks(low.ceil() as i32..=0),
    );
    for ((line, colour), (x, text)) in
        lines.iter().zip([(300.0, "the gradient"), (410.0, "what Muon makes of it")])
    {
        chart.line(&mut canvas, line, Pen::of(*colour, 1.8));
        canvas.text((x, 18.0), Font::of(14.0).bold().colour(*colour), Anchor::Start, text);
    }
    canvas.text((300.0, 286.0), Font::of(14.0), Anchor::Middle, "singular value, by size");
    canvas.text((60.0, 18.0), Font::of(13.0), Anchor::Start, "its share of the largest");
    Ok(canvas.finish(590.0, 296.0))
}

/// The gradient of the filters as the matrix that Muon takes: a column for each filter.
fn gradient(weights: &std::path::Path) -> Result<Array2<f64>, String> {
    let mut model = Checkpoint::load(weights).map_err(|error| error.to_string())?.model;
    let sample = cifar10_sample().map_err(|error| error.to_string())?;
    let labels: Vec<usize> = sample.labels().iter().copied().map(usize::from).collect();
    let targets =
        one_hot(&labels, sample.class_names().len()).map_err(|error| error.to_string())?;
    let x = model.input(sample.images().view()).map_err(|error| error.to_string())?;
    let network = model.network_mut();
    let passes = network.forward(x).and_then(|out| network.backward(targets.view(), out.view()));
    passes.map_err(|error| error.to_string())?;
    let layer = network.layers().get(LAYER).ok_or("the network has too few layers")?;
    let gradient = layer.gradients().iter().find(|(name, _)| *name == "W");
    let (_, gradient) = gradient.ok_or_else(|| format!("layer {LAYER} has no filters"))?;
    let filters = gradient.shape().last().copied().unwrap_or(1);
    let rows = gradient.len() / filters;
    let values = gradient.iter().map(|value| f64::from(*value)).collect();
    Array2::from_shape_vec((rows, filters), values).map_err(|error| error.to_string())
}

/// From the largest to the smallest.
fn singular_values(matrix: ArrayView2<'_, f64>) -> Option<Vec<f64>> {
    let gram = match matrix.nrows() < matrix.ncols() {
        true => matrix.dot(&matrix.t()),
        false => matrix.t().dot(&matrix),
    };
    let (values, _) = symmetric_eigen(gram.view())?;
    let mut values: Vec<f64> = values.iter().map(|value| value.max(0.0).sqrt()).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    Some(values)
}
