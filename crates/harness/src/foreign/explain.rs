//! The explanation of a failure: the formula of the book, and the known mistakes that give these numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::Program;
use crate::check::Outcome;
use crate::room::{Bug, Room};
use crate::{Check, Context, Kind, rooms};

/// What results that differ from run to run look like.
const UNSTEADY: &str = "the same case gives another result when it is run again. Results depend on what an \
                        earlier call left, on a view past the end of an array, or on memory that nothing was \
                        written to";

/// Explains the failures of one run.
pub(crate) struct Explainer<'a> {
    program: &'a Program,
    context: &'a Context,
    /// The root of the workspace, where the book is.
    root: &'a Path,
    /// The names of the checks that passed.
    passed: BTreeSet<String>,
    /// For each bug that was tried, whether it passes the checks that passed.
    tried: BTreeMap<(&'static str, &'static str), bool>,
    /// What is wrong with each class.
    diagnoses: BTreeMap<&'static str, Diagnosis>,
}

/// What is known of a failure.
pub(crate) struct Explanation {
    /// In lines of their own.
    pub(crate) text: String,
    /// The same for all failures that seem to have one cause.
    pub(crate) cause: String,
}

/// What the failures of one class have in common.
#[derive(Default)]
struct Diagnosis {
    failures: usize,
    /// The results that are wrong.
    wrong: BTreeSet<&'static str>,
    /// The known mistakes that give the numbers of every failure that has numbers.
    mistakes: Option<Vec<&'static str>>,
    /// Whether a result changed from run to run.
    unsteady: bool,
}

impl<'a> Explainer<'a> {
    pub(crate) fn new(
        program: &'a Program,
        context: &'a Context,
        root: &'a Path,
        passed: BTreeSet<String>,
    ) -> Self {
        let (tried, diagnoses) = Default::default();
        Self { program, context, root, passed, tried, diagnoses }
    }

    /// What the results look like, and where the formula is derived.
    pub(crate) fn explanation(&mut self, check: &Check, outcome: &Outcome) -> Explanation {
        let Some(room) = rooms::all().into_iter().find(|room| Some(room.name) == check.subject)
        else {
            return Explanation { text: String::new(), cause: check.id() };
        };
        let others = self.diagnoses.keys().any(|class| *class != room.name);
        let diagnosis = self.diagnoses.entry(room.name).or_default();
        diagnosis.failures += 1;
        let explanation = |text: String, wrong: &str, what: &str| Explanation {
            text,
            cause: format!("{}, {wrong}: {what}", room.name),
        };
        // What has no numbers says itself what is wrong.
        let detail = &outcome.detail;
        if !["expected", "analytic"].iter().any(|word| symptom(detail).contains(word)) {
            let (wrong, what) = refusal(detail);
            diagnosis.wrong.insert(wrong);
            let text = match wrong {
                RAISED => String::new(),
                wrong => format!("looks like: {wrong} is wrong\n"),
            };
            return explanation(text, wrong, what);
        }
        let wrong = RESULTS.iter().find(|result| result.is_in(detail));
        let wrong = wrong.map_or("other claims", |result| result.name);
        diagnosis.wrong.insert(wrong);
        // To explain more, some of it is asked again.
        if self.program.is_out_of_time() {
            return explanation(String::new(), wrong, "");
        }
        if self.changes(check, outcome) {
            self.diagnoses.entry(room.name).or_default().unsteady = true;
            return explanation(format!("looks like: {UNSTEADY}\n"), "", UNSTEADY);
        }
        let mistakes = self.mistakes(&room, check, outcome);
        let mut text = match &*mistakes {
            // A note says more.
            [] if detail.contains("\nnoted: ") => String::new(),
            [] if room.name == "NeuralNetwork" && others => {
                "looks like: none of the known mistakes of networks; its layers come first\n".into()
            }
            [] => "looks like: none of the known mistakes\n".to_owned(),
            [one] => format!("looks like: {one}\n"),
            several => format!("looks like one of:\n  - {}\n", several.join("\n  - ")),
        };
        let what = mistakes.join(", ");
        let diagnosis = self.diagnoses.entry(room.name).or_default();
        match &mut diagnosis.mistakes {
            Some(common) => common.retain(|mistake| mistakes.contains(mistake)),
            none => *none = Some(mistakes),
        }
        if let Some((page, formula)) = formula(&room, check, outcome, self.root) {
            text += &format!("derived in {page}:{}\n", formula.replace('\n', "\n    "));
        }
        explanation(text, if what.is_empty() { wrong } else { "" }, &what)
    }

