//! `grade` and `regrade`: from folders to points.

use std::collections::BTreeMap;
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sha2::{Digest, Sha256};
use signal_hook::consts::{SIGINT, SIGTERM};
use subject::NUMPY_ADAPTER;
use system::{eprintln, print};

use crate::hand_in::{self, HandIn, Kind, SUBJECT_FILE};
use crate::points;
use crate::products::Products;
use crate::rust::{self, Clean};
use crate::sandbox::{Rights, Sandbox};
use crate::verification::{Record, Verification, records};

/// Verify hand-ins in isolation, and give points
///
/// A PATH is one hand-in, or a folder of many: one whose subfolders are hand-ins. A hand-in has the course's package in
/// NumPy, or is a starter in Rust that is filled in, or has a file subject.toml with a line such as
/// command = ["node", "subject.mjs"] for a program in any language that speaks the protocol.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A hand-in, or a folder of hand-ins
    #[arg(required_unless_present = "print_points")]
    path: Vec<PathBuf>,

    /// Run only the checks that this name selects, as cargo xtask test does
    #[arg(long, value_name = "FILTER")]
    only: Option<String>,

    /// The folder of results, a file for each hand-in; what is there and has not changed is not verified again
    /// [default: grades in cargo's target folder]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Each PATH is one hand-in, wherever in it the code lies
    #[arg(long)]
    one: bool,

    /// How many hand-ins are verified at a time; as many as there are cores by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,

    /// Print the points that are given without --points, as a file to change
    #[arg(long)]
    print_points: bool,

    #[command(flatten)]
    rights: Rights,

    #[command(flatten)]
    products: Products,
}

/// Give points again, from the results of an earlier run
#[derive(clap::Args)]
pub(crate) struct Again {
    /// The folder of results; by default that where cargo xtask grade writes them
    output: Option<PathBuf>,

    #[command(flatten)]
    products: Products,
}

/// Grade the workspace's own implementation with a deliberate bug, as a hand-in
#[derive(clap::Args)]
pub(crate) struct Demonstrate {
    /// The bug, such as ReLU.relu-sign; the checks of its room are run
    #[arg(value_name = "ROOM.BUG")]
    bug: String,
}

pub(crate) const ISOLATION: &str = "isolation";
pub(crate) const ONLY: &str = "only";

