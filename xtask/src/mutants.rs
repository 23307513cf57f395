//! `cargo xtask mutants`: which kind of check notices which small change of the code.
//!
//! The engine, cargo-gamma, compiles all changes of a crate into one set of programs and switches one on by a
//! variable. Two judges run on each: the kinds of check of the harness (`crates/harness/tests/kinds.rs`), and the
//! tests of the crate.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::builder::PossibleValuesParser;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use system::println;

use crate::{command, verdict, workspace};

const ENGINE: &str = "cargo-gamma 0.4.0";

/// The crates that compute.
const CRATES: [&str; 7] =
    ["activations", "losses", "optim", "layers", "network", "cnn", "datasets"];

/// All changes that the engine makes of itself but for other texts, which are those of messages.
const MUTATORS: &str = "@default,!literal.str_to_empty,!literal.str_to_xyzzy,!fn_value.empty_string,\
                        !fn_value.xyzzy_string";

/// The records, one for each crate, and why mutants that survive compute the same.
const RECORDS: &str = "book/records/mutants";
const EQUIVALENT: &str = "equivalent.toml";

/// Change the code in one place at a time, and record which checks and tests notice
///
/// Each change is a mutant. It is judged by every kind of check of the harness alone, and by the tests of its
/// crate; the outcome goes to book/records/mutants/CRATE.json. That takes half a minute of processor time for a
/// mutant which nothing notices, hours for all crates. Needs the engine cargo-gamma.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The crates to change; all that compute, if none is named
    #[arg(value_name = "CRATE", value_parser = PossibleValuesParser::new(CRATES))]
    crates: Vec<String>,
    /// Change nothing: compare the records with the code, and fail on a mutant that survived without a reason in
    /// book/records/mutants/equivalent.toml
    #[arg(long)]
    check: bool,
    /// Judge the mutants in lines that differ from this revision, and keep the other verdicts
    #[arg(long, value_name = "REVISION", conflicts_with = "check")]
    in_diff: Option<String>,
    /// Judge the mutants that survived or that the record lacks, and keep the other verdicts
    #[arg(long, conflicts_with_all = ["check", "in_diff"])]
    open: bool,
}

/// The outcome for a crate, as the book reads it.
#[derive(Default, Serialize, Deserialize)]
struct Record {
    engine: String,
    /// What judged: all mutants first, then parts of them again.
    runs: Vec<Run>,
    mutants: Vec<Mutant>,
}

#[derive(Serialize, Deserialize)]
struct Run {
    command: String,
    revision: String,
    mutants: usize,
    seconds: u64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Mutant {
    id: String,
    file: String,
    item: String,
    mutator: String,
    change: String,
    /// The kinds of check that fail, `own` for the tests of the crate; `compiler` alone if it is no program.
    caught_by: BTreeSet<String>,
}

impl Mutant {
    /// The key of its reason: the name by which the engine knows it, and what a reader can find.
    fn key(&self) -> String {
        format!("{} {} {}", self.id, self.item, self.mutator)
    }
}

/// A mutant of the present code, as the engine lists it.
#[derive(Deserialize)]
struct Listed {
    id: String,
    ordinal: usize,
    file: String,
    item_path: String,
    mutator: String,
    original: String,
    replacement: String,
}

/// The part of the engine's report that is used.
#[derive(Deserialize)]
struct Report {
    files: BTreeMap<String, ReportedFile>,
}

#[derive(Deserialize)]
struct ReportedFile {
    mutants: Vec<Reported>,
}

#[derive(Deserialize)]
struct Reported {
    id: String,
    status: String,
}

pub(crate) fn run(Arguments { crates, check, in_diff, open }: &Arguments) -> Result<ExitCode> {
    let version = command::output(command::cargo("gamma").arg("--version"))?.1;
    ensure!(
        version.trim() == ENGINE,
        "this needs {ENGINE}: cargo install cargo-gamma --version {} --locked",
        ENGINE.rsplit(' ').next().unwrap_or_default()
    );
    let root = workspace::root()?;
    let crates = match &**crates {
        [] => CRATES.map(str::to_owned).into(),
        crates => crates.to_vec(),
    };
    let mut passed = true;
    for name in crates {
        let package = Package {
            target: system::target_folder(&root)?.join("mutants"),
            root: root.clone(),
            name,
        };
        if !check {
            package.judge(in_diff.as_deref(), *open)?;
        }
        let problems = package.problems()?;
        problems.iter().for_each(|problem| println!("{problem}"));
        passed &= problems.is_empty();
    }
    Ok(verdict(passed))
}

/// A crate whose code is changed.
struct Package {
    name: String,
    root: PathBuf,
    /// The folder for what judging writes.
    target: PathBuf,
}

impl Package {
    fn record_file(&self) -> PathBuf {
        self.root.join(RECORDS).join(format!("{}.json", self.name))
    }

