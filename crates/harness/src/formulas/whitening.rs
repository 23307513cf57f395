//! The whitening of patches: layers for training, question 7. p counts patches, a and b the numbers of
//! one, k and l filters.
//!
//! # Bounds
//! There are at most 12 numbers in a patch, each at most 1 in magnitude, so eigenvalues are at most 12. The
//! eigen-decomposition is backward stable: its vectors are orthonormal, and `C u - λ u` is zero, up to
//! a small multiple of `12 · 12 u = 1.6e-14`. With `ε >= 0.05` a filter is at most 4.5 times its vector,
//! twice over in a product of two.

use std::sync::Arc;

use ndarray::{Array1, Array2, Array4, s};

use super::{SUMS, formula};
use crate::cases::{Case, Failure, claim};
use crate::{Check, WhiteningSubject};

type Implementation = Arc<dyn WhiteningSubject<f64>>;

pub(super) fn checks(implementation: &Implementation) -> Vec<Check> {
    let check = |name, one: fn(&dyn WhiteningSubject<f64>, &mut Case) -> Result<(), Failure>| {
        let implementation = Arc::clone(implementation);
        formula("7", name, SUMS, move |case| one(implementation.as_ref(), case))
    };
    vec![
        check("patch-covariance", covariance),
        check("whitening-filters", filters),
        check("whitening-response", response),
    ]
}

/// `C[a, b] = 1/N Σₚ P[p, a] P[p, b]`.
fn covariance(implementation: &dyn WhiteningSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let Drawn { images, kernel, .. } = draw(case);
    let got = implementation.covariance(&images, kernel)?;
    case.compare("C", &got, &covariance_of(&patches(&images, kernel)))
}

/// `W[·, k] = u / √(λ + ε)` and `W[·, d + k] = -W[·, k]`, where `C u = λ u`, the u are orthonormal, λ falls,
/// and the largest component of u is positive, the first of those that differ by less than a millionth.
fn filters(implementation: &dyn WhiteningSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let Drawn { images, kernel, eps } = draw(case);
    let c = covariance_of(&patches(&images, kernel));
    let d = c.nrows();
    let w = matrix(implementation.filters(&images, kernel, eps)?)?;
    let (w, negatives) = (w.slice(s![.., ..d]), w.slice(s![.., d..]));
    case.compare("the second half", &negatives, &w.mapv(|w| -w))?;
    // A multiple of an eigenvector has the same quotient `wᵀ C w / wᵀ w`, which is λ.
    let values = Array1::from_shape_fn(d, |k| {
        w.column(k).dot(&c.dot(&w.column(k))) / w.column(k).dot(&w.column(k))
    });
    let u = Array2::from_shape_fn((d, d), |(a, k)| w[[a, k]] * (values[k] + eps).sqrt());
    case.compare("Uᵀ U", &u.t().dot(&u), &Array2::eye(d))?;
    case.compare(
        "C U",
        &c.dot(&u),
        &Array2::from_shape_fn((d, d), |(a, k)| values[k] * u[[a, k]]),
    )?;
    for k in 1..d {
        case.compare_numbers("the rise of λ", (values[k] - values[k - 1]).max(0.0), 0.0);
    }
    for u in u.columns() {
        let largest = u.iter().fold(0.0_f64, |largest, c| largest.max(c.abs()));
        let first = u.iter().find(|c| c.abs() >= (1.0 - 1e-6) * largest);
        claim(first.is_some_and(|&c| c > 0.0), || format!("the largest component of {u}"))?;
    }
    Ok(())
}

/// `Y[p, k] = Σₐ P[p, a] W[a, k]` has `1/N Σₚ Y[p, k] Y[p, l] = λₖ / (λₖ + ε)` for `k = l < d` and 0 for other
/// `k, l < d`.
fn response(implementation: &dyn WhiteningSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let Drawn { images, kernel, eps } = draw(case);
    let patches = patches(&images, kernel);
    let (n, d) = patches.dim();
    let w = matrix(implementation.filters(&images, kernel, eps)?)?;
    let y = Array2::from_shape_fn((n, d), |(p, k)| {
        (0..d).map(|a| patches[[p, a]] * w[[a, k]]).sum::<f64>()
    });
    // Neither C nor its eigenvectors are needed for λ: `wᵀ w = 1 / (λ + ε)`.
    let expected = Array2::from_shape_fn((d, d), |(k, l)| {
        let size: f64 = (0..d).map(|a| w[[a, k]] * w[[a, k]]).sum();
        if k == l { 1.0 - eps * size } else { 0.0 }
    });
    case.compare("the covariance of Y", &covariance_of(&y), &expected)
}

struct Drawn {
    images: Array4<f64>,
    kernel: (usize, usize),
    eps: f64,
}

/// At least 18 patches of at most 12 numbers.
fn draw(case: &mut Case) -> Drawn {
    let kernel = (case.between(1, 2), case.between(1, 2));
    let shape = [case.between(2, 4), case.between(4, 6), case.between(4, 6), case.between(1, 3)];
    let eps = 0.05 + 0.5 * case.rng.uniform();
    case.describe(format!("images {shape:?}, kernel {kernel:?}, ε {eps}"));
    let images = case.rng.uniform_array(shape, -1.0, 1.0);
    Drawn { images, kernel, eps }
}

/// A row for each patch: `P[p, (i, j, c)] = X[n, r + i, q + j, c]`.
pub(crate) fn patches(images: &Array4<f64>, (k1, k2): (usize, usize)) -> Array2<f64> {
    let (m, rows, cols, channels) = images.dim();
    let mut patches = Vec::new();
    for n in 0..m {
        for r in 0..=rows - k1 {
            for q in 0..=cols - k2 {
                for i in 0..k1 {
                    for j in 0..k2 {
                        for c in 0..channels {
                            patches.push(images[[n, r + i, q + j, c]]);
                        }
                    }
                }
            }
        }
    }
    let shape = (m * (rows - k1 + 1) * (cols - k2 + 1), k1 * k2 * channels);
    Array2::from_shape_vec(shape, patches).expect("a row for each patch")
}

fn covariance_of(rows: &Array2<f64>) -> Array2<f64> {
    let (n, d) = rows.dim();
    Array2::from_shape_fn((d, d), |(a, b)| {
        (0..n).map(|p| rows[[p, a]] * rows[[p, b]]).sum::<f64>() / n as f64
    })
}

/// A row for each number of a patch, a column for each filter.
fn matrix(filters: Array4<f64>) -> Result<Array2<f64>, Failure> {
    let (k1, k2, channels, n_out) = filters.dim();
    let d = k1 * k2 * channels;
    if n_out != 2 * d {
        return Err(Failure::new(format!("expected {} filters, got {n_out}", 2 * d)));
    }
    Ok(filters.into_shape_with_order((d, n_out))?)
}
