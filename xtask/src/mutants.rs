//! `cargo xtask mutants`: which kind of check notices which small change of the code.
//!
//! The engine, cargo-gamma, compiles all changes of a crate into one set of programs and switches one on by a
//! variable. Two judges run on each: the kinds of check of the harness (`crates/harness/tests/kinds.rs`), and the
//! tests of the crate.

mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::builder::PossibleValuesParser;
use record::{EQUIVALENT, Mutant, Record, Run, json};
use serde::Deserialize;
use system::println;

use crate::{command, verdict, workspace};

const ENGINE: &str = "cargo-gamma 0.4.0";

/// The crates that compute.
const CRATES: [&str; 7] =
    ["activations", "losses", "optim", "layers", "network", "cnn", "datasets"];

/// All changes that the engine makes of itself but for other texts, which are those of messages.
const MUTATORS: &str = "@default,!literal.str_to_empty,!literal.str_to_xyzzy,!fn_value.empty_string,\
                        !fn_value.xyzzy_string";

/// The judge that is the harness, and the folder where it leaves the kinds that notice.
const KINDS: &str = "kinds";
const JUDGED: &str = "judged";

/// The folder of the records, one for each crate.
const RECORDS: &str = "book/records/mutants";

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

/// A mutant of the present code, as the engine lists it.
#[derive(Deserialize)]
struct Listed {
    id: String,
    ordinal: usize,
    file: String,
    package: String,
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
    let campaign = Campaign { target: system::target_folder(&root)?.join("mutants"), root, crates };
    if !check {
        campaign.judge(in_diff.as_deref(), *open)?;
    }
    let problems = campaign.problems()?;
    problems.iter().for_each(|problem| println!("{problem}"));
    Ok(verdict(problems.is_empty()))
}

/// The crates whose code is changed; the engine compiles all of them once.
struct Campaign {
    crates: Vec<String>,
    root: PathBuf,
    /// The folder for what judging writes.
    target: PathBuf,
}

impl Campaign {
    fn file(&self, name: &str) -> PathBuf {
        self.root.join(RECORDS).join(format!("{name}.json"))
    }

    fn record(&self, name: &str) -> Result<Record> {
        let file = self.file(name);
        if file.exists() { json(&file) } else { Ok(Record::default()) }
    }

    /// The options by which the engine chooses what to change.
    fn selection(&self) -> impl Iterator<Item = &str> {
        let packages = self.crates.iter().flat_map(|name| ["-p", name]);
        ["--no-config", "--mutators", MUTATORS].into_iter().chain(packages)
    }

    /// The mutants of the present code, those in this difference if there is one.
    fn listed(&self, difference: Option<&Path>) -> Result<Vec<Listed>> {
        let mut list = command::cargo("gamma");
        list.args(["list", "mutants", "--json"]).args(self.selection()).current_dir(&self.root);
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
        let present = self.listed(None)?;
        let mut command = format!("cargo xtask mutants {}", self.crates.join(" "));
        let mut verdicts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let is_part = in_diff.is_some() || open;
        if is_part {
            for name in &self.crates {
                let old = self.record(name)?.mutants.into_iter();
                verdicts.extend(old.map(|mutant| (mutant.id, mutant.caught_by)));
            }
        }
        let mut ids: Vec<&str> = present.iter().map(|mutant| &*mutant.id).collect();
        if let Some(revision) = in_diff {
            command += &format!(" --in-diff {revision}");
            let changed = self.listed(Some(&self.difference(revision)?))?;
            let changed: BTreeSet<&str> = changed.iter().map(|mutant| &*mutant.id).collect();
            ids.retain(|id| changed.contains(id));
        } else if open {
            command += " --open";
            ids.retain(|id| verdicts.get(*id).is_none_or(BTreeSet::is_empty));
        }
        println!("{} of {} mutants", ids.len(), present.len());
        if ids.is_empty() {
            return Ok(());
        }
        let (judged, seconds) = self.verdicts(&ids, is_part)?;
        verdicts.extend(judged);
        let revision = command::revision()?;
        for name in &self.crates {
            let mut runs = if is_part { self.record(name)?.runs } else { Vec::new() };
            let of_crate = || present.iter().filter(|mutant| mutant.package == *name);
            let mutants = of_crate().filter(|mutant| ids.contains(&&*mutant.id)).count();
            if mutants == 0 {
                continue;
            }
            let (command, revision) = (command.clone(), revision.clone());
            runs.push(Run { command, revision, mutants, seconds });
            let judged = |mutant| Some(recorded(mutant, verdicts.get(&mutant.id)?.clone()));
            let mutants = of_crate().filter_map(judged).collect();
            Record { engine: ENGINE.to_owned(), runs, mutants }.write(&self.file(name))?;
        }
        Ok(())
    }