    fn record(&self) -> Result<Record> {
        let file = self.record_file();
        if file.exists() { json(&file) } else { Ok(Record::default()) }
    }

    /// The mutants of the present code, those in this difference if there is one.
    fn listed(&self, difference: Option<&Path>) -> Result<Vec<Listed>> {
        let mut list = command::cargo("gamma");
        list.args(["list", "mutants", "--json", "--no-config", "-p", &self.name]);
        list.args(["--mutators", MUTATORS]).current_dir(&self.root);
        if let Some(file) = difference {
            list.arg("--in-diff").arg(file);
        }
        let output = list.output().context("cannot run cargo gamma")?;
        let failed = || format!("cargo gamma: {}", String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), failed());
        let mut listed: Vec<Listed> =
            serde_json::from_slice(&output.stdout).with_context(failed)?;
        listed.sort_by_key(|mutant| mutant.ordinal);
        Ok(listed)
    }

    /// Judges the mutants that are asked for, and writes the record.
    fn judge(&self, in_diff: Option<&str>, open: bool) -> Result<()> {
        let start = Instant::now();
        let present = self.listed(None)?;
        let mut record = self.record()?;
        let mut verdicts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut chosen: Option<BTreeSet<String>> = None;
        let mut command = format!("cargo xtask mutants {}", self.name);
        if in_diff.is_some() || open {
            let old = record.mutants.iter();
            verdicts = old.map(|mutant| (mutant.id.clone(), mutant.caught_by.clone())).collect();
        }
        if let Some(revision) = in_diff {
            command += &format!(" --in-diff {revision}");
            let file = self.difference(revision)?;
            chosen = Some(self.listed(Some(&file))?.into_iter().map(|mutant| mutant.id).collect());
        } else if open {
            command += " --open";
            let is_open = |id: &&String| verdicts.get(*id).is_none_or(BTreeSet::is_empty);
            chosen =
                Some(present.iter().map(|mutant| &mutant.id).filter(is_open).cloned().collect());
        } else {
            record.runs.clear();
        }
        let is_chosen = |id: &String| chosen.as_ref().is_none_or(|chosen| chosen.contains(id));
        let ids: Vec<&str> = present
            .iter()
            .map(|mutant| &mutant.id)
            .filter(|id| is_chosen(id))
            .map(String::as_str)
            .collect();
        let mutants = ids.len();
        println!("{}: {mutants} of {} mutants", self.name, present.len());
        if mutants > 0 {
            verdicts.extend(self.verdicts(&ids, chosen.is_some())?);
            let (revision, seconds) = (command::revision()?, start.elapsed().as_secs());
            record.runs.push(Run { command, revision, mutants, seconds });
        }
        record.engine = ENGINE.to_owned();
        let judged = |mutant: Listed| Some(recorded(&mutant, verdicts.get(&mutant.id)?.clone()));
        record.mutants = present.into_iter().filter_map(judged).collect();
        write(&self.record_file(), &record)
    }

    /// What differs from a revision, as a file for the engine.
    fn difference(&self, revision: &str) -> Result<PathBuf> {
        let mut git = std::process::Command::new("git");
        let (status, text) = command::output(git.args(["diff", revision]).current_dir(&self.root))?;
        ensure!(status.success(), "git diff {revision}: {text}");
        fs::create_dir_all(&self.target).context("no folder for the difference")?;
        let file = self.target.join("difference");
        fs::write(&file, text + "\n").context("cannot write the difference")?;
        Ok(file)
    }

