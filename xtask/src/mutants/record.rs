//! The record of the mutants of a crate, `book/records/mutants/CRATE.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The file beside the records that says of mutants which survive why they compute the same.
pub(super) const EQUIVALENT: &str = "equivalent.toml";

/// The outcome for a crate, as the book reads it.
#[derive(Default, Deserialize)]
pub(super) struct Record {
    pub(super) engine: String,
    /// What judged: all mutants first, then parts of them again; the seconds are those of all crates of the command.
    pub(super) runs: Vec<Run>,
    pub(super) mutants: Vec<Mutant>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) command: String,
    pub(super) revision: String,
    pub(super) mutants: usize,
    pub(super) seconds: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Mutant {
    pub(super) id: String,
    pub(super) file: String,
    pub(super) item: String,
    pub(super) mutator: String,
    pub(super) change: String,
    /// The kinds of check that fail, `own` for the tests of the crate; `compiler` alone if it is no program.
    pub(super) caught_by: BTreeSet<String>,
}

impl Mutant {
    /// The key of its reason: the name by which the engine knows it, and what a reader can find.
    pub(super) fn key(&self) -> String {
        format!("{} {} {}", self.id, self.item, self.mutator)
    }
}

impl Record {
    /// What is wrong with it as the record of these mutants, with these reasons why some survived.
    pub(super) fn problems(
        &self,
        present: &BTreeSet<String>,
        reasons: &BTreeMap<String, String>,
    ) -> Vec<String> {
        let recorded: BTreeSet<_> = self.mutants.iter().map(|mutant| mutant.id.clone()).collect();
        let mut problems = Vec::new();
        let (new, gone) =
            (present.difference(&recorded).count(), recorded.difference(present).count());
        if (new, gone) != (0, 0) {
            problems.push(format!(
                "the record lacks {new} mutants of the code and has {gone} that are there no more; \
             cargo xtask mutants --open judges what it lacks"
            ));
        }
        let survived = || self.mutants.iter().filter(|mutant| mutant.caught_by.is_empty());
        for mutant in survived().filter(|mutant| !reasons.contains_key(&mutant.key())) {
            let (key, Mutant { file, change, .. }) = (mutant.key(), mutant);
            problems.push(format!(
            "{file}: nothing notices {change}; add a check, or say under {key:?} in {EQUIVALENT} why it computes \
             the same"
        ));
        }
        let keys: BTreeSet<_> = survived().map(Mutant::key).collect();
        for key in reasons.keys().filter(|key| !keys.contains(*key)) {
            problems.push(format!("{key:?} in {EQUIVALENT} has not survived; remove it"));
        }
        problems
    }

    /// Writes it with a line for each run and each mutant, so that a difference shows which changed.
    pub(super) fn write(&self, file: &Path) -> Result<()> {
        let Self { engine, runs, mutants } = self;
        let text = format!(
            "{{\"engine\": {},\n\"runs\": [\n{}\n],\n\"mutants\": [\n{}\n]}}\n",
            serde_json::to_string(engine)?,
            lines(runs)?,
            lines(mutants)?
        );
        system::replace(file, text.as_bytes())
            .with_context(|| format!("cannot write {}", file.display()))
    }
}

fn lines(values: &[impl Serialize]) -> Result<String> {
    let lines: Result<Vec<String>, _> = values.iter().map(serde_json::to_string).collect();
    Ok(lines?.join(",\n"))
}

/// What a file says in JSON.
pub(super) fn json<T: DeserializeOwned>(file: &Path) -> Result<T> {
    let text = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("cannot parse {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_survivor_needs_a_reason_and_a_reason_a_survivor() {
        let mutant = |id: &str, caught_by: &[&str]| Mutant {
            id: id.into(),
            file: "f.rs".into(),
            item: "sum".into(),
            mutator: "arith".into(),
            change: "a + b → a - b".into(),
            caught_by: caught_by.iter().copied().map(Into::into).collect(),
        };
        let mutants = vec![mutant("1", &["course"]), mutant("2", &[]), mutant("3", &[])];
        let record = Record { mutants, ..Record::default() };
        let judged = |present: &[&str], reasons: &[&str]| {
            let present = present.iter().copied().map(Into::into).collect();
            let reasons = reasons.iter().map(|key| ((*key).into(), "why".into())).collect();
            record.problems(&present, &reasons)
        };
        assert_eq!(judged(&["1", "2", "3"], &["2 sum arith", "3 sum arith"]), [""; 0]);
        let survived = judged(&["1", "2", "3"], &["2 sum arith"]);
        assert!(survived.len() == 1 && survived[0].contains("add a check"), "{survived:?}");
        let stale = judged(&["1", "2", "3"], &["1 sum arith", "2 sum arith", "3 sum arith"]);
        assert!(stale.len() == 1 && stale[0].contains("\"1 sum arith\" in equi"), "{stale:?}");
        let changed = judged(&["1", "2", "4", "5"], &["2 sum arith", "3 sum arith"]);
        assert!(changed.len() == 1 && changed[0].contains("lacks 2"), "{changed:?}");
        assert!(changed[0].contains("has 1 that"), "{changed:?}");
    }
}
