//! Starters that are filled in: with the solution, with mistakes, and with attempts to cheat.
//!
//! What syntax refuses is tried in `crates/handin`; here are the rest, all of which have to be compiled.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod machine;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use handin::{GRADED, Unwritten, graded_files};
use system::for_tests::{self, write};
use system::println;

/// Points of each class that functions to be written are in.
const CLASSES: [&str; 9] = [
    "ReLU",
    "Sigmoid",
    "FullyConnected",
    "SoftMax",
    "CrossEntropy",
    "L2",
    "NeuralNetwork",
    "Conv2D",
    "Pool2D",
];

/// Convolution by loops, as a starter has no other: from the reference version.
const CONVOLUTION: [(&str, &str); 4] = [
    ("conv2d_forward", "by_loops(x, w, b, window)"),
    (
        "conv2d_backward_data",
        "let x = Array4::zeros((dl_dz.dim().0, window.input.0, window.input.1, w.dim().2));
    back_by_loops(x.view(), w, dl_dz, window).dl_dx",
    ),
    (
        "conv2d_backward_weights",
        "let w = Array4::zeros((window.kernel.0, window.kernel.1, x.dim().3, dl_dz.dim().3));
    back_by_loops(x, w.view(), dl_dz, window).dl_dw",
    ),
    (
        "conv2d_backward_bias",
        "dl_dz.sum_axis(Axis(0)).sum_axis(Axis(0)).sum_axis(Axis(0)).insert_axis(Axis(0))",
    ),
];

fn root() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

/// The body of a function, from its brace to the last one.
fn body<'a>(text: &'a str, item: &str) -> &'a str {
    let (owner, name) = item.rsplit_once("::").unwrap_or(("", item));
    let (block, indent) = match owner {
        "" => (0, ""),
        owner => (
            text.find(&format!("impl {owner} {{"))
                .or(text.find(&format!("> {owner} {{")))
                .or(text.find(&format!("> {owner}<T> {{")))
                .expect(item),
            "    ",
        ),
    };
    let heads = ["", "pub ", "pub(crate) "].map(|public| format!("\n{indent}{public}fn {name}"));
    let is_head = |at: &usize| text[*at..].starts_with(['<', '(']);
    let start = heads.iter().filter_map(|head| {
        let found = text[block..].match_indices(head).map(|(at, head)| block + at + head.len());
        found.clone().find(is_head)
    });
    let start = start.min().expect(item);
    let open = start + text[start..].find(" {\n").expect(item) + 1;
    let end = format!("\n{indent}}}\n");
    let close = open + text[open..].find(&end).expect(item);
    &text[open..close + end.len() - 1]
}

/// The files with graded functions, as the solution has them.
fn solution() -> BTreeMap<&'static str, String> {
    let read = |file: &str| fs::read_to_string(root().join(file)).unwrap();
    let mut files: BTreeMap<_, _> = graded_files().iter().map(|file| (*file, read(file))).collect();
    let convolution = files.get_mut("crates/cnn/src/conv2d_algorithm.rs").unwrap();
    for (name, new) in CONVOLUTION {
        let old = body(convolution, name).to_owned();
        *convolution = convolution.replacen(&old, &format!("{{\n    {new}\n}}"), 1);
    }
    // Of what is gone.
    let gone = convolution.find("use crate::winograd::POINTS;").unwrap();
    let end = convolution[gone..].find("};").unwrap() + gone + 2;
    convolution.replace_range(gone..end, "use crate::Window;");
    let loops = read("crates/cnn/src/reference.rs");
    let loops = &loops[loops.find("/// Calls").unwrap()..];
    let loops = loops.replace("fn conv2d_forward", "fn by_loops");
    *convolution += &loops.replace("fn conv2d_backward", "fn back_by_loops");
    files
}

fn hand_in(folder: &Path, files: &BTreeMap<&'static str, String>) {
    files.iter().for_each(|(file, text)| write(folder, file, text));
}

/// A mistake in a graded function: what is replaced in it, and its class.
struct Mistake {
    function: &'static str,
    right: &'static str,
    wrong: &'static str,
    class: &'static str,
}

/// The classes with checks that call functions of a class, and may fail with it.
fn built_on(class: &str) -> &'static [&'static str] {
    match class {
        "ReLU" | "Sigmoid" | "SoftMax" => &["FullyConnected", "Conv2D", "NeuralNetwork"],
        "NeuralNetwork" => &[],
        _ => &["NeuralNetwork"],
    }
}