impl Arguments {
    pub(crate) fn run(self) -> Result<ExitCode> {
        if self.print_points {
            print!("{}", points::DEFAULT);
            return Ok(ExitCode::SUCCESS);
        }
        // A mistake in the points or in a name should not show after hours.
        let only = self.only.as_deref();
        self.products.points()?.expect_earned(&harness::asked(only)?, only.unwrap_or_default())?;
        self.products.check_folders()?;
        let hand_ins = hand_in::find(&self.path, self.one)?;
        if self.products.gradescope.is_some() && hand_ins.len() != 1 {
            bail!("--gradescope is for one hand-in, but there are {}", hand_ins.len());
        }
        let (workspace, folder) = (workspace()?, results_folder(self.output)?);
        // Expected values, the outcomes of others, the work of others.
        let results = std::path::absolute(&folder)?;
        let own = [&*workspace, &*results].into_iter();
        let secrets: Vec<&Path> = own.chain(hand_ins.iter().map(|own| &*own.folder)).collect();
        let sandbox = Sandbox::find(self.rights.clone(), &secrets)?;
        eprintln!("isolation: {}", sandbox.mechanisms);
        let kinds = hand_ins.iter().map(HandIn::kind).collect::<Result<Vec<_>>>()?;
        let numpy = kinds.iter().position(|kind| *kind == Kind::Numpy);
        if sandbox.python().is_empty()
            && let Some(numpy) = numpy.map(|at| &hand_ins[at])
        {
            bail!(
                "{} has no {SUBJECT_FILE} and is no starter, so it should be in NumPy, but the python3 that is found \
                 first has none; put one that has it first in PATH, such as that of a virtual environment",
                numpy.folder.display()
            );
        }
        fs::create_dir_all(&folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
        }
        let versions = versions(&workspace, &sandbox, only, &self.rights)?;
        let is_rust = kinds.iter().any(|kind| matches!(kind, Kind::Rust(_)));
        let clean = match is_rust {
            true => Some(Clean::prepare(&workspace)?),
            false => None,
        };
        let verification = Verification {
            sandbox: &sandbox,
            clean: clean.as_ref(),
            versions,
            only,
            records: &folder,
            time_limit: self.rights.time_limit,
            request_limit: self.rights.request_limit,
            interrupted: &interrupted,
        };
        let workers = match self.workers {
            Some(workers) => workers.into(),
            None => thread::available_parallelism().map_or(1, usize::from),
        };
        let (records, failures) = verify(&hand_ins, &verification, workers);
        if interrupted.load(Ordering::Relaxed) {
            eprintln!("interrupted; the same command goes on with what is missing");
            return Ok(ExitCode::from(130));
        }
        for failure in &failures {
            eprintln!("error: {failure}");
        }
        if !records.is_empty() {
            self.products.write(&records)?;
        }
        eprintln!("results: {}", folder.display());
        Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Again {
    pub(crate) fn run(self) -> Result<ExitCode> {
        self.products.check_folders()?;
        let folder = results_folder(self.output)?;
        self.products.write(&records(&folder)?)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Demonstrate {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let (room, _) = self.bug.split_once('.').with_context(|| {
            format!("{:?} is no bug; cargo xtask test --list controls lists them", self.bug)
        })?;
        let folder = tempfile::tempdir()?;
        let hand_in = folder.path().join("hand-in");
        fs::create_dir(&hand_in)?;
        let own = std::env::current_exe()?;
        let command = [&*own.to_string_lossy(), "harness", "serve", "--bug", &self.bug];
        // A list of JSON is one of TOML.
        let command = serde_json::to_string(&command)?;
        fs::write(hand_in.join(SUBJECT_FILE), format!("command = {command}\n"))?;
        let arguments = Arguments {
            path: vec![hand_in],
            only: Some(room.to_owned()),
            one: true,
            output: Some(folder.path().join("grades")),
            workers: None,
            print_points: false,
            rights: Rights::of_own_code(),
            products: Products::default(),
        };
        arguments.run()
    }
}

pub(crate) fn workspace() -> Result<PathBuf> {
    let start = system::current_package();
    let root = system::workspace_root(&start).context("run this inside the repository")?;
    Ok(root.canonicalize()?)
}

/// The folder of results, that which is named or one in cargo's target folder.
fn results_folder(named: Option<PathBuf>) -> Result<PathBuf> {
    named.map_or_else(|| Ok(system::target_folder(&workspace()?)?.join("grades")), Ok)
}

/// Whatever a record depends on besides the hand-in.
fn versions(
    workspace: &Path,
    sandbox: &Sandbox,
    only: Option<&str>,
    rights: &Rights,
) -> Result<BTreeMap<String, String>> {
    let own = std::env::current_exe()?;
    let hash = Command::new(own).args(["harness", "inputs-hash"]).output()?;
    if !hash.status.success() {
        bail!("the grader's version is unknown: {}", String::from_utf8_lossy(&hash.stderr).trim());
    }
    let adapter = system::hex(&Sha256::digest(NUMPY_ADAPTER));
    Ok([
        ("grader", String::from_utf8_lossy(&hash.stdout).trim().to_owned()),
        ("adapter", adapter),
        ("interpreter", sandbox.python().to_owned()),
        // Without it, there are other hand-ins.
        ("compiler", rust::version(workspace).unwrap_or_default()),
        (ISOLATION, sandbox.mechanisms.clone()),
        (ONLY, only.unwrap_or_default().to_owned()),
        (
            "limits",
            format!(
                "{} s, {} s for a request, {} s to compile",
                rights.time_limit, rights.request_limit, rights.build_limit
            ),
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into())
}

/// Verifies all hand-ins, several at a time; their records, and what could not be graded.
fn verify(
    hand_ins: &[HandIn],
    how: &Verification<'_>,
    workers: usize,
) -> (Vec<Record>, Vec<String>) {
    let bar = ProgressBar::new(hand_ins.len() as u64);
    if std::io::stderr().is_terminal() {
        let style = ProgressStyle::with_template("{pos} of {len} hand-ins, about {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    } else {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let start = Instant::now();
    let (next, done) = (AtomicUsize::new(0), Mutex::new((Vec::new(), Vec::new(), 0_u32)));
    let work = || {
        while let Some(hand_in) = hand_ins.get(next.fetch_add(1, Ordering::Relaxed)) {
            if how.interrupted.load(Ordering::Relaxed) {
                return;
            }
            let record = how.record(hand_in);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            let (records, failures, fresh) = &mut *done;
            let what = match record {
                Ok((record, is_new)) => {
                    *fresh += u32::from(is_new);
                    let passed =
                        record.verified.checks.iter().filter(|check| check.status == "ok").count();
                    let what = match (&record.verified.error, is_new) {
                        (Some(error), _) => {
                            format!("not verified: {}", error.replace('\n', " "))
                        }
                        (None, true) => {
                            format!("{passed} checks passed in {:.1} s", record.verified.seconds)
                        }
                        (None, false) => format!("{passed} checks passed, as before"),
                    };
                    records.push(record);
                    what
                }
                Err(error) => {
                    failures.push(format!("{}: {error:#}", hand_in.name));
                    "not graded".to_owned()
                }
            };
            let (finished, all) = (records.len() + failures.len(), hand_ins.len());
            bar.inc(1);
            let line = format!("{finished}/{all} {}: {what}", hand_in.name);
            if bar.is_hidden() {
                let left =
                    start.elapsed().as_secs_f64() / f64::from(*fresh) * (all - finished) as f64;
                let left = if *fresh > 0 && finished < all {
                    format!("; about {left:.0} s left")
                } else {
                    String::new()
                };
                eprintln!("{line}{left}");
            } else {
                bar.println(line);
            }
        }
    };
    thread::scope(|scope| (0..workers.min(hand_ins.len())).for_each(|_| drop(scope.spawn(work))));
    bar.finish_and_clear();
    let (mut records, failures, _) = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    records.sort_by(|a, b| a.name.cmp(&b.name));
    (records, failures)
}