    /// Who notices each of these mutants, which are in the order of the engine.
    fn verdicts(&self, ids: &[&str], part: bool) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let judged = self.target.join(&self.name).join("judged");
        if judged.exists() {
            fs::remove_dir_all(&judged).context("cannot remove old verdicts")?;
        }
        fs::create_dir_all(&judged).context("no folder for verdicts")?;
        let part = if part { ids } else { &[] };
        let harness =
            ["--test-package", "harness", "--include-test", "kinds", "--whole-test-binaries"];
        // The test has limits of its own, one for each kind, and says nothing while they run.
        let patience = ["--minimum-test-timeout", "900", "--no-stall-detection"];
        let by_kinds =
            self.statuses("kinds", part, &[harness.as_slice(), &patience].concat(), Some(&judged))?;
        let by_own = self.statuses("own", part, &["--minimum-test-timeout", "60"], None)?;
        let mut verdicts = BTreeMap::new();
        for (index, id) in ids.iter().enumerate() {
            let status = |of: &BTreeMap<String, String>| {
                of.get(*id).cloned().with_context(|| format!("the engine has not judged {id}"))
            };
            let (kinds, own) = (status(&by_kinds)?, status(&by_own)?);
            let mut caught_by = BTreeSet::new();
            if kinds == "CompileError" {
                caught_by.insert("compiler".to_owned());
            } else {
                // The engine numbers from 1 what it judges.
                let file = judged.join((index + 1).to_string());
                let text = fs::read_to_string(&file).unwrap_or_default();
                caught_by.extend(text.lines().map(str::to_owned));
                ensure!(
                    matches!(kinds.as_str(), "Killed" | "Timeout") != caught_by.is_empty(),
                    "the engine says of {id}: {kinds}, and {} says: {caught_by:?}",
                    file.display()
                );
                if matches!(own.as_str(), "Killed" | "Timeout") {
                    caught_by.insert("own".to_owned());
                }
            }
            verdicts.insert((*id).to_owned(), caught_by);
        }
        Ok(verdicts)
    }

    /// What a judge makes of the mutants, or of a part of them, in the words of the engine.
    fn statuses(
        &self,
        judge: &str,
        part: &[&str],
        arguments: &[&str],
        judged: Option<&Path>,
    ) -> Result<BTreeMap<String, String>> {
        let folder = self.target.join(&self.name).join(judge);
        let mut engine = command::cargo("gamma");
        engine
            .args(["run", "--no-config", "-p", &self.name, "--mutators", MUTATORS])
            .args(arguments);
        engine.args([
            "--incremental",
            "no",
            "--memory",
            "off",
            "--no-relaunch",
            "--progress",
            "never",
        ]);
        engine.arg("--artifact-dir").arg(&folder).current_dir(&self.root);
        engine.args(part.iter().flat_map(|id| ["--mutant", id]));
        if let Some(judged) = judged {
            // As many mutants at a time as there are processors, each of them on one.
            engine.env("JUDGED", judged).env("RAYON_NUM_THREADS", "1");
        }
        if !command::run(&mut engine)?.success() {
            bail!("cargo gamma has not judged {}: see its output above", self.name);
        }
        let report: Report = json(&folder.join("gamma-report.json"))?;
        let reported = report.files.into_values().flat_map(|file| file.mutants);
        Ok(reported.map(|mutant| (mutant.id, mutant.status)).collect())
    }

    /// What is wrong with the record, each as a line.
    fn problems(&self) -> Result<Vec<String>> {
        let path = self.root.join(RECORDS).join(EQUIVALENT);
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut reasons: BTreeMap<String, BTreeMap<String, String>> =
            toml::from_str(&text).with_context(|| format!("cannot parse {}", path.display()))?;
        let present = self.listed(None)?.into_iter().map(|mutant| mutant.id).collect();
        let reasons = reasons.remove(&self.name).unwrap_or_default();
        let problems = problems(&self.record()?, &present, &reasons);
        Ok(problems.into_iter().map(|problem| format!("{}: {problem}", self.name)).collect())
    }
}

/// What is wrong with a record of these mutants and the reasons why some survived.
fn problems(
    record: &Record,
    present: &BTreeSet<String>,
    reasons: &BTreeMap<String, String>,
) -> Vec<String> {
    let recorded: BTreeSet<_> = record.mutants.iter().map(|mutant| mutant.id.clone()).collect();
    let mut problems = Vec::new();
    let (new, gone) = (present.difference(&recorded).count(), recorded.difference(present).count());
    if (new, gone) != (0, 0) {
        problems.push(format!(
            "the record lacks {new} mutants of the code and has {gone} that are there no more; \
             cargo xtask mutants --open judges what it lacks"
        ));
    }
    let survived = || record.mutants.iter().filter(|mutant| mutant.caught_by.is_empty());
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

fn recorded(listed: &Listed, caught_by: BTreeSet<String>) -> Mutant {
    // A body is in the file; its beginning tells which one it is.
    let short = |code: &str| {
        let line = code.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.chars().count() <= 72 {
            line
        } else {
            line.chars().take(71).chain(['…']).collect()
        }
    };
    let Listed { id, file, item_path, mutator, original, replacement, .. } = listed;
    Mutant {
        id: id.clone(),
        file: file.clone(),
        item: item_path.clone(),
        mutator: mutator.clone(),
        change: format!("{} → {}", short(original), short(replacement)),
        caught_by,
    }
}

/// Writes a record with a line for each run and each mutant, so that a difference shows which changed.
fn write(file: &Path, Record { engine, runs, mutants }: &Record) -> Result<()> {
    let text = format!(
        "{{\"engine\": {},\n\"runs\": [\n{}\n],\n\"mutants\": [\n{}\n]}}\n",
        serde_json::to_string(engine)?,
        lines(runs)?,
        lines(mutants)?
    );
    system::replace(file, text.as_bytes())
        .with_context(|| format!("cannot write {}", file.display()))
}

fn lines(values: &[impl Serialize]) -> Result<String> {
    let lines: Result<Vec<String>, _> = values.iter().map(serde_json::to_string).collect();
    Ok(lines?.join(",\n"))
}

fn json<T: DeserializeOwned>(file: &Path) -> Result<T> {
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
            problems(&record, &present, &reasons)
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