    /// A line on each class that failed: how often, in which results, and by which mistake.
    pub(crate) fn summary(&self) -> String {
        let line = |(room, diagnosis): (&&str, &Diagnosis)| {
            let Diagnosis { failures, wrong, mistakes, unsteady } = diagnosis;
            let checks = if *failures == 1 { "1 check fails" } else { "checks fail" };
            let count = if *failures == 1 { String::new() } else { format!("{failures} ") };
            let wrong: Vec<&str> = wrong.iter().copied().collect();
            let mut line = format!("{room}: {count}{checks}, in {}", wrong.join(" and "));
            if *unsteady {
                line += "; results change from run to run";
            } else if let Some([mistake]) = mistakes.as_deref() {
                line += &format!("; looks like: {mistake}");
            }
            line + "\n"
        };
        self.diagnoses.iter().map(line).collect()
    }

    /// Whether the same case gives another result when it is run again.
    fn changes(&self, check: &Check, outcome: &Outcome) -> bool {
        let Some(case) = case(check, outcome) else { return false };
        let context = Context { case: Some(case), ..self.context.clone() };
        let again = self.program.in_other_memory(|| check.outcome(&context)).detail;
        !alike(symptom(&again), symptom(&outcome.detail))
    }

    /// The deliberate bugs of the room that give the same numbers in the same case, and pass what passed.
    fn mistakes(&mut self, room: &Room, check: &Check, outcome: &Outcome) -> Vec<&'static str> {
        let context =
            Context { case: case(check, outcome), unshrunk: true, ..self.context.clone() };
        let same = |bug: &&Bug| {
            let mut checks = (room.checks_with)(bug.id).into_iter();
            checks.find(|own| own.id() == check.id()).is_some_and(|own| {
                let wrong = own.outcome(&context);
                !wrong.passed() && alike(symptom(&wrong.detail), symptom(&outcome.detail))
            })
        };
        let candidates: Vec<&Bug> = room.bugs.iter().filter(same).collect();
        candidates.into_iter().filter(|bug| self.passes(room, bug)).map(|bug| bug.what).collect()
    }

    /// Whether an implementation with this bug passes what the program passed.
    fn passes(&mut self, room: &Room, bug: &Bug) -> bool {
        *self.tried.entry((room.name, bug.id)).or_insert_with(|| {
            let context = Context { case: None, unshrunk: true, ..self.context.clone() };
            let checks = (room.checks_with)(bug.id).into_iter();
            checks
                .filter(|check| self.passed.contains(&check.id()))
                .all(|check| !check.outcome(&context).failed())
        })
    }
}

/// What is wrong where a program raises an error, or does not answer.
const RAISED: &str = "what it raises";

/// What is wrong with a result that is none, and what tells one such failure from another: where the program raised
/// it, if it says so.
fn refusal(detail: &str) -> (&'static str, &str) {
    let place = |text: &'_ str| {
        text.find(".py:").map(|at| at + text[at + 4..].find(':').map_or(0, |n| n + 4))
    };
    match detail {
        _ if detail.contains("dX has shape ") => ("the shape of dL/dX", ""),
        _ if detail.contains("gradient of ") && detail.contains(" has shape ") => {
            ("the shape of a gradient", "")
        }
        _ if detail.contains(" has shape ") => ("the shape of a result", ""),
        _ if detail.contains("stores no gradient") => ("the place where a gradient is stored", ""),
        _ => {
            let raised = detail.split("the program says ").nth(1).unwrap_or(detail);
            let raised = place(raised).map_or(raised, |end| &raised[..end]);
            (RAISED, raised.rsplit('(').next().unwrap_or(raised))
        }
    }
}

/// The case of a failure, as the option takes it.
fn case(check: &Check, outcome: &Outcome) -> Option<String> {
    let (_, case) = outcome.detail.split_once(" --case ").filter(|_| check.kind.draws_cases())?;
    case.lines().next().map(str::to_owned)
}