    /// What differs from a revision, as a file for the engine.
    fn difference(&self, revision: &str) -> Result<PathBuf> {
        let mut git = std::process::Command::new("git");
        // The engine refuses a difference in files that it is not to change.
        git.args(["diff", revision, "--"])
            .args(self.crates.iter().map(|name| format!("crates/{name}")));
        let (status, text) = command::output(git.current_dir(&self.root))?;
        ensure!(status.success(), "git diff {revision}: {text}");
        fs::create_dir_all(&self.target).context("no folder for the difference")?;
        let file = self.target.join("difference");
        fs::write(&file, text + "\n").context("cannot write the difference")?;
        Ok(file)
    }

    /// Who notices each of these mutants, which are in the order of the engine, and in how many seconds.
    fn verdicts(
        &self,
        ids: &[&str],
        part: bool,
    ) -> Result<(BTreeMap<String, BTreeSet<String>>, u64)> {
        let part = if part { ids } else { &[] };
        let harness =
            ["--test-package", "harness", "--include-test", "kinds", "--whole-test-binaries"];
        // The test has limits of its own, one for each kind, and says nothing while they run.
        let patience = ["--minimum-test-timeout", "900", "--no-stall-detection"];
        let (by_kinds, first) =
            self.statuses(KINDS, part, &[harness.as_slice(), &patience].concat())?;
        let (by_own, second) = self.statuses("own", part, &["--minimum-test-timeout", "60"])?;
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
                let file = self.target.join(KINDS).join(JUDGED).join((index + 1).to_string());
                let text = fs::read_to_string(&file)
                    .with_context(|| format!("{id} left no {}", file.display()))?;
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
        Ok((verdicts, first + second))
    }

    /// What a judge makes of the mutants, or of a part of them, in the words of the engine, and in how many seconds. It
    /// is not asked again what it has said at the same commit, so that a campaign that was stopped goes on.
    fn statuses(
        &self,
        judge: &str,
        part: &[&str],
        arguments: &[&str],
    ) -> Result<(BTreeMap<String, String>, u64)> {
        let folder = self.target.join(judge);
        let mut engine = command::cargo("gamma");
        engine.arg("run").args(self.selection()).args(arguments);
        engine.args(["--incremental", "no", "--memory", "off", "--no-relaunch"]);
        engine.args(["--progress", "never", "--artifact-dir"]).arg(&folder);
        engine.args(part.iter().flat_map(|id| ["--mutant", id])).current_dir(&self.root);
        if judge == KINDS {
            // As many mutants at a time as there are processors, each of them on one.
            engine.env("JUDGED", folder.join(JUDGED)).env("RAYON_NUM_THREADS", "1");
        }
        let (asked, done) = (format!("{engine:?}\n{}", command::revision()?), folder.join("asked"));
        let known = fs::read_to_string(&done).unwrap_or_default();
        let is_same = |known: &str| known == asked && !asked.ends_with(command::CHANGES);
        let known = known.split_once('\n').filter(|(_, known)| is_same(known));
        let seconds = if let Some((seconds, _)) = known {
            seconds.parse().with_context(|| format!("no seconds in {}", done.display()))?
        } else {
            let start = Instant::now();
            if folder.exists() {
                fs::remove_dir_all(&folder).context("cannot remove old verdicts")?;
            }
            fs::create_dir_all(folder.join(JUDGED)).context("no folder for verdicts")?;
            if !command::run(&mut engine)?.success() {
                bail!("cargo gamma has not judged them: see its output above");
            }
            let seconds = start.elapsed().as_secs();
            fs::write(&done, format!("{seconds}\n{asked}"))
                .context("cannot write what was asked")?;
            seconds
        };
        let report: Report = json(&folder.join("gamma-report.json"))?;
        let reported = report.files.into_values().flat_map(|file| file.mutants);
        Ok((reported.map(|mutant| (mutant.id, mutant.status)).collect(), seconds))
    }

    /// What is wrong with the record, each as a line.
    fn problems(&self) -> Result<Vec<String>> {
        let path = self.root.join(RECORDS).join(EQUIVALENT);
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut reasons: BTreeMap<String, BTreeMap<String, String>> =
            toml::from_str(&text).with_context(|| format!("cannot parse {}", path.display()))?;
        let present = self.listed(None)?;
        let mut found = Vec::new();
        for name in &self.crates {
            let of_crate = present.iter().filter(|mutant| mutant.package == *name);
            let present = of_crate.map(|mutant| mutant.id.clone()).collect();
            let reasons = reasons.remove(name).unwrap_or_default();
            let problems = self.record(name)?.problems(&present, &reasons);
            found.extend(problems.into_iter().map(|problem| format!("{name}: {problem}")));
        }
        Ok(found)
    }
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
