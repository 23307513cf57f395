//! The gradient-check table of the course's notebook.
//!
//! For each layer and each of its parameters, the gradient of `L = Σ R ⊙ Y` with a random R against
//! central differences. The course's error is one number for a whole array,
//! `‖numeric - analytic‖ / ‖numeric + analytic‖`, which a single wrong element of a large array hardly
//! moves; beside it stands the largest error of an element.

use std::cell::Cell;
use std::fmt;

use layers::{Layer, LayerError, Parameters};
use ndarray::ArrayD;
use numerics::Rng;

use crate::finite_difference::{BOUND, element_error, numeric_gradient};
use crate::layer::{Spec, rewind};
use crate::{HarnessError, rooms};

/// The course's step.
const STEP: f64 = 1e-6;

/// Examples in the mini-batch.
const EXAMPLES: usize = 3;

/// Draws of inputs before a layer is given up, if each of them has a kink within a step.
const DRAWS: u64 = 100;

/// The rows of one class of layers, or of all.
///
/// # Errors
/// [`HarnessError::Usage`] if there is no class of that name, in upper or lower case.
pub fn table(layer: Option<&str>, seed: u64) -> Result<Table, HarnessError> {
    let all = rooms::layers();
    let named = |name: &str| layer.is_none_or(|layer| layer.eq_ignore_ascii_case(name));
    if let Some(got) = layer
        && !all.iter().any(|room| named(room.name))
    {
        let known = all.map(|room| room.name).join(", ");
        let what = format!("unknown layer {got:?}: expected one of {known}");
        return Err(HarnessError::Usage(what));
    }
    let mut rows = Vec::new();
    for spec in all.iter().filter(|room| named(room.name)).flat_map(|room| (room.table)()) {
        rows.extend(rows_of(&spec, seed)?);
    }
    Ok(Table { seed, rows })
}

/// A gradient-check table; printed with [`Display`](fmt::Display).
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    seed: u64,
    /// One row for each parameter of each layer.
    pub rows: Vec<Row>,
}

/// The gradient with respect to one array of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The layer and its configuration.
    pub layer: String,
    /// `"X"`, `"W"` or `"b"`, for batch normalisation `"gamma"` and `"beta"`.
    pub parameter: &'static str,
    /// The shape of the array.
    pub shape: Vec<usize>,
    /// `‖numeric - analytic‖ / ‖numeric + analytic‖`.
    pub norm_error: f64,
    /// The largest error of an element, see [`element_error`].
    pub element_error: f64,
}

impl Table {
    /// Whether both errors are within the bound in every row.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.rows.iter().all(Row::passes)
    }
}

impl Row {
    fn passes(&self) -> bool {
        self.norm_error <= BOUND && self.element_error <= BOUND
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.layer.chars().count()).max().unwrap_or(0);
        writeln!(
            f,
            "{:width$}  of     {:15} {:>14} {:>14}",
            "layer", "shape", "course's error", "largest error"
        )?;
        for row in &self.rows {
            let Row { layer, parameter, shape, norm_error, element_error } = row;
            let verdict = if row.passes() { "" } else { "  FAIL" };
            let shape = format!("{shape:?}");
            writeln!(
                f,
                "{layer:width$}  {parameter:5}  {shape:15} {norm_error:>14.1e} {element_error:>14.1e}{verdict}"
            )?;
        }
        writeln!(
            f,
            "\nCentral differences with step {STEP:.0e}, seed {}. The course's error is \
             ‖n - a‖ / ‖n + a‖ over the whole array;\nthe largest error is that of an element, \
             |a - n| / max(|a|, |n|, s) with s the largest |a|. Both have to be at most {BOUND:.0e}.",
            self.seed
        )
    }
}

fn rows_of(spec: &Spec, seed: u64) -> Result<Vec<Row>, HarnessError> {
    for draw in 0..DRAWS {
        if let Some(rows) = rows_at(spec, &mut Rng::with_stream(seed, draw), STEP)? {
            return Ok(rows);
        }
    }
    let layer = spec.label();
    let what = format!("{layer}: each of {DRAWS} random inputs has a kink within a step");
    Err(HarnessError::Stopped(what))
}