const fn mistake(
    function: &'static str,
    right: &'static str,
    wrong: &'static str,
    class: &'static str,
) -> Mistake {
    Mistake { function, right, wrong, class }
}

/// At least one for each function.
const MISTAKES: [Mistake; 34] = [
    mistake("ReLU::value", "z < T::zero()", "z > T::zero()", "ReLU"),
    mistake("ReLU::gradient", "dl_dy * derivative(z)", "derivative(z)", "ReLU"),
    mistake("Sigmoid::value", "{ e / (T::one() + e) }", "{ T::one() / (T::one() + e) }", "Sigmoid"),
    mistake("Sigmoid::gradient", "* (T::one() + e))", ")", "Sigmoid"),
    mistake(
        "FullyConnectedConfig::build",
        "[input_shape[0], self.n_out]",
        "[self.n_out, input_shape[0]]",
        "FullyConnected",
    ),
    mistake("fully_connected_forward", "matmul(x, w) + b", "matmul(x, w) - b", "FullyConnected"),
    mistake(
        "fully_connected::backward_data",
        "matmul(dl_dz, w.t())",
        "-matmul(dl_dz, w.t())",
        "FullyConnected",
    ),
    mistake(
        "fully_connected::backward_weights",
        "matmul(x.t(), dl_dz)",
        "matmul(x.t(), dl_dz) / T::of(x.nrows() as f64)",
        "FullyConnected",
    ),
    mistake(
        "fully_connected::backward_bias",
        "dl_dz.sum_axis(Axis(0)).insert_axis(Axis(0))",
        "dl_dz.mean_axis(Axis(0)).unwrap().insert_axis(Axis(0))",
        "FullyConnected",
    ),
    mistake(
        "SoftMax::forward",
        "exp.sum_axis(Axis(1)).insert_axis(Axis(1))",
        "Array2::from_elem((z.nrows(), 1), exp.sum())",
        "SoftMax",
    ),
    mistake(
        "SoftMax::forward",
        "(&z - &max.insert_axis(Axis(1)))",
        "(&z - &max.insert_axis(Axis(1)).mapv(|_| T::zero()))",
        "SoftMax",
    ),
    mistake(
        "SoftMax::backward",
        "y * (&dl_dy - &dot)",
        "&y * &(&dl_dy - &dot.mapv(|_| T::zero()))",
        "SoftMax",
    ),
    mistake("CrossEntropy::forward", "-(&target", "(&target", "CrossEntropy"),
    mistake("CrossEntropy::forward", ".sum() / m", ".sum()", "CrossEntropy"),
    mistake(
        "CrossEntropy::backward",
        "-y / (m * at_least_tiny(p))",
        "-y / at_least_tiny(p)",
        "CrossEntropy",
    ),
    mistake("L2::forward", "(T::of(2.0) * m)", "m", "L2"),
    mistake("L2::backward", "(&output - &target) / m", "(&target - &output) / m", "L2"),
    mistake(
        "NeuralNetwork::forward",
        "Ok(matrix(out))",
        "Ok(matrix(out) * T::of(2.0))",
        "NeuralNetwork",
    ),
    mistake(
        "NeuralNetwork::backward",
        "self.pass(self.first).rev()",
        "self.pass(self.first)",
        "NeuralNetwork",
    ),
    mistake(
        "NeuralNetwork::infer",
        "out.replace(y)",
        "out.replace(y.mapv(|y| y + y))",
        "NeuralNetwork",
    ),
    mistake(
        "NeuralNetwork::predict",
        "Loss::SoftmaxCrossEntropy => Activation::SoftMax.forward(&out)",
        "Loss::SoftmaxCrossEntropy => out.mapv(|y| -y)",
        "NeuralNetwork",
    ),
    mistake("einsum::trace", "\"ii->\"", "\"ij->\"", "einsum"),
    mistake("einsum::matrix_vector", "\"ij,j->i\"", "\"ij,i->j\"", "einsum"),
    mistake("einsum::outer_product", "\"i,j->ij\"", "\"i,j->ji\"", "einsum"),
    mistake("Conv2DConfig::build", "n_in, self.n_out];", "self.n_out, n_in];", "Conv2D"),
    mistake(
        "conv2d_forward",
        "by_loops(x, w, b, window)",
        "by_loops(x, w, b.mapv(|b| -b).view(), window)",
        "Conv2D",
    ),
    mistake(
        "conv2d_backward_data",
        "dl_dz, window).dl_dx",
        "dl_dz, window).dl_dx * T::of(0.5)",
        "Conv2D",
    ),
    mistake(
        "conv2d_backward_weights",
        "dl_dz, window).dl_dw",
        "dl_dz, window).dl_dw.mapv(T::abs)",
        "Conv2D",
    ),
    mistake(
        "conv2d_backward_bias",
        ".insert_axis(Axis(0))",
        ".insert_axis(Axis(0)) / T::of(dl_dz.dim().0 as f64)",
        "Conv2D",
    ),
    mistake(
        "max_pool_forward",
        "let wins = (cell == 0) | (x > *y)",
        "let wins = (cell == 0) | (x < *y)",
        "Pool2D",
    ),
    mistake(
        "max_pool_forward",
        "(x > *y) | (x.is_nan()",
        "(x > *y) | (cell == 1) | (x.is_nan()",
        "Pool2D",
    ),
    mistake(
        "max_pool_backward",
        "if winner == cell { dl_dy }",
        "if winner != cell { dl_dy }",
        "Pool2D",
    ),
    mistake("average_pool_forward", "*y /= divisor", "*y /= divisor + T::one()", "Pool2D"),
    mistake("average_pool_backward", "*dl_dx += dl_dy / divisor", "*dl_dx += dl_dy", "Pool2D"),
];

