//! Claims about Muon and the orthogonalisation.

use std::sync::Arc;

use ndarray::{Array1, Array2, ArrayD, IxDyn};
use optim::{MuonConfig, Step};

use super::CASES;
use crate::cases::{Case, Cases, Failure, claim, same_bits};
use crate::formulas::muon::{matrix, orthogonal};
use crate::{Check, Kind, MuonSubject, Subject};

/// As for the formulas: three steps of sums of at most 12 terms, and orthogonal maps around them.
const ROUNDING: f64 = 5e-12;

/// The largest value of `p(s)` on `[0, 1]`, and the smallest above the values that it enlarges, both
/// rounded away from each other: see the chapter.
const BAND: [f64; 2] = [0.6818, 1.2024];

type One = fn(&dyn MuonSubject<f64>, &mut Case) -> Result<(), Failure>;

pub(super) fn checks(
    subject: &Subject<f64>,
    implementation: &Arc<dyn MuonSubject<f64>>,
) -> Vec<Check> {
    let check = |name, bound, one: One| {
        let implementation = Arc::clone(implementation);
        let group = format!("properties.{}", subject.name());
        let cases = Cases { count: CASES, bound };
        cases.check(subject.question(), Kind::Property, group, name, move |case| {
            one(implementation.as_ref(), case)
        })
    };
    vec![
        check("singular_values_come_into_the_band", 0.0, band),
        check("it_commutes_with_transposition", ROUNDING, transposition),
        check("it_commutes_with_orthogonal_maps", ROUNDING, orthogonal_maps),
        check("the_scale_of_the_gradient_does_not_matter", ROUNDING, scale),
        check("at_a_rate_of_0_a_weight_has_its_norm", ROUNDING, norm),
        check("zero_stays_zero", 0.0, zero),
        check("nan_is_passed_on", 0.0, nan),
        check("what_is_no_matrix_is_refused", 0.0, vectors),
        check("hyperparameters_out_of_range_are_refused", 0.0, hyperparameters),
    ]
}

fn draw(case: &mut Case) -> Array2<f64> {
    let shape = case.shape(2, 10);
    case.describe(format!("G {shape:?}"));
    matrix(case, (shape[0], shape[1]))
}

/// For every unit vector u on the shorter side, `‖Xᵀ u‖` lies between the smallest and the largest
/// singular value. Ratios of those of G are at most 10, and there are at most 8: none is below
/// `0.1 / √8 = 0.035` of the norm, from where three steps lead into the band.
fn band(muon: &dyn MuonSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let (m, n) = (case.between(1, 8), case.between(8, 12));
    let values: Array1<f64> = (0..m).map(|_| 0.1 + 0.9 * case.rng.uniform()).collect();
    case.describe(format!("{m} x {n}, singular values {values}"));
    let (left, right) = (orthogonal(case, m), orthogonal(case, n));
    let g = (&left * &values).dot(&right.slice(ndarray::s![.., ..m]).t());
    let x = muon.orthogonalise(&g, 3);
    for _ in 0..10 {
        let mut u = matrix(case, (m, 1));
        u[[0, 0]] += 1.5;
        let length = |v: &Array2<f64>| v.iter().map(|v| v * v).sum::<f64>().sqrt();
        let stretch = length(&x.t().dot(&u)) / length(&u);
        let [low, high] = BAND;
        claim((low..=high).contains(&stretch), || {
            format!("a direction is stretched by {stretch}")
        })?;
    }
    Ok(())
}

fn transposition(muon: &dyn MuonSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let g = draw(case);
    let transposed = muon.orthogonalise(&g.t().to_owned(), 3);
    case.compare("O(Gᵀ)ᵀ", &transposed.t(), &muon.orthogonalise(&g, 3))
}

fn orthogonal_maps(muon: &dyn MuonSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let g = draw(case);
    let (left, right) = (orthogonal(case, g.nrows()), orthogonal(case, g.ncols()));
    let mapped = muon.orthogonalise(&left.dot(&g).dot(&right), 3);
    let expected = left.dot(&muon.orthogonalise(&g, 3)).dot(&right);
    case.compare("O(P G Q)", &mapped, &expected)
}

/// With a norm above 1e6, what is added to the norm is below 1e-13 of it.
fn scale(muon: &dyn MuonSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let mut g = draw(case);
    g[[0, 0]] += 1.5;
    let factor = 10.0_f64.powi(case.between(0, 12) as i32);
    let large = &g * 1e7;
    let scaled = muon.orthogonalise(&(&large * factor), 3);
    case.compare("O(α G)", &scaled, &muon.orthogonalise(&large, 3))
}

fn norm(muon: &dyn MuonSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let shape = [case.between(2, 3), case.between(1, 3), case.between(1, 3), case.between(1, 5)];
    case.describe(format!("W {shape:?}"));
    let mut muon = muon.build(MuonConfig::default())?;
    let (start, g) = (case.array(&shape) * 3.0, case.array(&shape));
    let mut w = start.clone();
    muon.update("W", &mut w, &g, Step { lr: 0.0, decays: true })?;
    let length = |w: &ArrayD<f64>| w.iter().map(|w| w * w).sum::<f64>().sqrt();
    case.compare("W", &w, &(&start * ((shape[3] as f64).sqrt() / length(&start))))?;
    case.compare_numbers("‖W‖", length(&w), (shape[3] as f64).sqrt());
    Ok(())
}

fn zero(muon: &dyn MuonSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let shape = [case.between(2, 5), case.between(1, 5)];
    case.describe(format!("W {shape:?}"));
    let zero = ArrayD::zeros(IxDyn(&shape));
    let none = Array2::zeros((shape[0], shape[1]));
    same_bits("O(0)", &muon.orthogonalise(&none, 3), &none)?;
    let mut w = zero.clone();
    muon.build(MuonConfig::default())?.update(
        "W",
        &mut w,
        &zero,
        Step { lr: 0.5, decays: true },
    )?;
    claim(w == zero, || format!("a weight 0 without a gradient became {w}"))
}

fn nan(muon: &dyn MuonSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let mut g = draw(case);
    let (i, j) = (case.between(0, g.nrows() - 1), case.between(0, g.ncols() - 1));
    g[[i, j]] = [f64::NAN, f64::INFINITY][case.between(0, 1)];
    let x = muon.orthogonalise(&g, 3);
    claim(x.iter().all(|x| x.is_nan()), || format!("{g} became {x}"))
}

fn vectors(muon: &dyn MuonSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let n = case.between(1, 6);
    for shape in [vec![n], vec![1, n], vec![1, 1, 1, n]] {
        let mut p = case.array(&shape);
        let (before, g) = (p.clone(), case.array(&shape));
        let mut muon = muon.build(MuonConfig::default())?;
        let result = muon.update("b", &mut p, &g, Step { lr: 0.1, decays: false });
        claim(result.is_err(), || format!("a parameter of shape {shape:?} was accepted"))?;
        same_bits("b", &p, &before)?;
    }
    Ok(())
}

fn hyperparameters(muon: &dyn MuonSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let momentum = [-0.1, 1.0, f64::NAN][case.between(0, 2)];
    let valid = MuonConfig::default();
    for config in [MuonConfig { momentum, ..valid }, MuonConfig { newton_schulz_steps: 0, ..valid }]
    {
        claim(muon.build(config).is_err(), || format!("{config:?} was accepted"))?;
    }
    Ok(())
}