/// The rows of one layer with differences of this step; nothing if a kink lies within a step of one
/// of the arrays.
pub(crate) fn rows_at(
    spec: &Spec,
    rng: &mut Rng,
    step: f64,
) -> Result<Option<Vec<Row>>, LayerError> {
    let mut layer = spec.build(rng)?;
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
    let crossed = Cell::new(false);
    let mut rows = Vec::new();
    for (variable, (parameter, value, analytic)) in arrays.into_iter().enumerate() {
        let mut values = values.clone();
        let mut refused = None;
        let numeric = numeric_gradient(
            |moved| {
                values[variable].assign(moved);
                match output(layer.as_mut(), &buffers, &values) {
                    Ok(y) => {
                        let crossing = spec.piece(&*layer, &values[0], &y) != home;
                        crossed.set(crossed.get() || crossing);
                        // Less the output at the center: the same derivative, less rounding.
                        ((y - &center) * &upstream).sum()
                    }
                    Err(error) => {
                        refused = Some(error);
                        f64::NAN
                    }
                }
            },
            &value,
            step,
        );
        if let Some(error) = refused {
            return Err(error);
        }
        rows.push(row(spec, parameter, &analytic, &numeric));
    }
    Ok((!crossed.get()).then_some(rows))
}

/// Y for these inputs and parameters, from these buffers.
fn output(
    layer: &mut dyn Layer<f64>,
    buffers: &Parameters<f64>,
    values: &[ArrayD<f64>],
) -> Result<ArrayD<f64>, LayerError> {
    for ((_, own), value) in layer.parameters_and_gradients().0.iter_mut().zip(&values[1..]) {
        own.assign(value);
    }
    rewind(layer, buffers)?;
    // Not predict, in which batch normalisation and dropout are other functions.
    layer.forward(values[0].clone())
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

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn every_layer_is_near_the_rounding_error_of_the_differences() {
        let table = table(None, 189).unwrap();
        // X, W and b of 7 fully-connected layers and 12 convolutions; X of 6 poolings, a global one
        // and a flatten; X, γ and β of 2 batch normalisations; X of 2 dropouts.
        assert_eq!(table.rows.len(), 3 * (7 + 12) + 6 + 2 + 3 * 2 + 2);
        for row in &table.rows {
            assert!(row.norm_error < 1e-8 && row.element_error < 1e-8, "{row:?}");
        }
        assert!(table.passes());
    }

    #[test]
    fn a_wrong_gradient_fails_even_where_the_norm_hides_it() {
        let spec = &(rooms::layers()[1].table)()[0];
        let numeric = ArrayD::ones(vec![10_000]);
        let mut analytic = numeric.clone();
        analytic[[17]] += 1e-6;
        let row = row(spec, "X", &analytic, &numeric);
        assert!(row.norm_error < BOUND && row.element_error > BOUND && !row.passes(), "{row:?}");
        let table = Table { seed: 1, rows: vec![row] };
        assert!(!table.passes());
        assert!(table.to_string().contains("FAIL"));
    }

    #[test]
    fn what_is_not_a_number_fails_and_two_zeros_agree() {
        let spec = &(rooms::layers()[1].table)()[0];
        let zeros = array![0.0, 0.0].into_dyn();
        assert!(row(spec, "X", &zeros, &zeros).passes());
        assert!(!row(spec, "X", &array![f64::NAN, 0.0].into_dyn(), &zeros).passes());
        assert!(!row(spec, "X", &array![1.0, 0.0].into_dyn(), &zeros).passes());
    }

    #[test]
    fn a_layer_is_found_by_name_and_an_unknown_one_lists_the_known() {
        let names = |table: Table| {
            let mut names: Vec<_> = table.rows.iter().map(|row| row.parameter).collect();
            names.dedup();
            names
        };
        assert_eq!(names(table(Some("flatten"), 1).unwrap()), ["X"]);
        assert_eq!(table(Some("Conv2D"), 1).unwrap().rows.len(), 36);
        let error = table(Some("Conv3D"), 1).unwrap_err().to_string();
        let expected = "unknown layer \"Conv3D\": expected one of FullyConnected, Flatten, Conv2D, Pool2D, \
             GlobalAveragePool2D, BatchNorm, Dropout";
        assert_eq!(error, expected);
    }
}