/// The solution with mistakes.
fn with(mistakes: &[&Mistake]) -> BTreeMap<&'static str, String> {
    let mut files = solution();
    for Mistake { function, right, wrong, .. } in mistakes {
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
        let graded = GRADED.iter().find(|graded| graded.name == mistake.function).unwrap();
        taken(graded.file, &with(&[mistake])[graded.file]);
    }
}

/// The points of hand-ins, by class, and their records.
fn graded(class: &Path, options: &[&str]) -> BTreeMap<String, (BTreeMap<String, f64>, String)> {
    let groups = CLASSES
        .map(|name| format!("[[group]]\nname = \"{name}\"\npoints = 10\nclasses = [\"{name}\"]\n"));
    let (points, output) = (class.with_extension("points.toml"), class.with_extension("results"));
    let table = class.with_extension("csv");
    // Some checks cannot be asked of programs.
    let grading = || Command::new(env!("CARGO_BIN_EXE_grading"));
    let [given, _] = for_tests::ran(grading().args(["grade", "--print-points"]), 0);
    let except = given.split("[[group]]").next().unwrap();
    fs::write(&points, format!("{except}\n{}", groups.join("\n"))).unwrap();
    let mut program = grading();
    program.args(["grade", "--workers", "2"]).args(options).arg("--points").arg(points);
    program.arg("--output").arg(&output).arg("--csv").arg(&table).arg(class);
    let begin = Instant::now();
    let [_, errors] = for_tests::ran(&mut program, 0);
    println!("{errors}{:.0} s", begin.elapsed().as_secs_f64());
    let text = fs::read_to_string(table).unwrap();
    let mut rows = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = rows.next().unwrap();
    let row = |row: Vec<&str>| {
        let points = names.iter().zip(&row).filter(|(name, _)| CLASSES.contains(name));
        let points = points.map(|(name, points)| ((*name).to_owned(), points.parse().unwrap()));
        let record = fs::read_to_string(output.join(format!("{}.json", row[0]))).unwrap();
        (row[0].to_owned(), (points.collect(), record))
    };
    rows.filter(|row| row.len() == names.len()).map(row).collect()
}

/// Whether hand-ins are compiled: it takes minutes.
fn is_asked(test: &str) -> bool {
    let asked = std::env::var_os("EVERY_PROGRAM").is_some();
    if !asked {
        println!("{test}: skipped: EVERY_PROGRAM is not set");
    }
    asked && machine::can_grade(test)
}

