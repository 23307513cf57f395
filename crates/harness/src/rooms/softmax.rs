//! Softmax: question 4.3. Rows are distributions, and only differences of logits matter.

use activations::{Activation, SoftMax};
use ndarray::{
    Array, Array2, ArrayD, ArrayView1, ArrayViewD, Axis, IxDyn, RemoveAxis, arr1, array,
    concatenate,
};

use crate::activation::{ActivationRoom, ActivationSubject};
use crate::cases::{Case, Failure, claim, same_bits};
use crate::loss::rows_of_one;
use crate::room::{Checks, bugs};
use crate::transcription::{array_of, einsum, sum};
use crate::worked::Example;

type Own = Checks<ActivationSubject<f64>>;

pub(super) static ROOM: ActivationRoom = ActivationRoom {
    activation: Activation::SoftMax,
    name: "SoftMax",
    question: "4.3",
    fixture: "Activations",
    checks: |own| {
        formulas(own);
        claims(own);
    },
    bugs: bugs! {
        "softmax-no-shift" [Property] "forward does not subtract the row maximum and overflows"
        "softmax-one-maximum" [Property] "one maximum is subtracted from the whole batch, so that rows far below it underflow"
        "softmax-row-sum" [Property] "the row's sum is subtracted instead of its maximum, and forward overflows"
        "softmax-epsilon" [Course Formula Property] "1e-9 is added to the denominator"
        "softmax-axis" [Course Gradient Formula Property] "forward normalises over the examples instead of the classes"
        "softmax-diagonal" [Course Gradient Formula] "backward uses only the diagonal of the Jacobian"
        "softmax-whole-batch" [Course Gradient Formula] "backward takes the dot product over the whole batch instead of each row"
    },
    faulty: |bug| match bug {
        "softmax-no-shift" => (|z| along(z, Axis(z.ndim() - 1), |_, _| 0.0, 0.0), backward),
        "softmax-one-maximum" => {
            (|z| along(z, Axis(z.ndim() - 1), |z, _| largest(z.view()), 0.0), backward)
        }
        "softmax-row-sum" => (|z| along(z, Axis(z.ndim() - 1), |_, row| row.sum(), 0.0), backward),
        "softmax-epsilon" => {
            (|z| along(z, Axis(z.ndim() - 1), |_, row| largest(row.into_dyn()), 1e-9), backward)
        }
        "softmax-axis" => (|z| along(z, Axis(0), |_, row| largest(row.into_dyn()), 0.0), backward),
        "softmax-diagonal" => (forward, |z, dl_dy| {
            let y = forward(z);
            dl_dy * &y * &y.mapv(|y| 1.0 - y)
        }),
        "softmax-whole-batch" => (forward, |z, dl_dy| {
            let y = forward(z);
            let dot = (dl_dy * &y).sum();
            &y * &(dl_dy - dot)
        }),
        _ => (forward, backward),
    },
    examples: &[("softmax", example)],
};

