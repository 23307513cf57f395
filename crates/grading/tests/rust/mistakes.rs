//! Mistakes in the solution: each loses the points of the checks that catch it, and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use handin::{GRADED, Unwritten};
use harness::Asked;
use system::for_tests;
use system::println;

use crate::filled_in::{body, graded, hand_in, is_asked, root, solution};

/// A mistake in a graded function: what is replaced in it.
struct Mistake {
    function: &'static str,
    right: &'static str,
    wrong: &'static str,
}

const fn mistake(function: &'static str, right: &'static str, wrong: &'static str) -> Mistake {
    Mistake { function, right, wrong }
}

/// At least one for each function.
const MISTAKES: [Mistake; 34] = [
    mistake("ReLU::value", "z < T::zero()", "z > T::zero()"),
    mistake("ReLU::gradient", "dl_dy * derivative(z)", "derivative(z)"),
    mistake("Sigmoid::value", "{ e / (T::one() + e) }", "{ T::one() / (T::one() + e) }"),
    mistake("Sigmoid::gradient", "* (T::one() + e))", ")"),
    mistake(
        "FullyConnectedConfig::build",
        "[input_shape[0], self.n_out]",
        "[self.n_out, input_shape[0]]",
    ),
    mistake("fully_connected_forward", "matmul(x, w) + b", "matmul(x, w) - b"),
    mistake("fully_connected::backward_data", "matmul(dl_dz, w.t())", "-matmul(dl_dz, w.t())"),
    mistake(
        "fully_connected::backward_weights",
        "matmul(x.t(), dl_dz)",
        "matmul(x.t(), dl_dz) / T::of(x.nrows() as f64)",
    ),
    mistake(
        "fully_connected::backward_bias",
        "dl_dz.sum_axis(Axis(0)).insert_axis(Axis(0))",
        "dl_dz.sum_axis(Axis(0)).insert_axis(Axis(0)) / T::of(dl_dz.nrows() as f64)",
    ),
    mistake(
        "SoftMax::forward",
        "exp.sum_axis(Axis(1)).insert_axis(Axis(1))",
        "Array2::from_elem((z.nrows(), 1), exp.sum())",
    ),
    mistake(
        "SoftMax::forward",
        "(&z - &max.insert_axis(Axis(1)))",
        "(&z - &max.insert_axis(Axis(1)).mapv(|_| T::zero()))",
    ),
    mistake(
        "SoftMax::backward",
        "y * (&dl_dy - &dot)",
        "&y * &(&dl_dy - &dot.mapv(|_| T::zero()))",
    ),
    mistake("CrossEntropy::forward", "-(&target", "(&target"),
    mistake("CrossEntropy::forward", ".sum() / m", ".sum()"),
    mistake("CrossEntropy::backward", "-y / (m * at_least_tiny(p))", "-y / at_least_tiny(p)"),
    mistake("L2::forward", "(T::of(2.0) * m)", "m"),
    mistake("L2::backward", "(&output - &target) / m", "(&target - &output) / m"),
    mistake("NeuralNetwork::forward", "Ok(matrix(out))", "Ok(matrix(out) * T::of(2.0))"),
    mistake("NeuralNetwork::backward", "self.pass(self.first).rev()", "self.pass(self.first)"),
    mistake("NeuralNetwork::infer", "out.replace(y)", "out.replace(y.mapv(|y| y + y))"),
    mistake(
        "NeuralNetwork::predict",
        "Loss::SoftmaxCrossEntropy => Activation::SoftMax.forward(&out)",
        "Loss::SoftmaxCrossEntropy => out.mapv(|y| -y)",
    ),
    mistake("einsum::trace", "\"ii->\"", "\"ij->\""),
    mistake("einsum::matrix_vector", "\"ij,j->i\"", "\"ij,i->j\""),
    mistake("einsum::outer_product", "\"i,j->ij\"", "\"i,j->ji\""),
    mistake("Conv2DConfig::build", "n_in, self.n_out];", "self.n_out, n_in];"),
    mistake(
        "conv2d_forward",
        "by_loops(x, w, b, window)",
        "by_loops(x, w, b.mapv(|b| -b).view(), window)",
    ),
    mistake("conv2d_backward_data", "dl_dz, window).dl_dx", "dl_dz, window).dl_dx * T::of(0.5)"),
    mistake("conv2d_backward_weights", "dl_dz, window).dl_dw", "dl_dz, window).dl_dw.mapv(T::abs)"),
    mistake(
        "conv2d_backward_bias",
        ".insert_axis(Axis(0))",
        ".insert_axis(Axis(0)) / T::of(dl_dz.dim().0 as f64)",
    ),
    mistake(
        "max_pool_forward",
        "let wins = (cell == 0) | (x > *y)",
        "let wins = (cell == 0) | (x < *y)",
    ),
    mistake("max_pool_forward", "(x > *y) | (x.is_nan()", "(x > *y) | (cell == 1) | (x.is_nan()"),
    mistake("max_pool_backward", "if winner == cell { dl_dy }", "if winner != cell { dl_dy }"),
    mistake("average_pool_forward", "*y /= divisor", "*y /= divisor + T::one()"),
    mistake("average_pool_backward", "*dl_dx += dl_dy / divisor", "*dl_dx += dl_dy"),
];