#[test]
fn points_are_lost_where_the_mistakes_are_and_nowhere_else() {
    if !is_asked("points_are_lost_where_the_mistakes_are_and_nowhere_else") {
        return;
    }
    let root = for_tests::folder(&[("class/x/x", "")]);
    let class = root.path().join("class");
    fs::remove_dir_all(class.join("x")).unwrap();
    let all = |numbers: &[usize]| -> Vec<&Mistake> {
        numbers.iter().map(|number| &MISTAKES[*number]).collect()
    };
    let of = |functions: &[&str]| {
        let is_meant = |mistake: &&Mistake| functions.contains(&mistake.function);
        MISTAKES.iter().filter(is_meant).collect::<Vec<_>>()
    };
    let sets = [
        ("solution", all(&[])),
        ("kernels", of(&["conv2d_backward_bias", "max_pool_backward", "L2::forward"])),
        ("network", of(&["NeuralNetwork::predict", "average_pool_forward"])),
        ("softmax", of(&["SoftMax::backward"])),
    ];
    for (name, mistakes) in &sets {
        hand_in(&class.join(name), &with(mistakes));
    }
    let points = graded(&class, &[]);
    assert_eq!(points.len(), sets.len());
    for (name, mistakes) in &sets {
        let (points, record) = &points[*name];
        let own: BTreeSet<&str> = mistakes.iter().map(|mistake| mistake.class).collect();
        let above = own.iter().flat_map(|class| built_on(class)).copied();
        let may: BTreeSet<&str> = own.iter().copied().chain(above).collect();
        let lost = points.iter().filter(|(_, points)| **points < 10.0);
        let lost: BTreeSet<&str> = lost.map(|(class, _)| &**class).collect();
        assert!(lost.is_superset(&own) && lost.is_subset(&may), "{name}: {points:?}");
        assert!(!record.contains(" is not used"), "{name}: {record}");
    }
}

/// Bodies of functions that try to cheat, or never end.
const ENDLESS_LOOP: &str = "{ loop { std::mem::drop(z) } }";
const ENDLESS_RECURSION: &str = "{
        fn deep(n: usize) -> f64 {
            let kept = [n as f64; 4096];
            deep(n + 1) + kept[n % 4096]
        }
        T::of(deep(0))
    }";
const ALL_MEMORY: &str = "{
    let mut all = Vec::new();
    loop { all.push(vec![1.0; 1 << 24]); if all.len() == 1 << 40 { return z.to_owned(); } }
}";
const FLOOD: &str = "{ loop { println!(\"test_forward ... ok\") } }";
const FORGED_LINES: &str = "{
        println!(\"{{\\\"id\\\": 0}}\\ntest_forward ... ok\\n25 passed, 0 failed\");
        T::zero()
    }";
const NOT_A_NUMBER: &str = "{ z.mapv(|_| T::nan()) }";
const ENDLESS_CONSTANT: &str = "{
        const N: u64 = { let mut n = 0_u64; while n < u64::MAX { n += 1 } n };
        T::of(N as f64)
    }";
const ENDLESS_TYPE: &str = "{
        fn grow<U>(n: u64, u: &U) -> usize {
            if n == 0 { size_of_val(u) } else { grow(n - 1, &(u, u)) }
        }
        T::of(grow(3, &z) as f64)
    }";
const READS_A_FILE: &str = "{ z.mapv(|_| T::of(include_bytes!(\"/etc/passwd\").len() as f64)) }";
const EXITS: &str = "{ std::process::exit(0) }";

/// Arms that a compiler compares with each other for days.
fn endless_patterns() -> String {
    let fields: Vec<String> = (0..60).map(|field| format!("f{field}")).collect();
    let arms = [true, false].map(|value| {
        let arms = (0..30).map(|field| {
            format!(
                "M {{ {}: {value}, {}: {value}, .. }} => T::one(),",
                fields[field],
                fields[field + 30]
            )
        });
        arms.collect::<String>()
    });
    let declared = fields.iter().map(|field| format!("{field}: bool,")).collect::<String>();
    let values = fields.iter().map(|field| format!("{field}: z > T::zero(),")).collect::<String>();
    format!(
        "{{ struct M {{ {declared} }} match (M {{ {values} }}) {{ {} _ => z }} }}",
        arms.concat()
    )
}