/// The part of a failure that says where and by how much results differ.
fn symptom(detail: &str) -> &str {
    let begin = ["case (", "case:", ", first "].iter().find_map(|word| detail.find(word));
    let begin = begin.unwrap_or(0);
    let rest = &detail[begin..];
    let ends = ["\n    ", "\nthis case alone", "\nnoted"].map(|next| rest.find(next));
    &rest[..ends.into_iter().flatten().min().unwrap_or(rest.len())]
}

/// Whether two messages say the same, with the same numbers up to rounding.
fn alike(a: &str, b: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let ends = |c: char| c.is_whitespace() || ",;:()[]".contains(c);
        text.split(ends).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let (a, b) = (words(a), words(b));
    let close = |(a, b): (&String, &String)| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => {
            a == b
                || a.is_nan() && b.is_nan()
                || (a - b).abs() <= 1e-6 * a.abs().max(b.abs()) + 1e-11
        }
        _ => a == b,
    };
    a.len() == b.len() && a.iter().zip(&b).all(close)
}

/// A result, as failures name it.
struct WrongResult {
    name: &'static str,
    /// How the name of its formula in the book ends.
    formula: &'static str,
    words: &'static [&'static str],
}

impl WrongResult {
    fn is_in(&self, detail: &str) -> bool {
        self.words.iter().any(|word| symptom(detail).contains(word))
    }
}

const RESULTS: [WrongResult; 5] = [
    WrongResult { name: "the forward pass", formula: "-forward", words: &["output (", ": Y["] },
    WrongResult { name: "dL/db", formula: "-db", words: &["dL/db", "db ("] },
    WrongResult { name: "dL/dW", formula: "-dw", words: &["dL/dW", "dW ("] },
    WrongResult { name: "dL/dX", formula: "-dx", words: &["dL/dX", "dX ", "backward ("] },
    WrongResult {
        name: "the backward pass",
        formula: "-backward",
        words: &["dL/d", "dZ ", "backward (", "dY_hat "],
    },
];

/// The chapter, and the formula that the check is of, or else the one of the room whose
/// name is that of the result which is wrong.
fn formula(room: &Room, check: &Check, outcome: &Outcome, root: &Path) -> Option<(String, String)> {
    let formulas = (room.checks)().into_iter().filter(|own| own.kind == Kind::Formula);
    let mut names: Vec<String> = formulas.map(|own| own.name).collect();
    let of_result = |name: &str| {
        let named = |result: &&WrongResult| name.ends_with(result.formula);
        RESULTS.iter().filter(named).any(|result| result.is_in(&outcome.detail))
    };
    names.retain(|name| *name == check.name || of_result(name));
    // The sort is stable.
    names.sort_by_key(|name| *name != check.name);
    let pages = std::fs::read_dir(root.join("book/src")).ok()?.flatten().map(|page| page.path());
    let pages: Vec<(PathBuf, String)> = pages
        .filter_map(|page| Some((page.clone(), std::fs::read_to_string(page).ok()?)))
        .collect();
    names.into_iter().find_map(|name| {
        // `$$ formula $$ {#eq:name ...}`
        let (page, before) = pages.iter().find_map(|(page, text)| {
            let ends = [" ", "}"].map(|end| format!("$$ {{#eq:{name}{end}"));
            let before = ends.iter().find_map(|end| Some(text.split_once(end)?.0));
            Some((page, before?))
        })?;
        let page = page.strip_prefix(root).unwrap_or(page).display().to_string();
        Some((page, before.rsplit("$$").next()?.trim_end().to_owned()))
    })
}

pub(crate) mod tests {
    use super::*;

    pub(crate) fn messages_are_alike_up_to_rounding_and_not_beyond() {
        let a = "case (Z [1]): Y[0]: expected 1e0, got 3.0000000001e-1";
        assert!(alike(a, "case (Z [1]): Y[0]: expected 1e0, got 3e-1"));
        for other in [
            "case (Z [1]): Y[0]: expected 1e0, got 3.1e-1",
            "case (Z [1]): dL[0]: expected 1e0, got 3e-1",
            "",
        ] {
            assert!(!alike(a, other), "{other}");
        }
        let detail = format!("largest error 1e0, bound 1e-7; {a}\nthis case alone: x\nnoted: y");
        assert_eq!(symptom(&detail), a);
    }
}