/// The solution with mistakes.
fn with(mistakes: &[&Mistake]) -> BTreeMap<&'static str, String> {
    let mut files = solution();
    for Mistake { function, right, wrong } in mistakes {
        let graded = GRADED.iter().find(|graded| graded.name == *function).expect(function);
        let text = files.get_mut(graded.file).unwrap();
        // Subscripts are constants beside their functions.
        let own = match graded.entry {
            Some(_) => body(text, graded.item).to_owned(),
            None => text.clone(),
        };
        assert_eq!(own.matches(right).count(), 1, "{function}: {right:?} in {own}");
        *text = text.replacen(&own, &own.replace(right, wrong), 1);
    }
    files
}

#[test]
fn there_is_a_mistake_of_each_function_and_the_solution_is_taken_whole() {
    let every: BTreeSet<&str> = MISTAKES.iter().map(|mistake| mistake.function).collect();
    let missing: Vec<_> = GRADED.iter().filter(|graded| !every.contains(graded.name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let folder = for_tests::folder(&[("x", "")]);
    Unwritten::read(&root()).unwrap().write(folder.path()).unwrap();
    let taken = |file: &'static str, text: &str| {
        let clean = fs::read_to_string(folder.path().join(file)).unwrap();
        let items = handin::Taken::new(file, clean, Ok(text)).unwrap().items;
        // Other parts of the solution's files are not those of a starter.
        let mut refused = items.iter().filter_map(|item| item.refused.as_ref());
        let refused = refused.find(|why| !why.ends_with("without changes"));
        assert_eq!(refused, None, "{file}");
    };
    solution().iter().for_each(|(file, text)| taken(file, text));
    for mistake in &MISTAKES {
        assert!(!caught_by(mistake).is_empty(), "nothing under {:?}", heading(mistake));
        let graded = GRADED.iter().find(|graded| graded.name == mistake.function).unwrap();
        taken(graded.file, &with(&[mistake])[graded.file]);
    }
}

/// The checks that catch each mistake, under its heading; the formulas of the chapters say which must.
const CAUGHT_BY: &str = include_str!("caught_by.txt");

/// Of a mistake in `CAUGHT_BY`.
fn heading(mistake: &Mistake) -> String {
    format!("{}: {}", mistake.function, mistake.wrong)
}

fn caught_by(mistake: &Mistake) -> BTreeSet<String> {
    let lines = CAUGHT_BY.lines().skip_while(|line| *line != heading(mistake)).skip(1);
    lines.map_while(|line| line.strip_prefix("  ")).map(str::to_owned).collect()
}

#[test]
fn a_mistake_loses_the_points_of_the_checks_that_catch_it_and_no_others() {
    let test = "a_mistake_loses_the_points_of_the_checks_that_catch_it_and_no_others";
    let every = std::env::var_os("EVERY_MISTAKE").is_some();
    if !is_asked(test, if every { "EVERY_MISTAKE" } else { "EVERY_PROGRAM" }) {
        return;
    }
    let of = |functions: &[&str]| {
        let is_meant = |mistake: &&Mistake| functions.contains(&mistake.function);
        MISTAKES.iter().filter(is_meant).collect::<Vec<_>>()
    };
    let mut sets = vec![("solution".to_owned(), vec![])];
    if every {
        let alone = MISTAKES.iter().enumerate();
        sets.extend(alone.map(|(at, mistake)| (format!("mistake-{at:02}"), vec![mistake])));
    } else {
        // What one breaks, no other mends.
        let kernels = of(&["conv2d_backward_bias", "max_pool_backward", "L2::forward"]);
        let network = of(&["NeuralNetwork::predict", "average_pool_forward"]);
        let softmax = of(&["SoftMax::backward"]);
        let together = [("kernels", kernels), ("network", network), ("softmax", softmax)];
        sets.extend(together.map(|(name, mistakes)| (name.to_owned(), mistakes)));
    }
    let folder = for_tests::folder(&[("x", "")]);
    let class = folder.path().join("class");
    for (name, mistakes) in &sets {
        hand_in(&class.join(name), &with(mistakes));
    }
    // The assignment leaves Sigmoid and L2 to the student.
    let unwritten = folder.path().join("unwritten");
    Unwritten::read(&root()).unwrap().write(&unwritten).unwrap();
    let mut files = solution();
    for file in ["crates/activations/src/sigmoid.rs", "crates/losses/src/l2.rs"] {
        files.insert(file, fs::read_to_string(unwritten.join(file)).unwrap());
    }
    hand_in(&class.join("required"), &files);
    // To wait longer costs nothing, and convolution by loops is slow where other work is done.
    let graded = graded(&class, &["--request-limit", "60", "--time-limit", "3600"]);
    assert_eq!(graded.len(), sets.len() + 1);
    let optional =
        |check: &&Asked| check.level == "assignment" && ["Sigmoid", "L2"].contains(&&*check.class);
    let asked = harness::asked(None).unwrap();
    let optional: BTreeSet<String> =
        asked.iter().filter(optional).map(|check| check.id.clone()).collect();
    let mut wrong = Vec::new();
    if graded["required"].0 != optional {
        wrong.push(format!("required: lost {:?}", graded["required"].0));
    }
    for (name, mistakes) in &sets {
        let (lost, record) = &graded[name];
        let record: serde_json::Value = serde_json::from_str(record).unwrap();
        let remarks = record["verified"]["remarks"].as_array().unwrap();
        // What does not compile is no mistake that a check could catch.
        let is_used =
            |remark: &serde_json::Value| remark.as_str().unwrap().ends_with("without changes");
        assert!(remarks.iter().all(is_used), "{name}: {remarks:?}");
        let expected: BTreeSet<String> =
            mistakes.iter().flat_map(|mistake| caught_by(mistake)).collect();
        let headings: Vec<String> = mistakes.iter().map(|mistake| heading(mistake)).collect();
        println!("{}\n  {}", headings.join("\n"), Vec::from_iter(lost.clone()).join("\n  "));
        if *lost != expected || !mistakes.is_empty() && lost.is_empty() {
            let not: Vec<_> = expected.difference(lost).collect();
            let more: Vec<_> = lost.difference(&expected).collect();
            wrong.push(format!("{name}, {headings:?}: not lost: {not:?}; lost as well: {more:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