#[test]
fn attacks_lose_their_points_and_change_nothing_else() {
    if !is_asked("attacks_lose_their_points_and_change_nothing_else") {
        return;
    }
    let root = for_tests::folder(&[("class/x/x", ""), ("secret.rs", "SECRET")]);
    let class = root.path().join("class");
    fs::remove_dir_all(class.join("x")).unwrap();
    let (relu, sigmoid, softmax) =
        ("ElementWise for ReLU::value", "ElementWise for Sigmoid::value", "forward");
    let patterns = endless_patterns();
    // What each replaces ReLU, Sigmoid and SoftMax by.
    let attacks = [
        ("run_time", [ENDLESS_LOOP, ENDLESS_RECURSION, ALL_MEMORY]),
        ("output", [FLOOD, FORGED_LINES, NOT_A_NUMBER]),
        ("compile_time", [ENDLESS_CONSTANT, ENDLESS_TYPE, READS_A_FILE]),
        ("patterns", [&*patterns, EXITS, ""]),
        ("honest", ["", "", ""]),
    ];
    for (name, bodies) in &attacks {
        let mut files = solution();
        for (item, new) in
            [relu, sigmoid, softmax].iter().zip(bodies).filter(|(_, new)| !new.is_empty())
        {
            let graded = GRADED.iter().find(|graded| {
                graded.item == *item && graded.file.starts_with("crates/activations/")
            });
            let text = files.get_mut(graded.unwrap().file).unwrap();
            let old = body(text, item).to_owned();
            *text = text.replacen(&old, new, 1);
        }
        hand_in(&class.join(name), &files);
    }
    // All that is not taken, and a link in the place of a file.
    let honest = class.join("honest");
    let escape = format!(
        "fn main() {{ std::fs::write({:?}, \"\").unwrap(); }}",
        root.path().join("escaped")
    );
    let script =
        format!("#!/bin/sh\ntouch {}\nexec \"$@\"\n", root.path().join("escaped").display());
    for (file, text) in [
        ("build.rs", &*escape),
        ("crates/activations/build.rs", &escape),
        ("crates/activations/src/lib.rs", "compile_error!(\"ESCAPED\");"),
        ("crates/activations/src/main.rs", &escape),
        ("crates/served/src/main.rs", &escape),
        ("crates/macros/src/lib.rs", "#[proc_macro] pub fn s(x: T) -> T { x }"),
        ("crates/macros/Cargo.toml", "[lib]\nproc-macro = true\n"),
        ("crates/activations/Cargo.toml", "[dependencies]\nmacros = { path = \"../macros\" }\n"),
        ("Cargo.toml", "[workspace]\nmembers = []\n"),
        ("Cargo.lock", ""),
        (
            ".cargo/config.toml",
            "[build]\nrustc-wrapper = \"./wrapper\"\n[target.x86_64-unknown-linux-gnu]\nrunner = \"./wrapper\"\n",
        ),
        ("wrapper", &script),
        ("rust-toolchain.toml", "[toolchain]\npath = \".\"\n"),
        ("tests/fixtures.npz", ""),
        ("verification.zip", ""),
        ("tools/harness", &script),
    ] {
        write(&honest, file, text);
    }
    let sigmoid = honest.join("crates/activations/src/sigmoid.rs");
    fs::remove_file(&sigmoid).unwrap();
    std::os::unix::fs::symlink(root.path().join("secret.rs"), &sigmoid).unwrap();

    let limits =
        ["--only", "tests.test_activations", "--request-limit", "2", "--time-limit", "200"];
    let limits = [&limits[..], &["--build-limit", "8", "--memory", "512"]].concat();
    let graded = graded(&class, &limits);
    assert_eq!(graded.len(), attacks.len());
    for (name, bodies) in &attacks {
        let (points, record) = &graded[*name];
        for (class, attack) in ["ReLU", "Sigmoid", "SoftMax"].iter().zip(bodies) {
            let is_lost = !attack.is_empty() || *name == "honest" && *class == "Sigmoid";
            // The backward pass of some is as it was.
            assert_eq!(points[*class] < 10.0, is_lost, "{name}: {points:?} {record}");
            let test = format!("Test{class}.test_forward");
            let record: serde_json::Value = serde_json::from_str(record).unwrap();
            let checks = record["verified"]["checks"].as_array().unwrap();
            let own = checks.iter().find(|check| check["id"].as_str().unwrap().ends_with(&test));
            assert_eq!(own.unwrap()["status"] == "ok", !is_lost, "{name} {class}");
        }
        assert!(!record.contains("ESCAPED") && !record.contains("SECRET"), "{name}: {record}");
    }
    for (name, why) in [
        ("compile_time", "constant evaluation is taking a long time"),
        ("compile_time", "the macro `include_bytes!` is not permitted"),
        ("patterns", "`std::process` is not permitted"),
        ("patterns", "the compiler ended with signal: 9"),
        ("honest", "expected crates/activations/src/sigmoid.rs, a file of at most"),
    ] {
        assert!(graded[name].1.contains(why), "{name}: {why}: {}", graded[name].1);
    }
    assert!(!root.path().join("escaped").exists());
}
