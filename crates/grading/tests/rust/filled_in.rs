//! Starters that are filled in, and their points.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use handin::graded_files;
use harness::Asked;
use system::for_tests::{self, write};
use system::println;

use crate::machine;

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

pub(crate) fn root() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

/// The body of a function, from its brace to the last one.
pub(crate) fn body<'a>(text: &'a str, item: &str) -> &'a str {
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
pub(crate) fn solution() -> BTreeMap<&'static str, String> {
    let read = |file: &str| fs::read_to_string(root().join(file)).unwrap();
    let mut files: BTreeMap<_, _> = graded_files().iter().map(|file| (*file, read(file))).collect();
    let convolution = files.get_mut("crates/cnn/src/conv2d_algorithm.rs").unwrap();
    for (name, new) in CONVOLUTION {
        let old = body(convolution, name).to_owned();
        *convolution = convolution.replacen(&old, &format!("{{\n    {new}\n}}"), 1);
    }
    // Of what is gone: Winograd's algorithm, and the choice of it.
    let choice = body(convolution, "conv2d_algorithm").to_owned();
    let no_choice = "{ let _ = (window, channels, filters); Conv2DAlgorithm::Im2col }";
    *convolution = convolution.replacen(&choice, no_choice, 1);
    let gone = convolution.find("use crate::winograd::POINTS;").unwrap();
    let end = convolution[gone..].find("};").unwrap() + gone + 2;
    convolution.replace_range(gone..end, "use crate::Window;");
    let loops = read("crates/cnn/src/reference.rs");
    let loops = &loops[loops.find("/// Calls").unwrap()..];
    let loops = loops.replace("fn conv2d_forward", "fn by_loops");
    *convolution += &loops.replace("fn conv2d_backward", "fn back_by_loops");
    files
}

pub(crate) fn hand_in(folder: &Path, files: &BTreeMap<&'static str, String>) {
    files.iter().for_each(|(file, text)| write(folder, file, text));
}

/// The checks of which each hand-in loses the points, and its record.
pub(crate) fn graded(
    class: &Path,
    options: &[&str],
) -> BTreeMap<String, (BTreeSet<String>, String)> {
    let (points, output) = (class.with_extension("points.toml"), class.with_extension("results"));
    let table = class.with_extension("csv");
    // Some checks cannot be asked of programs.
    let grading = || Command::new(env!("CARGO_BIN_EXE_grading"));
    let [given, _] = for_tests::ran(grading().args(["grade", "--print-points"]), 0);
    let except = given.split("[[group]]").next().unwrap();
    let mut asked = harness::asked(None).unwrap();
    asked.retain(|check| {
        check.level == "assignment" && !except.contains(&format!("{:?}", check.id))
    });
    let groups = asked.iter().map(|Asked { id, .. }| {
        format!("[[group]]\nname = {id:?}\npoints = 1\nchecks = [{id:?}]\n")
    });
    fs::write(&points, format!("{except}\n{}", groups.collect::<String>())).unwrap();
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
        // Between the sums and the error.
        let checks = names.iter().zip(&row).skip(3).take(names.len() - 4);
        let checks = checks.filter(|(_, points)| **points != "1");
        let lost = checks.map(|(id, _)| (*id).to_owned()).collect();
        let record = fs::read_to_string(output.join(format!("{}.json", row[0]))).unwrap();
        (row[0].to_owned(), (lost, record))
    };
    rows.filter(|row| row.len() == names.len()).map(row).collect()
}

/// Whether hand-ins are compiled: it takes minutes.
pub(crate) fn is_asked(test: &str, variable: &str) -> bool {
    let asked = std::env::var_os(variable).is_some();
    if !asked {
        println!("{test}: skipped: {variable} is not set");
    }
    asked && machine::can_grade(test)
}
