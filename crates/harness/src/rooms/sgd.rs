//! Stochastic gradient descent with momentum of question 5, and its weight decay and Nesterov's form, question 7.

mod oracle;
mod worked;

use std::sync::Arc;

use ndarray::{Array, ArrayD, Dimension, IxDyn};
use numerics::Scalar;
use optim::{OptimError, SgdConfig, Step};

pub(super) use oracle::{Declared, oracle};

use crate::Check;
use crate::cases::{Case, Verdict, claim, same_bits};
use crate::finite_difference::{Evaluation, Problem};
use crate::room::{Checks, PlainRoom, bugs, free_claim, free_formula};
use crate::transcription::array_of;

/// A step of an optimiser for a parameter with this gradient.
pub(super) type Update<T> =
    Box<dyn FnMut(&mut ArrayD<T>, &ArrayD<T>, Step) -> Result<(), OptimError>>;

/// The optimiser under test, at rest.
type Build = dyn Fn(SgdConfig) -> Result<Update<f64>, OptimError> + Send + Sync;

pub(super) static ROOM: PlainRoom<Build> = PlainRoom {
    name: "SgdForTraining",
    question: "7",
    real: || Arc::new(real::<f64>),
    faulty: |bug| Arc::new(move |config| faulty(bug, config)),
    of_program: |_| None,
    checks: |own| {
        let build = Arc::clone(&own.subject);
        own.list.push(oracle("7", "SgdTraining", "sgd_training", move |d| build(d.sgd())));
        formulas(own);
        gradient(own);
        claims(own);
    },
    free_checks,
    bugs: bugs! {
        "decay-of-biases" [Oracle Gradient Formula Property] "weight decay acts on every parameter, biases included"
        "decay-of-nothing" [Oracle Gradient Formula Property] "weight decay is declared and never applied"
        "decay-clipped" [Oracle Formula Property] "the decay is added before the gradient is clipped, and is clipped with it"
        "decay-sign" [Oracle Gradient Formula Property] "the decay is subtracted from the gradient: weights grow"
        "decay-lr-twice" [Oracle Gradient Formula Property] "the decay is multiplied by the learning rate twice"
        "decay-decoupled" [Oracle Formula] "weights shrink beside the momentum, not through it"
        "decay-half" [Oracle Gradient Formula Property] "the decay is λ p / 2: the square was not differentiated"
        "nesterov-old-velocity" [Oracle Formula Property] "the step is μ v + lr g with the old velocity, which is the ordinary momentum"
        "nesterov-velocity-only" [Oracle Formula Property] "the step is μ v alone, without lr g"
        "nesterov-sign" [Oracle Formula Property] "the step is lr g - μ v: it looks back, not ahead"
        "sgd-unchecked" [Property] "a negative decay and Nesterov's form without a momentum are accepted"
    },
    examples: &[
        ("momentum", worked::momentum),
        ("weight-decay", worked::weight_decay),
        ("nesterov", worked::nesterov),
    ],
};

fn real<T: Scalar>(config: SgdConfig) -> Result<Update<T>, OptimError> {
    let mut sgd = config.build::<T>()?;
    Ok(Box::new(move |p, g, step| sgd.update("p", p, g, step)))
}

/// The optimiser in plain products, with a bug or with none.
fn faulty(bug: &'static str, config: SgdConfig) -> Result<Update<f64>, OptimError> {
    if bug != "sgd-unchecked" {
        config.build::<f64>()?;
    }
    let SgdConfig { momentum, nesterov, weight_decay, clip_norm } = config;
    let clipped = move |g: ArrayD<f64>| match clip_norm {
        Some(bound) if norm(&g) > bound => &g * (bound / norm(&g)),
        _ => g,
    };
    let mut velocity = None;
    Ok(Box::new(move |p, gradient, Step { lr, decays }| {
        let decay = match bug {
            "decay-of-biases" => weight_decay,
            "decay-of-nothing" => 0.0,
            _ if !decays => 0.0,
            "decay-sign" => -weight_decay,
            "decay-lr-twice" => lr * weight_decay,
            "decay-half" => weight_decay / 2.0,
            _ => weight_decay,
        };
        let g = match bug {
            "decay-clipped" => clipped(gradient + &*p * decay),
            "decay-decoupled" => clipped(gradient.clone()),
            _ => clipped(gradient.clone()) + &*p * decay,
        };
        if bug == "decay-decoupled" {
            *p *= 1.0 - lr * decay;
        }
        let old = velocity.take().unwrap_or_else(|| ArrayD::zeros(g.raw_dim()));
        let v: ArrayD<f64> = old * momentum + &g * lr;
        *p -= &match bug {
            _ if !nesterov => v.clone(),
            "nesterov-old-velocity" => v.clone(),
            "nesterov-velocity-only" => &v * momentum,
            "nesterov-sign" => &g * lr - &v * momentum,
            _ => &v * momentum + &g * lr,
        };
        velocity = Some(v);
        Ok(())
    }))
}

