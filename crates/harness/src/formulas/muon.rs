//! Muon: the chapter of that name. i and j count rows and columns of a matrix, k the shorter side.

use std::sync::Arc;

use ndarray::{Array1, Array2, ArrayD, Ix2, s};
use optim::{MuonConfig, Step};

use super::formula;
use crate::cases::{Case, Failure};
use crate::{Check, MuonSubject};

/// Sides of at most 12 and singular values of at most 1.21: an element of X, A or A² is a sum of at most
/// 12 terms whose magnitudes add up to at most 1.5, so a step rounds by less than `12 · 1.5 · 20 u`, and
/// the next two enlarge that by at most p'(0)² = 12. Six steps of a weight add up to
/// `6 · 12 · 360 u = 2.9e-12`.
const STEPS_BOUND: f64 = 5e-12;

/// The steps of a case.
const STEPS: usize = 6;

pub(super) fn checks(implementation: &Arc<dyn MuonSubject<f64>>) -> Vec<Check> {
    let [step, values, update] = [(); 3].map(|()| Arc::clone(implementation));
    vec![
        formula("7", "newton-schulz-step", STEPS_BOUND, move |case| one_step(step.as_ref(), case)),
        formula("7", "newton-schulz-singular-values", STEPS_BOUND, move |case| {
            singular_values(values.as_ref(), case)
        }),
        formula("7", "muon-step", STEPS_BOUND, move |case| trajectory(update.as_ref(), case)),
    ]
}

/// `p(s) = a s + b s³ + c s⁵`.
pub(crate) fn p(s: f64) -> f64 {
    3.4445 * s - 4.7750 * s.powi(3) + 2.0315 * s.powi(5)
}

/// `X = G / (‖G‖ + 1e-7)`, then `a X[i,j] + Σ_k (b A[i,k] + c Σ_l A[i,l] A[l,k]) X[k,j]` with
/// `A[i,k] = Σ_j X[i,j] X[k,j]`, whatever side is shorter.
pub(crate) fn literal(g: &Array2<f64>, steps: u32) -> Array2<f64> {
    let norm = g.iter().map(|g| g * g).sum::<f64>().sqrt() + 1e-7;
    let mut x = g / norm;
    let (m, n) = x.dim();
    for _ in 0..steps {
        let gram = Array2::from_shape_fn((m, m), |(i, k)| {
            (0..n).map(|j| x[[i, j]] * x[[k, j]]).sum::<f64>()
        });
        let inner = Array2::from_shape_fn((m, m), |(i, k)| {
            let square: f64 = (0..m).map(|l| gram[[i, l]] * gram[[l, k]]).sum();
            -4.7750 * gram[[i, k]] + 2.0315 * square
        });
        x = Array2::from_shape_fn((m, n), |(i, j)| {
            3.4445 * x[[i, j]] + (0..m).map(|k| inner[[i, k]] * x[[k, j]]).sum::<f64>()
        });
    }
    x
}

fn one_step(implementation: &dyn MuonSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let (shape, steps) = (case.shape(2, 12), case.between(1, 3) as u32);
    case.describe(format!("G {shape:?}, {steps} steps"));
    let g = matrix(case, (shape[0], shape[1]));
    let got = implementation.orthogonalise(&g, steps);
    case.compare("X", &got, &literal(&g, steps))
}

/// `O(U S Vᵀ) = U p(p(p(S / (‖S‖ + 1e-7)))) Vᵀ`.
fn singular_values(implementation: &dyn MuonSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let (shape, steps) = (case.shape(2, 8), case.between(1, 3) as u32);
    let (m, n) = (shape[0], shape[1]);
    let values: Array1<f64> = (0..m.min(n)).map(|_| 0.1 + case.rng.uniform()).collect();
    case.describe(format!("{m} x {n}, singular values {values}, {steps} steps"));
    let (u, v) = (orthogonal(case, m), orthogonal(case, n));
    let with = |values: &Array1<f64>| {
        let k = values.len();
        (&u.slice(s![.., ..k]) * values).dot(&v.slice(s![.., ..k]).t())
    };
    let norm = values.dot(&values).sqrt() + 1e-7;
    let through = values.mapv(|s| (0..steps).fold(s / norm, |s, _| p(s)));
    let got = implementation.orthogonalise(&with(&values), steps);
    case.compare("U p(S) Vᵀ", &got, &with(&through))
}

/// `vₜ₊₁ = Σ_s≤t μ^(t-s) g_s` and `Wₜ₊₁ = Wₜ √n_out / ‖Wₜ‖ - lr O(gₜ + μ vₜ₊₁)`, where the row of O is
/// `(r kernel_cols + c) n_in + i` for the kernel cell (r, c) and the input channel i.
fn trajectory(implementation: &dyn MuonSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let shape = [case.between(1, 2), case.between(2, 3), case.between(1, 2), case.between(1, 8)];
    let [rows, cols, n_in, n_out] = shape;
    let momentum = [0.0, 0.5, 0.9][case.between(0, 2)];
    let steps = case.between(1, 3) as u32;
    let config = MuonConfig { momentum, newton_schulz_steps: steps };
    case.describe(format!("W {shape:?}, {config:?}"));
    let mut muon = implementation.build(config)?;
    let mut parameter = case.array(&shape);
    let mut w = parameter.clone();
    let mut gradients: Vec<ArrayD<f64>> = Vec::new();
    for t in 0..STEPS {
        let lr = 0.05 + 0.2 * case.rng.uniform();
        gradients.push(case.array(&shape));
        muon.update("W", &mut parameter, &gradients[t], Step { lr, decays: true })?;
        let mut ahead = gradients[t].clone();
        for (s, g) in gradients.iter().enumerate() {
            ahead = ahead + g * (momentum * momentum.powi((t - s) as i32));
        }
        let mut flat = Array2::zeros((rows * cols * n_in, n_out));
        let cells = |row: usize| [row / n_in / cols, row / n_in % cols, row % n_in];
        for ((row, f), g) in flat.indexed_iter_mut() {
            let [r, c, i] = cells(row);
            *g = ahead[[r, c, i, f]];
        }
        let direction = literal(&flat, steps);
        let norm = w.iter().map(|w| w * w).sum::<f64>().sqrt();
        w *= (n_out as f64).sqrt() / norm;
        for ((row, f), x) in direction.indexed_iter() {
            let [r, c, i] = cells(row);
            w[[r, c, i, f]] -= lr * x;
        }
        case.compare(&format!("W after {} steps", t + 1), &parameter, &w)?;
    }
    Ok(())
}

/// A matrix of numbers from `[-1, 1)`.
pub(crate) fn matrix(case: &mut Case, shape: (usize, usize)) -> Array2<f64> {
    let array = case.array(&[shape.0, shape.1]);
    array.into_dimensionality::<Ix2>().expect("it has two axes")
}

/// A random orthogonal matrix: a product of as many reflections `I - 2 u uᵀ / uᵀu` as it has rows.
pub(crate) fn orthogonal(case: &mut Case, n: usize) -> Array2<f64> {
    let mut q = Array2::eye(n);
    for _ in 0..n {
        // The 1 keeps it away from 0.
        let mut u = matrix(case, (n, 1));
        u[[0, 0]] += 1.5;
        let square = u.iter().map(|u| u * u).sum::<f64>();
        q = &q - &(u.dot(&u.t()).dot(&q) * (2.0 / square));
    }
    q
}
