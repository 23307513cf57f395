//! The gradient-check table of the course's notebook.
//!
//! For each layer and each of its parameters, the gradient of `L = Σ R ⊙ Y` with a random R against
//! central differences. The course's error is one number for a whole array,
//! `‖numeric - analytic‖ / ‖numeric + analytic‖`, which a single wrong element of a large array hardly
//! moves; beside it stands the largest error of an element.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use layers::LayerError;
use ndarray::ArrayD;
use numerics::Rng;

use crate::check::panic_message;
use crate::finite_difference::{BOUND, element_error, numeric_gradient};
use crate::foreign::{self, Program};
use crate::layer::gradient::output;
use crate::layer::{Build, LayerRoom, Spec, real_build};
use crate::{HarnessError, Result, rooms};

/// The course's step.
const STEP: f64 = 1e-6;

/// Examples in the mini-batch.
const EXAMPLES: usize = 3;

/// Draws of inputs before a layer is given up, if each of them has a kink within a step.
const DRAWS: u64 = 100;

/// The gradient with respect to one array of a layer.
#[derive(Debug)]
pub(crate) struct Row {
    /// The layer and its configuration.
    layer: String,
    /// `"X"`, `"W"` or `"b"`, for batch normalisation `"gamma"` and `"beta"`.
    parameter: &'static str,
    shape: Vec<usize>,
    /// `‖numeric - analytic‖ / ‖numeric + analytic‖`.
    norm_error: f64,
    /// The largest error of an element, see [`element_error`].
    pub(crate) element_error: f64,
}

impl Row {
    /// Whether both errors are within the bound.
    pub(crate) fn passes(&self) -> bool {
        self.norm_error <= BOUND && self.element_error <= BOUND
    }
}

/// Layers that a program refused, in the order of the table, and why.
type Refusals = Vec<(String, String)>;

/// The rows of one class of layers, in upper or lower case, or of all: of ours, or of those that a program has.
pub(crate) fn rows(
    layer: Option<&str>,
    program: Option<&Arc<Program>>,
    seed: u64,
) -> Result<(Vec<Row>, Refusals)> {
    let offered = |room: &LayerRoom| program.is_none_or(|own| own.offers("layers", room.name));
    let all: Vec<_> = rooms::layers().into_iter().filter(|room| offered(room)).collect();
    let named = |name: &str| layer.is_none_or(|layer| layer.eq_ignore_ascii_case(name));
    if let Some(got) = layer
        && !all.iter().any(|room| named(room.name))
    {
        let known = all.iter().map(|room| room.name).collect::<Vec<_>>().join(", ");
        let what = format!("unknown layer {got:?}: expected one of {known}");
        return Err(HarnessError::Usage(what));
    }
    let build = program.map_or_else(real_build, foreign::layer::wide);
    let (mut rows, mut refusals) = (Vec::new(), Refusals::new());
    for spec in all.iter().filter(|room| named(room.name)).flat_map(|room| (room.table)()) {
        let mut draws = (0..DRAWS).map(|draw| Rng::with_stream(seed, draw));
        let mut find =
            || draws.find_map(|mut rng| rows_at(&spec, &build, &mut rng, STEP).transpose());
        // A program ends a pass that it refuses by a panic.
        match catch_unwind(AssertUnwindSafe(&mut find)) {
            Err(panic) if program.is_some() => {
                refusals.push((spec.label(), panic_message(&*panic)))
            }
            Err(panic) => resume_unwind(panic),
            Ok(drawn) => rows.extend(drawn.transpose()?.ok_or_else(|| {
                let layer = spec.label();
                let what =
                    format!("{layer}: each of {DRAWS} random inputs has a kink within a step");
                HarnessError::Stopped(what)
            })?),
        }
    }
    Ok((rows, refusals))
}

/// The printed form of rows, and of what was refused: layers with the same reason share a line.
pub(crate) fn table(rows: &[Row], refusals: &[(String, String)], seed: u64) -> String {
    let width = rows.iter().map(|row| row.layer.chars().count()).max().unwrap_or(0);
    let mut table =
        format!("{:width$}  of     shape           course's error  largest error\n", "layer");
    for row in rows {
        let Row { layer, parameter, shape, norm_error, element_error } = row;
        let (shape, verdict) = (format!("{shape:?}"), if row.passes() { "" } else { "  FAIL" });
        table += &format!(
            "{layer:width$}  {parameter:5}  {shape:15} {norm_error:>14.1e} {element_error:>14.1e}{verdict}\n"
        );
    }
    for group in refusals.chunk_by(|(_, one), (_, other)| one == other) {
        let layers: Vec<&str> = group.iter().map(|(layer, _)| &**layer).collect();
        table += &format!("\n{}  FAIL\n  {}\n", layers.join(", "), group[0].1);
    }
    table
        + &format!(
            "\nCentral differences with step {STEP:.0e}, seed {seed}. The course's error is \
             ‖n - a‖ / ‖n + a‖ over the whole array;\nthe largest error is that of an element, \
             |a - n| / max(|a|, |n|, s) with s the largest |a|. Both have to be at most {BOUND:.0e}.\n"
        )
}