pub(super) fn norm<D: Dimension>(array: &Array<f64, D>) -> f64 {
    array.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// A dozen steps of numbers below 16, each rounded a few times, and as many velocities summed:
/// `12² · 16 · 4 u = 1.0e-12` at the very most.
const DOZEN_STEPS: f64 = 1e-12;

fn formulas(own: &mut Checks<Build>) {
    own.formula("sgd-weight-decay", DOZEN_STEPS, |build, case| {
        let (shape, config) = draw(case);
        let weight_decay = 0.5 * case.rng.uniform();
        let decays = case.between(0, 3) > 0;
        let config = SgdConfig { weight_decay, ..config };
        case.describe(format!("p {shape:?}, decays {decays}, {config:?}"));
        solved(build(config)?, config, decays, &shape, case)
    });
    // ‖p - lr (g + λ p)‖² = (1 - lr λ)² ‖p‖² + lr² ‖g‖² for g at a right angle to p. Of at most 64 elements each product
    // is below 4: ⟨p, g⟩ is 0 up to `64 · 4 · 64 u = 1.8e-12` at the very most, and half of twice that is in the square.
    own.formula("sgd-orthogonal-norm", 2e-12, |build, case| {
        let axes = case.between(1, 3);
        let (shape, lr) = (case.shape(axes, 4), 0.5 * case.rng.uniform());
        let weight_decay = case.rng.uniform();
        case.describe(format!("p {shape:?}, λ {weight_decay}, lr {lr}"));
        let (start, g) = (case.array(&shape), case.array(&shape));
        let dot =
            |a: &ArrayD<f64>, b: &ArrayD<f64>| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let g = &g - &(&start * (dot(&g, &start) / dot(&start, &start)));
        let sgd = build(SgdConfig { weight_decay, ..SgdConfig::default() })?;
        let p = moved(sgd, &start, 1, weight(lr), |_| g.clone())?;
        let expected =
            (1.0 - lr * weight_decay).powi(2) * dot(&start, &start) + lr * lr * dot(&g, &g);
        case.compare_numbers("‖p‖²", dot(&p, &p), expected);
        Ok(())
    });
    // The look-ahead form: v ← μ v + lr ∇L(θ - μ v), θ ← θ - v, where θ - μ v is the parameter of the
    // optimiser. L is Σ aᵢ (pᵢ - qᵢ)²/2, to which the decay adds λ/2 Σ pᵢ².
    own.formula("sgd-nesterov", DOZEN_STEPS, |build, case| {
        let shape = case.shape(2, 4);
        let momentum = case.one_of(&[0.25, 0.5, 0.9]);
        let weight_decay = case.one_of(&[0.0, 0.25]);
        let config = SgdConfig { momentum, nesterov: true, weight_decay, clip_norm: None };
        case.describe(format!("p {shape:?}, {config:?}"));
        let curvature = case.array(&shape) + 1.0;
        let target = case.array(&shape);
        let slope = |p: &ArrayD<f64>| &curvature * &(p - &target);
        let mut sgd = build(config)?;
        let mut parameter = case.array(&shape);
        let (mut theta, mut v) = (parameter.clone(), ArrayD::zeros(parameter.raw_dim()));
        for step in 1..=12 {
            let lr = 0.1 + 0.3 * case.rng.uniform();
            let g = slope(&parameter);
            sgd(&mut parameter, &g, Step { lr, decays: true })?;
            let ahead = &theta - &v * momentum;
            v = v * momentum + (slope(&ahead) + &ahead * weight_decay) * lr;
            theta -= &v;
            let expected = &theta - &v * momentum;
            case.compare(&format!("p after {step} steps"), &parameter, &expected)?;
        }
        Ok(())
    });
}

/// The shape of a parameter, and a momentum and a bound for its gradients.
fn draw(case: &mut Case) -> (Vec<usize>, SgdConfig) {
    let axes = case.between(1, 3);
    let shape = case.shape(axes, 4);
    let momentum = case.one_of(&[0.0, 0.5, 0.9]);
    let clip_norm = case.one_of(&[None, Some(0.5)]);
    (shape, SgdConfig { momentum, clip_norm, ..SgdConfig::default() })
}

/// `pₜ₊₁ = p₀ - Σ_s≤t v_s` and `vₜ = Σ_s≤t μ^(t-s) lr_s (c_s g_s + λ p_s)` with `c_s = min(1, c/‖g_s‖)`: the
/// recurrence solved, so that no velocity is carried. Of what is no weight λ is 0.
fn solved(
    mut sgd: Update<f64>,
    config: SgdConfig,
    decays: bool,
    shape: &[usize],
    case: &mut Case,
) -> Verdict {
    let decay = if decays { config.weight_decay } else { 0.0 };
    let mut parameter = case.array(shape);
    let mut expected = vec![parameter.clone()];
    // lr_s (c_s g_s + λ p_s).
    let mut pushes: Vec<ArrayD<f64>> = Vec::new();
    for t in 0..12 {
        let lr = 0.1 + 0.4 * case.rng.uniform();
        let g = case.array(shape);
        sgd(&mut parameter, &g, Step { lr, decays })?;
        let clipping = config.clip_norm.map_or(1.0, |bound| f64::min(1.0, bound / norm(&g)));
        pushes.push((&g * clipping + &expected[t] * decay) * lr);
        let mut p = expected[0].clone();
        for end in 0..=t {
            for (s, push) in pushes[..=end].iter().enumerate() {
                p = p - push * config.momentum.powi((end - s) as i32);
            }
        }
        case.compare(&format!("p after {} steps", t + 1), &parameter, &p)?;
        expected.push(p);
    }
    Ok(())
}

/// Where an optimiser moves a parameter in so many steps, with the gradient at each place.
fn moved(
    mut sgd: Update<f64>,
    start: &ArrayD<f64>,
    steps: usize,
    step: Step,
    gradient: impl Fn(&ArrayD<f64>) -> ArrayD<f64>,
) -> Result<ArrayD<f64>, OptimError> {
    let mut p = start.clone();
    for _ in 0..steps {
        let g = gradient(&p);
        sgd(&mut p, &g, step)?;
    }
    Ok(p)
}

/// A step of a weight.
fn weight(lr: f64) -> Step {
    Step { lr, decays: true }
}

/// One step without momentum goes down the gradient of the loss `Σ sin p` and, for a weight, of its L2 term
/// `λ/2 Σ p²`. The gradient under test is the way that it went, divided by the rate, which is a power of 2.
fn gradient(own: &mut Checks<Build>) {
    const LR: f64 = 0.25;
    own.gradient("7", "WeightDecay", 3, |build, case| {
        let drawn = (case.shape(2, 5), case.rng.uniform(), case.between(0, 1) == 1);
        let pinned = [(vec![2, 3], 0.0, true), (vec![2, 3], 0.5, true), (vec![1, 3], 0.5, false)];
        let (shape, weight_decay, decays) =
            case.pinned().map_or(drawn, |number| pinned[number].clone());
        case.describe(format!("p {shape:?}, λ {weight_decay}, decays {decays}"));
        let value = case.array(&shape) * 2.0;
        let sgd = build(SgdConfig { weight_decay, ..SgdConfig::default() })?;
        let p = moved(sgd, &value, 1, Step { lr: LR, decays }, |p| p.mapv(f64::cos))?;
        let decay = if decays { weight_decay } else { 0.0 };
        let evaluate = move |p: &ArrayD<f64>| Evaluation {
            terms: p.iter().map(|&p| p.sin() + decay / 2.0 * p * p).collect(),
            piece: vec![],
        };
        let analytic = (&value - &p) / LR;
        Ok(Problem::of_one("W", value, analytic, 0.0, evaluate))
    });
}

/// A few dozen steps of numbers below 16, each rounded a few times.
const DOZENS_OF_STEPS: f64 = 1e-12;

fn claims(own: &mut Checks<Build>) {
    own.exactly("what_is_no_weight_does_not_decay", |build, case| {
        let (weight_decay, momentum) = (0.1 + case.rng.uniform(), 0.9 * case.rng.uniform());
        let nesterov = momentum > 0.0 && case.between(0, 1) == 1;
        let without = SgdConfig { momentum, nesterov, ..SgdConfig::default() };
        let with = SgdConfig { weight_decay, ..without };
        case.describe(format!("{with:?}"));
        let (start, g) = (case.array(&[4]), case.array(&[4]));
        let moved =
            |config| moved(build(config)?, &start, 5, Step { lr: 0.1, decays: false }, |p| p + &g);
        same_bits("b", &moved(with)?, &moved(without)?)
    });
    // pₙ = (1 - lr λ)ⁿ p₀.
    let name = "without_a_gradient_a_weight_shrinks_by_its_factor";
    own.within(DOZENS_OF_STEPS, name, |build, case| {
        let (weight_decay, lr) = (case.rng.uniform(), 0.1 + 0.5 * case.rng.uniform());
        case.describe(format!("λ {weight_decay}, lr {lr}"));
        let sgd = build(SgdConfig { weight_decay, ..SgdConfig::default() })?;
        let start = case.array(&[5]);
        let p = moved(sgd, &start, 30, weight(lr), |p| p * 0.0)?;
        case.compare("p", &p, &(start * (1.0 - lr * weight_decay).powi(30)))
    });
    // With a bound, what the decay takes is the same as without: lr λ p.
    own.within(DOZENS_OF_STEPS, "the_decay_is_not_clipped", |build, case| {
        let (weight_decay, lr) = (0.1 + case.rng.uniform(), 0.1 + case.rng.uniform());
        let clip_norm = Some(0.01);
        case.describe(format!("λ {weight_decay}, lr {lr}, a bound of 0.01"));
        let (start, g) = (case.array(&[6]) * 4.0, case.array(&[6]));
        let step = |weight_decay| {
            let sgd = build(SgdConfig { weight_decay, clip_norm, ..SgdConfig::default() })?;
            moved(sgd, &start, 1, weight(lr), |_| g.clone())
        };
        let taken = step(0.0)? - step(weight_decay)?;
        case.compare("what the decay takes", &taken, &(&start * (lr * weight_decay)))
    });
    // At rest, v = lr g, and the step is μ v + lr g.
    let name = "the_first_step_of_nesterov_is_longer_by_the_momentum";
    own.within(DOZENS_OF_STEPS, name, |build, case| {
        let (momentum, lr) = (0.1 + 0.8 * case.rng.uniform(), 0.1 + case.rng.uniform());
        case.describe(format!("momentum {momentum}, lr {lr}"));
        let sgd = build(SgdConfig { momentum, nesterov: true, ..SgdConfig::default() })?;
        let (start, g) = (case.array(&[4]), case.array(&[4]));
        let p = moved(sgd, &start, 1, weight(lr), |_| g.clone())?;
        case.compare("the step", &(start - p), &(g * (lr * (1.0 + momentum))))
    });
    own.exactly("nesterov_needs_a_momentum", |build, _| {
        refused(build, SgdConfig { nesterov: true, ..SgdConfig::default() })
    });
    own.exactly("a_decay_below_zero_is_refused", |build, case| {
        let weight_decay = case.one_of(&[-0.5, f64::NAN, f64::INFINITY]);
        refused(build, SgdConfig { weight_decay, ..SgdConfig::default() })
    });
}

fn refused(build: &Build, config: SgdConfig) -> Verdict {
    claim(build(config).is_err(), || format!("{config:?} was accepted"))
}

/// Checks of the optimiser that users run: in `f32`, and of what question 5 asks of it.
fn free_checks() -> Vec<Check> {
    let rest = SgdConfig::default();
    let group = "properties.Sgd";
    vec![
        oracle::<f32>("7", "SgdTraining", "sgd_training", |d| real(d.sgd())).of(ROOM.name),
        oracle::<f64>("5", "Sgd", "sgd", |d| real(d.sgd())),
        oracle::<f32>("5", "Sgd", "sgd", |d| real(d.sgd())),
        // θ ← θ - η ∂L/∂θ: a product, a sum and a difference of magnitude below 4.
        free_formula("5", "gradient-descent", 2e-15, move |case| {
            let axes = case.between(1, 3);
            let shape = case.shape(axes, 4);
            case.describe(format!("θ {shape:?}"));
            let (theta, gradient, lr) =
                (case.array(&shape), case.array(&shape), case.rng.uniform());
            let moved = moved(real(rest)?, &theta, 1, weight(lr), |_| gradient.clone())?;
            let expected = array_of(IxDyn(&shape), |at| theta[&at] - lr * gradient[&at]);
            case.compare("θ", &moved, &expected)
        }),
        // As with a decay of 0. In a dozen steps the velocity's error is below 12 u · 10 for numbers below 10, that of
        // the parameter, which sums the velocities, 12 times as much: 1.6e-13.
        free_formula("5", "sgd-momentum", 2e-13, move |case| {
            let (shape, config) = draw(case);
            case.describe(format!("p {shape:?}, {config:?}"));
            solved(real(config)?, config, true, &shape, case)
        }),
        // On L = λ p² / 2, whose gradient is λ p, a step without momentum multiplies p by 1 - lr λ. Each of 200
        // steps is rounded by less than 2 u of numbers below 10.
        free_claim(20, 1e-12, group, "a_quadratic_shrinks_by_its_factor", move |case| {
            let (lr, curvature) = (0.5 * case.rng.uniform(), 1.0 + case.rng.uniform());
            let n = case.between(1, 6);
            case.describe(format!("lr {lr}, λ {curvature}, {n} parameters"));
            let start = case.array(&[n]);
            let p = moved(real(rest)?, &start, 200, weight(lr), |p| p * curvature)?;
            case.compare("p", &p, &(start * (1.0 - lr * curvature).powi(200)))
        }),
        // Under a constant gradient the velocity grows to lr g / (1 - μ): 0.9⁴⁰⁰ is below 1e-18.
        free_claim(20, 1e-12, group, "momentum_multiplies_the_step", move |case| {
            let momentum = 0.9 * case.rng.uniform();
            case.describe(format!("momentum {momentum}"));
            let gradient = case.array(&[3]);
            let after = |steps| {
                let sgd = real(SgdConfig { momentum, ..rest })?;
                moved(sgd, &ArrayD::zeros(vec![3]), steps, weight(0.01), |_| gradient.clone())
            };
            let step = after(400)? - after(401)?;
            case.compare("the last step", &step, &(&gradient * 0.01 / (1.0 - momentum)))
        }),
        // A clipped step has the bound's length and the gradient's direction; a short one is left alone.
        free_claim(20, 1e-12, group, "clipping_keeps_the_direction", move |case| {
            let bound = 0.5 + case.rng.uniform();
            let shape = case.shape(2, 5);
            case.describe(format!("bound {bound}, gradient {shape:?}"));
            let gradient = case.array(&shape) * 4.0;
            let sgd = real(SgdConfig { clip_norm: Some(bound), ..rest })?;
            let p = moved(sgd, &ArrayD::zeros(shape), 1, weight(1.0), |_| gradient.clone())?;
            let length = norm(&gradient);
            case.compare_numbers("‖step‖", norm(&p), length.min(bound));
            case.compare("step / ‖step‖", &(-&p / norm(&p)), &(gradient / length))
        }),
    ]
}
