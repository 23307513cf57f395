//! Proofs: a linear map has no more to it than its values on a basis.
//!
//! A layer without an activation is affine in X and affine in its parameters, so for one shape its output is
//! determined by the X and the parameters that are 0 or have one element that is not; its gradients, which are linear in
//! dL/dY too, by these and the dL/dY with one such element. All of them are tried. The numbers are so small and whole
//! that no sum or product is rounded, and results are compared by `==`.
//!
//! This proves the layer right for the shape, for all numbers, if what the program does depends on shapes and never on
//! the numbers in arrays, and if dL/dX is computed from the parameters and dL/dY alone, and the gradients of parameters from X
//! and dL/dY alone. The kernels have just these arguments. That they compare no elements is to be read in them; the
//! random tests, whose numbers are not whole, would notice most of what one could decide by the numbers.

use ndarray::{ArrayD, Dimension, IxDyn};

use super::{Layers, Spec, gradient};
use crate::cases::{Case, Verdict, claim};
use crate::room::Checks;

/// One product of the sum that an output element is: `Y[y] = Σ X[x] P[p] / unit`, without the factor that is `None`.
/// Indices are those of the elements in row-major order; P is all parameters, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term {
    pub(crate) x: Option<usize>,
    pub(crate) p: Option<usize>,
    pub(crate) y: usize,
}

/// A layer of one shape, and what it is by definition.
pub(crate) struct Linear {
    pub(crate) spec: Spec,
    /// The number of examples.
    pub(crate) m: usize,
    /// By what the sum is divided; elements of X and of dL/dY are this large, so that results are whole.
    pub(crate) unit: f64,
    /// Without those of a bias.
    pub(crate) terms: Vec<Term>,
}

/// Adds a proof for each of these shapes.
pub(crate) fn add<S: Send + Sync + 'static>(
    own: &mut Checks<Layers>,
    name: &str,
    shapes: Vec<S>,
    definition: fn(&S) -> Linear,
) {
    own.proof(name, shapes.len(), move |subject, case| {
        let number = case.pinned().unwrap_or_else(|| case.between(0, shapes.len() - 1));
        prove(subject, definition(&shapes[number]), case)
    });
}

fn prove(subject: &Layers, linear: Linear, case: &mut Case) -> Verdict {
    let Linear { spec, m, unit, mut terms } = linear;
    let x_shape = IxDyn(&[&[m], &*spec.input_shape].concat());
    case.describe(format!("{}, X {:?}", spec.declared(), x_shape.slice()));
    let mut layer = subject.new_layer(&spec, &mut case.rng)?;
    let y_shape = IxDyn(&[&[m], layer.output_shape()].concat());
    let shapes = layer.parameters().iter().map(|(name, array)| (name.to_owned(), array.raw_dim()));
    let shapes: Vec<(String, IxDyn)> = shapes.collect();
    let elements = shapes.iter().map(|(_, shape)| shape.size()).sum::<usize>();
    if let Some((_, b)) = shapes.iter().find(|(name, _)| name == "b") {
        let bias = |y| Term { x: None, p: Some(elements - b.size() + y % b.size()), y };
        terms.extend((0..y_shape.size()).map(bias));
    }
    for p in zero_and_basis(elements) {
        let mut first = 0;
        for (name, shape) in &shapes {
            let own = p.and_then(|p| p.checked_sub(first)).filter(|own| *own < shape.size());
            layer.set_parameter(name, &basis_vector(shape, own, 1.0))?;
            first += shape.size();
        }
        for x in zero_and_basis(x_shape.size()) {
            let given = || format!("X {}, parameters {}", named(x), named(p));
            let y = layer.forward(basis_vector(&x_shape, x, unit))?;
            let met = terms.iter().filter(|term| meets(term.x, x) && meets(term.p, p));
            same(&y, &y_shape, met.map(|term| term.y), || format!("Y of {}", given()))?;
            // Neither gradient is a function of both.
            if x.is_some() && (p.is_some() || elements == 0) {
                continue;
            }
            for at in 0..y_shape.size() {
                let given =
                    |what: &str| format!("{what} of {}, dL/dY {}", given(), named(Some(at)));
                let dl_dx = layer.backward(basis_vector(&y_shape, Some(at), unit))?;
                let of_y = || terms.iter().filter(|term| term.y == at);
                let met = of_y().filter(|term| meets(term.p, p)).filter_map(|term| term.x);
                same(&dl_dx, &x_shape, met, || given("dL/dX"))?;
                let mut first = 0;
                for (name, shape) in &shapes {
                    let own = first..first + shape.size();
                    let met = of_y().filter(|term| meets(term.x, x)).filter_map(|term| term.p);
                    let met = met.filter(|p| own.contains(p)).map(|p| p - own.start);
                    let gradient = gradient(&*layer, name)?;
                    same(&gradient, shape, met, || given(&format!("dL/d{name}")))?;
                    first = own.end;
                }
            }
        }
    }
    Ok(())
}

/// The number of an element in row-major order.
pub(crate) fn element<const N: usize>(shape: [usize; N], at: [usize; N]) -> usize {
    shape.iter().zip(at).fold(0, |before, (length, at)| before * length + at)
}

/// No element, and then each of so many.
pub(crate) fn zero_and_basis(elements: usize) -> impl Iterator<Item = Option<usize>> {
    std::iter::once(None).chain((0..elements).map(Some))
}

/// Whether a factor is not 0 if only this element is not.
fn meets(factor: Option<usize>, element: Option<usize>) -> bool {
    factor.is_none() || factor == element
}

pub(crate) fn basis_vector(shape: &IxDyn, element: Option<usize>, value: f64) -> ArrayD<f64> {
    let mut array = ArrayD::zeros(shape.clone());
    if let (Some(at), Some(elements)) = (element, array.as_slice_mut()) {
        elements[at] = value;
    }
    array
}

pub(crate) fn named(element: Option<usize>) -> String {
    element.map_or_else(|| "all 0".to_owned(), |at| format!("with only element {at} not 0"))
}

/// Claims that each element of an array is how often it is among `ones`.
pub(crate) fn same(
    got: &ArrayD<f64>,
    shape: &IxDyn,
    ones: impl Iterator<Item = usize>,
    what: impl Fn() -> String,
) -> Verdict {
    let mut expected = vec![0.0; shape.size()];
    ones.for_each(|at| expected[at] += 1.0);
    claim(got.raw_dim() == *shape && got.iter().eq(&expected), || {
        let got: Vec<f64> = got.iter().copied().collect();
        format!("{}: expected {expected:?}, got {got:?}", what())
    })
}
