//! Muon and its orthogonalisation, question 7. i and j count rows and columns of a
//! matrix, k the shorter side.

mod worked;

use std::sync::Arc;

use ndarray::{Array1, Array2, ArrayD, Axis, s};
use numerics::Scalar;
use optim::{MuonConfig, OptimError, Step, orthogonalise};

use super::sgd::{Declared, Update, norm, oracle};
use crate::cases::{Case, claim, same_bits};
use crate::room::{Checks, PlainRoom, bugs};
use crate::transcription::{array_of, sum};

/// Muon under test: that of users, or a plain one with a bug or with none.
pub(super) struct Muon(Option<&'static str>);

impl Muon {
    /// The optimiser, at rest.
    fn build(&self, config: MuonConfig) -> Result<Update<f64>, OptimError> {
        self.0.map_or_else(|| real(config), |bug| faulty(bug, config))
    }

    /// `O(g)` by so many Newton-Schulz steps.
    fn orthogonalise(&self, g: &Array2<f64>, steps: u32) -> Array2<f64> {
        self.0.map_or_else(|| orthogonalise(g.view(), steps), |bug| orthogonalised(bug, g, steps))
    }
}

pub(super) static ROOM: PlainRoom<Muon> = PlainRoom {
    name: "Muon",
    question: "7",
    real: || Arc::new(Muon(None)),
    faulty: |bug| Arc::new(Muon(Some(bug))),
    of_program: |_| None,
    checks: |own| {
        let muon = Arc::clone(&own.subject);
        own.list.push(oracle("7", "Muon", "muon", move |d| muon.build(config(d))));
        formulas(own);
        claims(own);
    },
    free_checks: || vec![oracle::<f32>("7", "Muon", "muon", |d| real(config(d))).of(ROOM.name)],
    bugs: bugs! {
        "muon-not-normalised" [Oracle Formula Property] "the gradient is not divided by its norm, so singular values may exceed 1"
        "muon-normed-by-rows" [Oracle Formula Property] "each row is divided by its own norm"
        "muon-no-eps" [Property] "nothing is added to the norm, so that a gradient 0 becomes NaN"
        "muon-coefficients-swapped" [Oracle Formula Property] "b and c are exchanged: c A + b A²"
        "muon-coefficients-reversed" [Oracle Formula Property] "the coefficients are taken from the highest power down"
        "muon-cubic" [Oracle Formula Property] "the term of the fifth power is left out"
        "muon-step-fewer" [Oracle Formula] "there is one Newton-Schulz step fewer than declared"
        "muon-tall-reshaped" [Oracle Formula Property] "a tall matrix is transposed, and reshaped instead of transposed back"
        "muon-other-matrix" [Oracle Formula] "a kernel is read as (kernel_rows, rest), as it would be in PyTorch's order of axes"
        "muon-no-nesterov" [Oracle Formula] "the step follows v and not g + μ v"
        "muon-averaged-velocity" [Oracle Formula] "v ← μ v + (1 - μ) g, whose scale does not matter but for g + μ v"
        "muon-rate-in-velocity" [Oracle Formula] "the learning rate is inside the velocity, as in SGD: seen only when it changes"
        "muon-weight-norm" [Oracle Formula Property] "the weight is not rescaled"
        "muon-norm-of-inputs" [Oracle Formula Property] "the weight is rescaled to the root of its rows, not of n_out"
        "muon-rescaled-after" [Oracle Formula] "the weight is rescaled after the step, not before it"
        "muon-repairs-nan" [Property] "a gradient that is not finite counts as 0"
        "muon-unchecked" [Property] "biases, a momentum of 1 and no Newton-Schulz step are accepted"
    },
    examples: &[("muon", worked::example), ("muon-band", worked::band)],
};

fn config(&Declared { momentum, newton_schulz_steps, .. }: &Declared) -> MuonConfig {
    MuonConfig { momentum, newton_schulz_steps }
}

fn real<T: Scalar>(config: MuonConfig) -> Result<Update<T>, OptimError> {
    let mut muon = config.build::<T>()?;
    Ok(Box::new(move |w, g, step| muon.update("W", w, g, step.lr)))
}

/// The orthogonalisation in plain products, with a bug or with none.
fn orthogonalised(bug: &str, g: &Array2<f64>, steps: u32) -> Array2<f64> {
    if bug == "muon-repairs-nan" && !g.iter().all(|g| g.is_finite()) {
        return Array2::zeros(g.dim());
    }
    let x = match bug {
        "muon-not-normalised" => g.clone(),
        "muon-normed-by-rows" => {
            g / &g.mapv(|g| g * g).sum_axis(Axis(1)).mapv(|s| s.sqrt() + 1e-7).insert_axis(Axis(1))
        }
        "muon-no-eps" => g / norm(g),
        _ => g / (norm(g) + 1e-7),
    };
    let coefficients = match bug {
        "muon-coefficients-swapped" => [3.4445, 2.0315, -4.7750],
        "muon-coefficients-reversed" => [2.0315, -4.7750, 3.4445],
        "muon-cubic" => [3.4445, -4.7750, 0.0],
        _ => COEFFICIENTS,
    };
    let steps = steps - u32::from(bug == "muon-step-fewer");
    if bug == "muon-tall-reshaped" && x.nrows() > x.ncols() {
        let x =
            newton_schulz(x.reversed_axes(), coefficients, steps).as_standard_layout().into_owned();
        return x.into_shape_with_order(g.dim()).expect("as many elements");
    }
    newton_schulz(x, coefficients, steps)
}

/// Muon in plain products, with a bug or with none.
fn faulty(bug: &'static str, config: MuonConfig) -> Result<Update<f64>, OptimError> {
    if bug != "muon-unchecked" {
        config.build::<f64>()?;
    }
    let MuonConfig { momentum, newton_schulz_steps } = config;
    let mut velocity: Option<ArrayD<f64>> = None;
    Ok(Box::new(move |w, gradient, Step { lr, .. }| {
        let shape = w.shape().to_vec();
        let n_out = *shape.last().unwrap_or(&1);
        let rows = w.len() / n_out;
        if rows < 2 && bug != "muon-unchecked" {
            return Err(OptimError::NoMatrix { name: "W".to_owned(), got: shape });
        }
        let old = velocity.take().unwrap_or_else(|| ArrayD::zeros(w.raw_dim()));
        let g = if bug == "muon-rate-in-velocity" { gradient * lr } else { gradient.clone() };
        let v = match bug {
            "muon-averaged-velocity" => old * momentum + &g * (1.0 - momentum),
            _ => old * momentum + &g,
        };
        let ahead = if bug == "muon-no-nesterov" { v.clone() } else { &g + &v * momentum };
        velocity = Some(v);
        let dim = match bug {
            "muon-other-matrix" => (shape[0], w.len() / shape[0]),
            _ => (rows, n_out),
        };
        let matrix = ahead.to_shape(dim).expect("as many elements").into_owned();
        let direction = orthogonalised(bug, &matrix, newton_schulz_steps.max(1));
        let step = direction.to_shape(shape).expect("as many elements").into_owned() * lr;
        let target = if bug == "muon-norm-of-inputs" { rows } else { n_out };
        let rescale = |w: &mut ArrayD<f64>| {
            if norm(w) > 0.0 {
                *w *= (target as f64).sqrt() / norm(w);
            }
        };
        if !matches!(bug, "muon-weight-norm" | "muon-rescaled-after") {
            rescale(w);
        }
        *w -= &step;
        if bug == "muon-rescaled-after" {
            rescale(w);
        }
        Ok(())
    }))
}

/// Sides of at most 12 and singular values of at most 1.21: an element of X, A or A² is a sum of at most
/// 12 terms whose magnitudes add up to at most 1.5, so a step rounds by less than `12 · 1.5 · 20 u`, and
/// the next two enlarge that by at most p'(0)² = 12. Six steps of a weight add up to
/// `6 · 12 · 360 u = 2.9e-12`.
const ROUNDING: f64 = 5e-12;

fn formulas(own: &mut Checks<Muon>) {
    own.formula("newton-schulz-step", ROUNDING, |muon, case| {
        let (shape, steps) = (case.shape(2, 12), case.between(1, 3) as u32);
        case.describe(format!("G {shape:?}, {steps} steps"));
        let g = matrix(case, (shape[0], shape[1]));
        case.compare("X", &muon.orthogonalise(&g, steps), &literal(&g, steps))
    });
    // O(U S Vᵀ) = U p(p(p(S / (‖S‖ + 1e-7)))) Vᵀ with p(s) = a s + b s³ + c s⁵.
    own.formula("newton-schulz-singular-values", ROUNDING, |muon, case| {
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
        let [a, b, c] = COEFFICIENTS;
        let p = |s: f64| a * s + b * s.powi(3) + c * s.powi(5);
        let through = values.mapv(|s| (0..steps).fold(s / norm, |s, _| p(s)));
        case.compare("U p(S) Vᵀ", &muon.orthogonalise(&with(&values), steps), &with(&through))
    });
    // vₜ₊₁ = Σ_s≤t μ^(t-s) g_s and Wₜ₊₁ = Wₜ √n_out / ‖Wₜ‖ - lr O(gₜ + μ vₜ₊₁), where the row of O is
    // (r kernel_cols + c) n_in + i for the kernel cell (r, c) and the input channel i.
    own.formula("muon-step", ROUNDING, |muon, case| {
        let shape @ [rows, cols, n_in, n_out] =
            [case.between(1, 2), case.between(2, 3), case.between(1, 2), case.between(1, 8)];
        let momentum = case.one_of(&[0.0, 0.5, 0.9]);
        let steps = case.between(1, 3) as u32;
        let config = MuonConfig { momentum, newton_schulz_steps: steps };
        case.describe(format!("W {shape:?}, {config:?}"));
        let mut muon = muon.build(config)?;
        let mut parameter = case.array(&shape);
        let mut w = parameter.clone();
        let mut gradients: Vec<ArrayD<f64>> = Vec::new();
        for t in 0..6 {
            let lr = 0.05 + 0.2 * case.rng.uniform();
            gradients.push(case.array(&shape));
            muon(&mut parameter, &gradients[t], Step { lr, decays: true })?;
            let mut ahead = gradients[t].clone();
            for (s, g) in gradients.iter().enumerate() {
                ahead = ahead + g * (momentum * momentum.powi((t - s) as i32));
            }
            let cell = |row: usize| [row / n_in / cols, row / n_in % cols, row % n_in];
            let flat = array_of((rows * cols * n_in, n_out), |(row, f)| {
                let [r, c, i] = cell(row);
                ahead[[r, c, i, f]]
            });
            w *= (n_out as f64).sqrt() / norm(&w);
            for ((row, f), x) in literal(&flat, steps).indexed_iter() {
                let [r, c, i] = cell(row);
                w[[r, c, i, f]] -= lr * x;
            }
            case.compare(&format!("W after {} steps", t + 1), &parameter, &w)?;
        }
        Ok(())
    });
}

const COEFFICIENTS: [f64; 3] = [3.4445, -4.7750, 2.0315];

/// `X = G / (‖G‖ + 1e-7)`, then the steps.
fn literal(g: &Array2<f64>, steps: u32) -> Array2<f64> {
    newton_schulz(g / (norm(g) + 1e-7), COEFFICIENTS, steps)
}

/// So many times `a X[i,j] + Σ_k (b A[i,k] + c Σ_l A[i,l] A[l,k]) X[k,j]` with `A[i,k] = Σ_j X[i,j] X[k,j]`,
/// whatever side is shorter.
fn newton_schulz(mut x: Array2<f64>, [a, b, c]: [f64; 3], steps: u32) -> Array2<f64> {
    let (m, n) = x.dim();
    for _ in 0..steps {
        let gram = array_of((m, m), |(i, k)| sum(n, |j| x[[i, j]] * x[[k, j]]));
        let inner = array_of((m, m), |(i, k)| {
            b * gram[[i, k]] + c * sum(m, |l| gram[[i, l]] * gram[[l, k]])
        });
        x = array_of((m, n), |(i, j)| a * x[[i, j]] + sum(m, |k| inner[[i, k]] * x[[k, j]]));
    }
    x
}

/// The smallest value that `p(s)` has above those that it enlarges, and its largest on `[0, 1]`, rounded away
/// from each other: see the chapter.
const BAND: [f64; 2] = [0.6818, 1.2024];

fn claims(own: &mut Checks<Muon>) {
    // For every unit vector u on the shorter side, ‖Xᵀ u‖ lies between the smallest and the largest singular
    // value. Ratios of those of G are at most 10, and there are at most 8: none is below
    // 0.1 / √8 = 0.035 of the norm, from where three steps lead into the band.
    own.exactly("singular_values_come_into_the_band", |muon, case| {
        let (m, n) = (case.between(1, 8), case.between(8, 12));
        let values: Array1<f64> = (0..m).map(|_| 0.1 + 0.9 * case.rng.uniform()).collect();
        case.describe(format!("{m} x {n}, singular values {values}"));
        let (left, right) = (orthogonal(case, m), orthogonal(case, n));
        let g = (&left * &values).dot(&right.slice(s![.., ..m]).t());
        let x = muon.orthogonalise(&g, 3);
        for _ in 0..10 {
            let mut u = matrix(case, (m, 1));
            u[[0, 0]] += 1.5;
            let stretch = norm(&x.t().dot(&u)) / norm(&u);
            let [low, high] = BAND;
            claim((low..=high).contains(&stretch), || {
                format!("a direction is stretched by {stretch}")
            })?;
        }
        Ok(())
    });
    own.within(ROUNDING, "it_commutes_with_transposition", |muon, case| {
        let g = draw(case);
        let transposed = muon.orthogonalise(&g.t().to_owned(), 3);
        case.compare("O(Gᵀ)ᵀ", &transposed.t(), &muon.orthogonalise(&g, 3))
    });
    own.within(ROUNDING, "it_commutes_with_orthogonal_maps", |muon, case| {
        let g = draw(case);
        let (left, right) = (orthogonal(case, g.nrows()), orthogonal(case, g.ncols()));
        let mapped = muon.orthogonalise(&left.dot(&g).dot(&right), 3);
        case.compare("O(P G Q)", &mapped, &left.dot(&muon.orthogonalise(&g, 3)).dot(&right))
    });
    // With a norm above 1e6, what is added to the norm is below 1e-13 of it.
    own.within(ROUNDING, "the_scale_of_the_gradient_does_not_matter", |muon, case| {
        let mut g = draw(case);
        g[[0, 0]] += 1.5;
        let factor = 10.0_f64.powi(case.between(0, 12) as i32);
        let large = &g * 1e7;
        let scaled = muon.orthogonalise(&(&large * factor), 3);
        case.compare("O(α G)", &scaled, &muon.orthogonalise(&large, 3))
    });
    own.within(ROUNDING, "at_a_rate_of_0_a_weight_has_its_norm", |muon, case| {
        let shape =
            [case.between(2, 3), case.between(1, 3), case.between(1, 3), case.between(1, 5)];
        case.describe(format!("W {shape:?}"));
        let (start, g) = (case.array(&shape) * 3.0, case.array(&shape));
        let mut w = start.clone();
        let root = (shape[3] as f64).sqrt();
        muon.build(MuonConfig::default())?(&mut w, &g, Step { lr: 0.0, decays: true })?;
        case.compare("W", &w, &(&start * (root / norm(&start))))?;
        case.compare_numbers("‖W‖", norm(&w), root);
        Ok(())
    });
    own.exactly("zero_stays_zero", |muon, case| {
        let shape = (case.between(2, 5), case.between(1, 5));
        case.describe(format!("W {shape:?}"));
        let zero = Array2::zeros(shape);
        same_bits("O(0)", &muon.orthogonalise(&zero, 3), &zero)?;
        let zero = zero.into_dyn();
        let mut w = zero.clone();
        muon.build(MuonConfig::default())?(&mut w, &zero, Step { lr: 0.5, decays: true })?;
        claim(w == zero, || format!("a weight 0 without a gradient became {w}"))
    });
    own.exactly("nan_is_passed_on", |muon, case| {
        let mut g = draw(case);
        let (i, j) = (case.between(0, g.nrows() - 1), case.between(0, g.ncols() - 1));
        g[[i, j]] = case.one_of(&[f64::NAN, f64::INFINITY]);
        let x = muon.orthogonalise(&g, 3);
        claim(x.iter().all(|x| x.is_nan()), || format!("{g} became {x}"))
    });
    own.exactly("what_is_no_matrix_is_refused", |muon, case| {
        let n = case.between(1, 6);
        for shape in [vec![n], vec![1, n], vec![1, 1, 1, n]] {
            let mut p = case.array(&shape);
            let (before, g) = (p.clone(), case.array(&shape));
            let mut muon = muon.build(MuonConfig::default())?;
            let result = muon(&mut p, &g, Step { lr: 0.1, decays: false });
            claim(result.is_err(), || format!("a parameter of shape {shape:?} was accepted"))?;
            same_bits("b", &p, &before)?;
        }
        Ok(())
    });
    own.exactly("hyperparameters_out_of_range_are_refused", |muon, case| {
        let momentum = case.one_of(&[-0.1, 1.0, f64::NAN]);
        let valid = MuonConfig::default();
        for config in
            [MuonConfig { momentum, ..valid }, MuonConfig { newton_schulz_steps: 0, ..valid }]
        {
            claim(muon.build(config).is_err(), || format!("{config:?} was accepted"))?;
        }
        Ok(())
    });
}

fn draw(case: &mut Case) -> Array2<f64> {
    let shape = case.shape(2, 10);
    case.describe(format!("G {shape:?}"));
    matrix(case, (shape[0], shape[1]))
}

/// A matrix of numbers from `[-1, 1)`.
fn matrix(case: &mut Case, shape: (usize, usize)) -> Array2<f64> {
    case.rng.uniform_array(shape, -1.0, 1.0)
}

/// A random orthogonal matrix: a product of as many reflections `I - 2 u uᵀ / uᵀu` as it has rows.
fn orthogonal(case: &mut Case, n: usize) -> Array2<f64> {
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