/// Of the logits and a row of them, what is subtracted from the row.
type Shift = fn(&ArrayD<f64>, ArrayView1<'_, f64>) -> f64;

fn along(z: &ArrayD<f64>, axis: Axis, shift: Shift, epsilon: f64) -> ArrayD<f64> {
    let mut y = z.clone();
    for mut row in y.lanes_mut(axis) {
        let shift = shift(z, row.view());
        row.mapv_inplace(|z| (z - shift).exp());
        let sum = row.sum() + epsilon;
        row.mapv_inplace(|e| e / sum);
    }
    y
}

fn largest(logits: ArrayViewD<'_, f64>) -> f64 {
    logits.fold(f64::NEG_INFINITY, |a, &z| a.max(z))
}

fn forward(z: &ArrayD<f64>) -> ArrayD<f64> {
    along(z, Axis(z.ndim() - 1), |_, row| largest(row.into_dyn()), 0.0)
}

fn backward(z: &ArrayD<f64>, dl_dy: &ArrayD<f64>) -> ArrayD<f64> {
    let y = forward(z);
    let last = Axis(z.ndim() - 1);
    let dot = (dl_dy * &y).sum_axis(last).insert_axis(last);
    y * (dl_dy - &dot)
}

/// Rows have at most 6 elements of magnitude at most 1, and the exponential of a logit in `[-3, 3)` is
/// good to 1.1e-16 of itself: a row's sum, a quotient and the sum of a row's products stay below
/// `4 · 6 · 1.1e-16 = 2.7e-15` each.
const FORMULA: f64 = 1e-14;

fn formulas(own: &mut Own) {
    // σᵢ = e^sᵢ / Σⱼ e^sⱼ of a single row, without a shift.
    own.formula("softmax-plain", FORMULA, |subject, case| {
        let k = case.between(1, 6);
        case.describe(format!("a row of {k}"));
        let s = case.array(&[k]) * 3.0;
        let sigma = array_of(IxDyn(&[k]), |i| s[&i].exp() / sum(k, |j| s[[j]].exp()));
        case.compare("σ", &(subject.forward)(&s), &sigma)
    });
    // Y[n, i] = e^(S[n, i] - cₙ) / Σⱼ e^(S[n, j] - cₙ) with cₙ = maxⱼ S[n, j], on each row of the last axis.
    own.formula("softmax-forward", FORMULA, |subject, case| {
        let axes = case.between(1, 4);
        let shape = case.shape(axes, 6);
        case.describe(format!("Z {shape:?}"));
        let z = case.array(&shape) * 3.0;
        case.compare("Y", &(subject.forward)(&z), &literal(&z))
    });
    // ∂σᵢ/∂sⱼ = σᵢ (δᵢⱼ - σⱼ), formed for a single row. Backward multiplies a row vector by it, so an upstream
    // gradient of 1 at i and 0 elsewhere gives its row i.
    own.formula("softmax-jacobian", FORMULA, |subject, case| {
        let k = case.between(1, 6);
        case.describe(format!("a row of {k}"));
        let z = case.array(&[1, k]) * 3.0;
        let sigma = literal(&z);
        let jacobian = array_of((k, k), |(i, j)| {
            let delta = if i == j { 1.0 } else { 0.0 };
            sigma[[0, i]] * (delta - sigma[[0, j]])
        });
        for i in 0..k {
            let unit = array_of(z.raw_dim(), |at| if at[1] == i { 1.0 } else { 0.0 });
            let row = jacobian.row(i).insert_axis(Axis(0)).to_owned().into_dyn();
            case.compare("a row of the Jacobian ", &(subject.backward)(&z, &unit)?, &row)?;
        }
        let dl_dy = case.array(&[1, k]);
        let dl_dz = einsum("mi,ij->mj", &[&dl_dy, &jacobian.into_dyn()])?;
        case.compare("dL/dZ", &(subject.backward)(&z, &dl_dy)?, &dl_dz)
    });
    // dL/dZ = Y ⊙ (dL/dY - rowsum(dL/dY ⊙ Y)), for all rows at once.
    own.formula("softmax-backward", FORMULA, |subject, case| {
        let shape = case.shape(2, 6);
        case.describe(format!("Z {shape:?}"));
        let z = case.array(&shape) * 3.0;
        let dl_dy = case.array(&shape);
        let y = literal(&z);
        let dot = einsum("mi,mi->m", &[&dl_dy, &y])?;
        let ones = ArrayD::ones(IxDyn(&shape));
        let dl_dz =
            einsum("mi,mi->mi", &[&y, &dl_dy])? - einsum("mi,m,mi->mi", &[&y, &dot, &ones])?;
        case.compare("dL/dZ", &(subject.backward)(&z, &dl_dy)?, &dl_dz)
    });
}

/// The second formula.
fn literal(s: &ArrayD<f64>) -> ArrayD<f64> {
    let last = s.ndim() - 1;
    array_of(s.raw_dim(), |index| {
        let logit = |j| {
            let mut row = index.clone();
            row[last] = j;
            s[&row]
        };
        let k = s.shape()[last];
        let largest = (0..k).map(logit).fold(f64::NEG_INFINITY, f64::max);
        (s[&index] - largest).exp() / sum(k, |j| (logit(j) - largest).exp())
    })
}

/// A row of 6 numbers that are at most 1, each good to a few roundings, and their sum: `6 · 6 u`.
const ROW: f64 = 4e-15;

fn claims(own: &mut Own) {
    own.within(ROW, "rows_are_distributions", |subject, case| {
        let y = (subject.forward)(&draw(case));
        claim(y.iter().all(|p| (0.0..=1.0).contains(p)), || format!("not in 0..=1: {y}"))?;
        let sums = y.sum_axis(Axis(1));
        case.compare("the sum of row", &sums, &ArrayD::ones(sums.raw_dim()))
    });
    // softmax(Z + s) = softmax(Z), and the same gradient, for a shift of each row.
    own.within(ROW, "a_shift_changes_nothing", |subject, case| {
        let z = draw(case);
        let dl_dy = case.array(z.shape());
        let shift = ArrayD::from_shape_simple_fn(IxDyn(&[z.shape()[0], 1]), || {
            case.rng.below(201) as f64 - 100.0
        });
        let shifted = &z + &shift;
        case.compare("Y", &(subject.forward)(&shifted), &(subject.forward)(&z))?;
        let dl_dz = (subject.backward)(&z, &dl_dy)?;
        case.compare("dL/dZ", &(subject.backward)(&shifted, &dl_dy)?, &dl_dz)
    });
    // Logits around ±1e4, whose exponentials overflow or vanish, against the formula for what is left when
    // 1e4 is subtracted; and two logits 2e4 apart.
    own.within(ROW, "huge_logits_are_exact", |subject, case| {
        let z = draw(case);
        let expected = rows_of_one(z.mapv(f64::exp));
        for shift in [1e4, -1e4] {
            let y = (subject.forward)(&(&z + shift));
            case.compare(&format!("softmax(Z + {shift:e})"), &y, &expected)?;
        }
        let far_apart = arr1(&[1e4, -1e4, 0.0, 1e4]).into_dyn();
        let y = (subject.forward)(&far_apart);
        same_bits("softmax(1e4, -1e4, 0, 1e4)", &y, &arr1(&[0.5, 0.0, 0.0, 0.5]).into_dyn())?;
        let dl_dz = (subject.backward)(&far_apart, &arr1(&[4.0, 7.0, 7.0, 0.0]).into_dyn())?;
        case.compare("dL/dZ", &dl_dz, &arr1(&[1.0, 0.0, 0.0, -1.0]).into_dyn())
    });
    // A class whose logits are -∞ has probability and gradient 0, and the others are as without it.
    own.within(ROW, "a_logit_of_minus_infinity_is_no_class", |subject, case| {
        let z = draw(case);
        let dl_dy = case.array(z.shape());
        let class = case.between(0, z.shape()[1]);
        case.describe(format!("a class {class} of -∞"));
        let y = with_class(&(subject.forward)(&z), class, 0.0)?;
        let dl_dz = with_class(&(subject.backward)(&z, &dl_dy)?, class, 0.0)?;
        let z = with_class(&z, class, f64::NEG_INFINITY)?;
        case.compare("Y", &(subject.forward)(&z), &y)?;
        let got = (subject.backward)(&z, &with_class(&dl_dy, class, 1.0)?)?;
        case.compare("dL/dZ", &got, &dl_dz)
    });
    own.within(ROW, "classes_are_interchangeable", |subject, case| {
        let z = draw(case);
        let dl_dy = case.array(z.shape());
        let order = case.permutation(z.shape()[1]);
        let permuted = |array: &ArrayD<f64>| array.select(Axis(1), &order);
        case.compare("Y", &(subject.forward)(&permuted(&z)), &permuted(&(subject.forward)(&z)))?;
        let expected = permuted(&(subject.backward)(&z, &dl_dy)?);
        case.compare("dL/dZ", &(subject.backward)(&permuted(&z), &permuted(&dl_dy))?, &expected)
    });
    // A shift of a row's logits changes nothing, so the slopes along it sum to 0.
    own.within(ROW, "gradients_of_a_row_sum_to_zero", |subject, case| {
        let z = draw(case);
        let sums = (subject.backward)(&z, &case.array(z.shape()))?.sum_axis(Axis(1));
        case.compare("the sum of dL/dZ of row", &sums, &ArrayD::zeros(sums.raw_dim()))
    });
    // ∂σᵢ/∂zⱼ = ∂σⱼ/∂zᵢ: ⟨J u, v⟩ = ⟨u, J v⟩.
    own.within(ROW, "the_jacobian_is_symmetric", |subject, case| {
        let k = case.between(2, 6);
        case.describe(format!("a row of {k}"));
        let z = case.array(&[1, k]) * 4.0;
        let (u, v) = (case.array(&[1, k]), case.array(&[1, k]));
        let (ju, jv) = ((subject.backward)(&z, &u)?, (subject.backward)(&z, &v)?);
        case.compare_numbers("⟨J u, v⟩", (ju * v).sum(), (u * jv).sum());
        Ok(())
    });
    // An array of several axes is a stack of rows.
    own.exactly("only_the_last_axis_is_normalised", |subject, case| {
        let shape = case.shape(4, 4);
        case.describe(format!("Z {shape:?}"));
        let (z, dl_dy) = (case.array(&shape), case.array(&shape));
        let (m, k) = (z.len() / shape[3], shape[3]);
        let rows = |array: ArrayD<f64>| array.into_shape_with_order(vec![m, k]);
        let (y, dl_dz) = ((subject.forward)(&z), (subject.backward)(&z, &dl_dy)?);
        let (z, dl_dy) = (rows(z)?, rows(dl_dy)?);
        same_bits("Y", &rows(y)?, &(subject.forward)(&z))?;
        same_bits("dL/dZ", &rows(dl_dz)?, &(subject.backward)(&z, &dl_dy)?)
    });
    own.exactly("nan_stays_in_its_row", |subject, case| {
        let (m, k) = (case.between(2, 6), case.between(1, 6));
        let (row, class) = (case.between(0, m - 1), case.between(0, k - 1));
        case.describe(format!("Z [{m}, {k}], NaN at [{row}, {class}]"));
        let clean = case.array(&[m, k]);
        let mut z = clean.clone();
        z[[row, class]] = f64::NAN;
        let (y, expected) = ((subject.forward)(&z), (subject.forward)(&clean));
        for (i, (y, expected)) in y.outer_iter().zip(expected.outer_iter()).enumerate() {
            if i == row {
                claim(y.iter().all(|p| p.is_nan()), || format!("the row with NaN became {y}"))?;
            } else {
                same_bits(&format!("row {i} of Y "), &y, &expected)?;
            }
        }
        Ok(())
    });
}

/// Rows of up to 6 logits, multiples of 1/64 in `[-8, 8)`, so that adding a whole number is exact.
fn draw(case: &mut Case) -> ArrayD<f64> {
    let shape = case.shape(2, 6);
    case.describe(format!("Z {shape:?}"));
    (case.array(&shape) * 512.0).mapv(f64::floor) / 64.0
}

/// The rows with one more class at this index, of this value.
pub(super) fn with_class<D: RemoveAxis>(
    rows: &Array<f64, D>,
    class: usize,
    value: f64,
) -> Result<Array<f64, D>, Failure> {
    let (left, right) = rows.view().split_at(Axis(1), class);
    let column = rows.slice_axis(Axis(1), (..1).into()).mapv(|_| value);
    Ok(concatenate(Axis(1), &[left, column.view(), right])?)
}

/// Logits that are logarithms, so that the exponentials are whole numbers.
fn example(example: &mut Example<'_>) {
    let exponentials = array![[1.0, 2.0, 5.0]];
    let s = exponentials.mapv(f64::ln);
    let g = array![[0.0, 0.0, 8.0]];
    let backward = |g: &Array2<f64>| SoftMax::backward(&s, g);
    // Row i of the Jacobian is what backward makes of the upstream gradient that is 1 at i.
    let mut jacobian = Array2::zeros((3, 3));
    for (unit, mut row) in Array2::<f64>::eye(3).rows().into_iter().zip(jacobian.rows_mut()) {
        row.assign(&backward(&unit.to_owned().insert_axis(Axis(0))).row(0));
    }
    let (y, ds) = (SoftMax::forward(&s), backward(&g));
    example.number("weighted-mean", (&g * &y).sum());
    example.number("sum-of-ds", ds.sum());
    example.number("sum-of-exponentials", exponentials.sum());
    example.array("exponentials", &exponentials.row(0));
    example.array("s", &s.row(0));
    example.array("y", &y.row(0));
    example.array("g", &g.row(0));
    example.array("ds", &ds.row(0));
    example.array("jacobian-times-64", &jacobian.mapv(|slope| 64.0 * slope));
    example.array("jacobian", &jacobian);
}
