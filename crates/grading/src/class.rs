//! A class: a table of points, and a page with their distribution and the most frequent mistakes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::points::{Grade, Scored};
use crate::verification::Checked;

/// The table of a class: a row for each hand-in, a column for each group of checks.
pub(crate) fn csv(grades: &[Grade]) -> Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let groups = grades.iter().flat_map(|grade| &grade.groups).map(|group| &*group.name);
    // Every hand-in is graded by the same points.
    let mut seen = BTreeSet::new();
    let groups: Vec<&str> = groups.filter(|name| seen.insert(*name)).collect();
    table.write_record(["name", "score", "points"].iter().chain(&groups).chain(&["error"]))?;
    for grade in grades {
        let mut row =
            vec![grade.name.clone(), grade.score().to_string(), grade.points().to_string()];
        for name in &groups {
            let group = grade.groups.iter().find(|group| group.name == *name);
            row.push(group.map_or_else(String::new, |group| group.score.to_string()));
        }
        row.push(grade.error.clone().unwrap_or_default());
        table.write_record(row)?;
    }
    Ok(table.into_inner().map_err(|error| error.into_error())?)
}

/// Bars of the histogram.
const BINS: usize = 10;

/// Mistakes and checks that are listed.
const MOST: usize = 15;

/// The page of a class, in Markdown.
pub(crate) fn page(grades: &[Grade]) -> String {
    let count = grades.len();
    let of = |grade: &Grade| grade.points();
    let points = grades.iter().map(of).fold(0.0, f64::max);
    let mut scores: Vec<f64> = grades.iter().map(Grade::score).collect();
    scores.sort_by(f64::total_cmp);
    let mean = scores.iter().sum::<f64>() / count.max(1) as f64;
    let median = match count {
        0 => 0.0,
        _ => (scores[(count - 1) / 2] + scores[count / 2]) / 2.0,
    };
    let mut text = format!(
        "# The class\n\n{count} hand-ins, {points} points; mean {mean:.1}, median {median:.1}.\n\n\
         | points | hand-ins | |\n|---:|---:|---|\n"
    );
    let bin = |score: f64| ((score / points * BINS as f64) as usize).min(BINS - 1);
    let width = points / BINS as f64;
    for index in 0..BINS {
        let own = scores.iter().filter(|&&score| points > 0.0 && bin(score) == index).count();
        let (from, to) = (index as f64 * width, (index + 1) as f64 * width);
        text += &format!(
            "| {from:.0} to {to:.0} | {own} | {} |\n",
            "█".repeat(own * 40 / count.max(1))
        );
    }
    let mistakes = ranked(grades, |group| {
        let failures = group.failures.iter().flat_map(mistakes);
        // Without its place, which is another one in each hand-in.
        let loops = group.loops.iter().filter_map(|remark| remark.split(", which").next());
        failures.chain(loops.map(str::to_owned)).collect()
    });
    text += &table("What failures look like", "mistake", &mistakes);
    let checks = ranked(grades, |group| {
        group.failures.iter().map(|failure| format!("`{}`", failure.id)).collect()
    });
    text += &table("Checks that fail most", "check", &checks);
    let errors = grades.iter().filter_map(|grade| Some((&grade.name, grade.error.as_ref()?)));
    let errors: Vec<String> =
        errors.map(|(name, error)| format!("- {name}: {}\n", cell(error))).collect();
    if !errors.is_empty() {
        text += &format!("\n## Not verified\n\n{}", errors.concat());
    }
    text
}

/// What is missing, or the known mistakes that an explanation names.
fn mistakes(failure: &Checked) -> Vec<String> {
    if failure.status == "missing" {
        return vec![failure.detail.clone()];
    }
    let mut lines = failure.explanation.lines();
    let Some(first) = lines.next() else { return vec![] };
    let mistakes: Vec<&str> = match first.strip_prefix("looks like: ") {
        Some(none) if none.starts_with("none of the known mistakes") => vec![],
        Some(one) => vec![one],
        None if !first.starts_with("looks like one of:") => vec![],
        None => lines.map_while(|line| line.strip_prefix("  - ")).collect(),
    };
    mistakes.iter().map(|mistake| format!("{}: {mistake}", failure.class)).collect()
}

/// What most hand-ins have, and in how many it is.
fn ranked(grades: &[Grade], of: impl Fn(&Scored) -> Vec<String>) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let all_of = |grade: &Grade| grade.groups.iter().flat_map(&of).collect::<BTreeSet<_>>();
    for what in grades.iter().flat_map(all_of) {
        *counts.entry(what).or_default() += 1;
    }
    let mut ranked: Vec<_> = counts.into_iter().collect();
    ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    ranked.truncate(MOST);
    ranked
}

fn table(title: &str, what: &str, rows: &[(String, usize)]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let rows: String =
        rows.iter().map(|(what, count)| format!("| {count} | {} |\n", cell(what))).collect();
    format!("\n## {title}\n\n| hand-ins | {what} |\n|---:|---|\n{rows}")
}

/// The first line of a text, for a table or a list.
fn cell(text: &str) -> String {
    text.lines().next().unwrap_or_default().replace('|', "\\|").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::points::{Points, tests::record};

    #[test]
    fn a_class_has_a_row_for_each_hand_in_and_its_mistakes_are_counted() {
        let asked = harness::asked(Some("ReLU")).unwrap();
        let points = "[[group]]\nname = \"ReLU, all\"\npoints = 10\nclasses = [\"ReLU\"]\nkinds = [\"course\"]\n";
        let points = Points::read(points, &asked).unwrap();
        let grade =
            |name, outcomes: &[(&str, &str)]| points.grade(&record(name, outcomes, &[]), &asked);
        let mut broken = record("eve", &[], &[]);
        broken.verified.error = Some("no | package\nat all".to_owned());
        let grades = [
            grade("ada", &[("test_forward", "ok"), ("test_backward", "ok")]),
            grade("bob", &[("test_forward", "ok"), ("test_backward", "FAIL")]),
            points.grade(&broken, &asked),
        ];
        let table = String::from_utf8(csv(&grades).unwrap()).unwrap();
        let expected = "name,score,points,\"ReLU, all\",error\nada,10,10,10,\nbob,5,10,5,\neve,0,10,0,\"no | package\nat all\"\n";
        assert_eq!(table, expected);
        let page = page(&grades);
        for expected in [
            "3 hand-ins, 10 points; mean 5.0, median 5.0.",
            "| 5 to 6 | 1 | █████████████ |",
            "| 9 to 10 | 1 |",
            "| 1 | ReLU: the sign |",
            "| 1 | `tests.test_activations.TestReLU.test_backward` |",
            "- eve: no \\| package\n",
        ] {
            assert!(page.contains(expected), "{expected}: {page}");
        }
    }

    #[test]
    fn mistakes_are_those_of_an_explanation() {
        let mistakes = |explanation: &str| {
            let (class, explanation) = ("L2".to_owned(), explanation.to_owned());
            super::mistakes(&Checked { class, explanation, ..Checked::default() })
        };
        assert_eq!(mistakes("looks like: a\nderived in x"), ["L2: a"]);
        assert_eq!(mistakes("looks like one of:\n  - a\n  - b\nderived in x"), ["L2: a", "L2: b"]);
        assert_eq!(mistakes("looks like: none of the known mistakes\n"), [""; 0]);
        assert_eq!(mistakes(""), [""; 0]);
    }
}