/// The rows of one layer with differences of this step; nothing if a kink lies within a step of one
/// of the arrays.
pub(crate) fn rows_at(
    spec: &Spec,
    build: &Build,
    rng: &mut Rng,
    step: f64,
) -> Result<Option<Vec<Row>>, LayerError> {
    let mut layer = build(spec, rng)?;
    let shape = [&[EXAMPLES], &*spec.input_shape].concat();
    let x: ArrayD<f64> = rng.normal_array(shape, 0.0, 1.0);
    // Biases that are not zero, so that they matter.
    for (_, parameter) in layer.parameters_and_gradients().0.iter_mut() {
        *parameter = rng.normal_array(parameter.raw_dim(), 0.0, 0.5);
    }
    let buffers = layer.buffers().clone();
    let center = layer.forward(x.clone())?;
    let upstream: ArrayD<f64> = rng.normal_array(center.raw_dim(), 0.0, 1.0);
    let dl_dx = layer.backward(upstream.clone())?;
    let mut arrays = vec![("X", x, dl_dx)];
    let gradients = layer.parameters().iter().zip(layer.gradients().iter());
    arrays.extend(gradients.map(|((name, p), (_, g))| (name, p.clone(), g.clone())));

    let values: Vec<ArrayD<f64>> = arrays.iter().map(|(_, value, _)| value.clone()).collect();
    let home = spec.piece(&*layer, &values[0], &center);
    let mut crossed = false;
    let mut rows = Vec::new();
    for (variable, (parameter, value, analytic)) in arrays.into_iter().enumerate() {
        let mut values = values.clone();
        let function = |moved: &ArrayD<f64>| {
            values[variable].assign(moved);
            let y = output(&mut *layer, &buffers, &values);
            crossed |= spec.piece(&*layer, &values[0], &y) != home;
            // Less the output at the center: the same derivative, less rounding.
            ((y - &center) * &upstream).sum()
        };
        let numeric = numeric_gradient(function, &value, step);
        rows.push(row(spec, parameter, &analytic, &numeric));
    }
    Ok((!crossed).then_some(rows))
}

fn row(spec: &Spec, parameter: &'static str, analytic: &ArrayD<f64>, numeric: &ArrayD<f64>) -> Row {
    let norm = |array: ArrayD<f64>| array.iter().map(|x| x * x).sum::<f64>().sqrt();
    let (difference, sum) = (norm(numeric - analytic), norm(numeric + analytic));
    let scale = analytic.iter().fold(0.0_f64, |scale, a| scale.max(a.abs()));
    let largest = analytic.iter().zip(numeric).fold(0.0_f64, |largest, (&a, &n)| {
        let error = element_error(a, n, scale);
        // `max` would drop it.
        if error.is_nan() { f64::INFINITY } else { largest.max(error) }
    });
    Row {
        layer: spec.label(),
        parameter,
        shape: analytic.shape().to_vec(),
        norm_error: if difference == 0.0 { 0.0 } else { difference / sum },
        element_error: largest,
    }
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
pub(crate) mod tests {
    use ndarray::arr1;

    use super::*;

    pub(crate) fn every_layer_is_near_the_rounding_error_of_the_differences() {
        let (rows, refusals) = rows(None, None, 189).unwrap();
        assert!(refusals.is_empty());
        // X, W and b of 7 fully-connected layers and 12 convolutions; X of 6 poolings, a global one
        // and a flatten; X, γ and β of 2 batch normalisations; X of 2 dropouts.
        assert_eq!(rows.len(), 3 * (7 + 12) + 6 + 2 + 3 * 2 + 2);
        for row in &rows {
            assert!(row.norm_error < 1e-8 && row.element_error < 1e-8 && row.passes(), "{row:?}");
        }
    }

    pub(crate) fn a_wrong_gradient_fails_even_where_the_norm_hides_it_and_so_does_nan() {
        let spec = &(rooms::layers()[1].table)()[0];
        let of = |analytic: &[f64], numeric: &[f64]| {
            let [analytic, numeric] = [analytic, numeric].map(|array| arr1(array).into_dyn());
            row(spec, "X", &analytic, &numeric)
        };
        let numeric = [1.0; 10_000];
        let mut analytic = numeric;
        analytic[17] += 1e-6;
        let hidden = of(&analytic, &numeric);
        assert!(hidden.norm_error < BOUND && hidden.element_error > BOUND, "{hidden:?}");
        assert!(!hidden.passes() && table(&[hidden], &[], 1).contains("FAIL"));
        for (analytic, passes) in [(0.0, true), (1.0, false), (f64::NAN, false)] {
            assert_eq!(of(&[analytic, 0.0], &[0.0, 0.0]).passes(), passes, "{analytic}");
        }
    }
}
