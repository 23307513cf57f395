//! The verification of one hand-in by the harness, and its record, which outlives changes of points.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::hand_in::{HandIn, Kind};
use crate::rust::{self, Clean};
use crate::sandbox::Sandbox;
use crate::snapshot::Snapshot;

/// The present version of the form of records.
const SCHEMA: u32 = 1;

/// What came of a hand-in, check by check.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    schema: u32,
    pub(crate) name: String,
    pub(crate) sha256: String,
    /// What the outcome depends on besides the hand-in: the versions of grader and interpreter, the isolation, options.
    pub(crate) versions: BTreeMap<String, String>,
    pub(crate) verified: Verified,
}

/// What the harness says of a hand-in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Verified {
    /// Why nothing could be verified.
    pub(crate) error: Option<String>,
    pub(crate) remarks: Vec<String>,
    pub(crate) seconds: f64,
    /// Names of checks that it is not asked, because several answers are right and it gives another one.
    pub(crate) excused: Vec<String>,
    pub(crate) checks: Vec<Checked>,
}

/// The outcome of one check.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Checked {
    pub(crate) id: String,
    /// The class that it checks, known with the points.
    #[serde(skip)]
    pub(crate) class: String,
    /// `"ok"`, `"FAIL"`, `"ERROR"` or `"skipped"`, which is none that earns points.
    pub(crate) status: String,
    pub(crate) detail: String,
    /// The known mistakes that look like it, and where the formula is derived.
    pub(crate) explanation: String,
    pub(crate) seconds: f64,
}

/// How hand-ins are verified.
pub(crate) struct Verification<'a> {
    pub(crate) sandbox: &'a Sandbox,
    /// What hand-ins in Rust are put into, if there are any.
    pub(crate) clean: Option<&'a Clean>,
    pub(crate) versions: BTreeMap<String, String>,
    /// The checks that are run, if not all.
    pub(crate) only: Option<&'a str>,
    /// Where records are kept.
    pub(crate) records: &'a Path,
    pub(crate) time_limit: u64,
    pub(crate) request_limit: u64,
    /// Set by whoever wants it to end.
    pub(crate) interrupted: &'a AtomicBool,
}

impl Verification<'_> {
    /// The record of a hand-in: that of an earlier run if nothing has changed, which is said, or a new one.
    ///
    /// # Errors
    /// What prevents grading, not what is wrong with the hand-in: that is in the record.
    pub(crate) fn record(&self, hand_in: &HandIn) -> Result<(Record, bool)> {
        let file = self.records.join(format!("{}.json", hand_in.name));
        let snapshot = Snapshot::take(hand_in, self.sandbox.owner());
        let sha256 = snapshot.as_ref().map_or_else(|_| String::new(), |own| own.sha256.clone());
        let earlier = fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let same = |earlier: &Record| {
            earlier.schema == SCHEMA
                && (&earlier.sha256, &earlier.versions) == (&sha256, &self.versions)
        };
        // What could not be copied is tried again.
        if let Some(earlier) = earlier.filter(|own| snapshot.is_ok() && same(own)) {
            return Ok((earlier, false));
        }
        let verified = match snapshot {
            Err(error) => Verified { error: Some(format!("{error:#}")), ..Verified::default() },
            Ok(snapshot) => self.verified(&snapshot)?,
        };
        let (name, versions) = (hand_in.name.clone(), self.versions.clone());
        let record = Record { schema: SCHEMA, name, sha256, versions, verified };
        let text = serde_json::to_string_pretty(&record)? + "\n";
        system::replace(&file, text.as_bytes())
            .with_context(|| format!("{} cannot be written", file.display()))?;
        Ok((record, true))
    }

    fn verified(&self, snapshot: &Snapshot) -> Result<Verified> {
        let mut remarks: Vec<String> =
            snapshot.left_out.iter().map(|path| format!("not copied: {path}")).collect();
        let mut folder = snapshot.folder();
        // As the student would type it.
        let (program, shown) = match (&snapshot.kind, self.clean, snapshot.command()) {
            (Kind::Rust(_), Some(clean), _) => {
                let built = rust::build(self, clean, snapshot)?;
                remarks.extend(built.remarks);
                folder = snapshot.beside("program");
                (Some(vec![built.program.to_string_lossy().into_owned()]), String::new())
            }
            (Kind::Program, _, Ok(Some(words))) => {
                let line: Vec<String> = words.iter().map(system::quoted).collect();
                (Some(words), format!("--subject {}", system::quoted(line.join(" "))))
            }
            (_, _, Ok(_)) => (None, "--numpy DIR".to_owned()),
            (_, _, Err(error)) => {
                let error = Some(format!("{error:#}"));
                return Ok(Verified { error, remarks, ..Verified::default() });
            }
        };
        let command = self.sandbox.command(&folder, program)?;
        // Not in the hand-in's folder, which its program may read, nor in one that others may.
        let only_own = fs::Permissions::from_mode(0o700);
        let results =
            tempfile::Builder::new().prefix("verified-").permissions(only_own).tempdir()?;
        let results = results.path().join("results.json");
        let mut harness = Command::new(std::env::current_exe()?);
        harness.args(["harness", "test"]).args(self.only);
        harness.arg("--subject").arg(command).arg(format!("--shown={shown}"));
        harness.arg("--results").arg(&results);
        harness.arg("--time-limit").arg(self.time_limit.to_string());
        harness.arg("--request-limit").arg(self.request_limit.to_string());
        // As many hand-ins at a time as there are cores, so each of them has one.
        harness.env("RAYON_NUM_THREADS", "1").stdin(Stdio::null()).stdout(Stdio::null());
        let log = tempfile::tempfile()?;
        let mut harness = harness.stderr(log.try_clone()?).spawn()?;
        // The harness keeps to the time limit itself and has some more to explain what failed.
        let limit = Duration::from_secs(2 * self.time_limit + 120);
        let status = ended(&mut harness, limit, self.interrupted)?;
        let status = status.context("the harness did not end")?;
        let Ok(text) = fs::read_to_string(&results) else {
            let mut log = log;
            std::io::Seek::rewind(&mut log)?;
            let errors = std::io::read_to_string(log)?;
            bail!("the harness ended with {status} and wrote no results: {}", errors.trim());
        };
        // The name of the copy is another one in every run.
        let text = text.replace(&*folder.to_string_lossy(), ".");
        let mut verified: Verified = serde_json::from_str(&text)?;
        verified.remarks.extend(remarks);
        Ok(verified)
    }
}

/// Waits for a process, and ends it after the time limit: it has no status then.
///
/// # Errors
/// If whoever grades wants it to end.
pub(crate) fn ended(
    process: &mut Child,
    limit: Duration,
    interrupted: &AtomicBool,
) -> Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = process.try_wait()? {
            return Ok(Some(status));
        }
        let interrupted = interrupted.load(Ordering::Relaxed);
        if interrupted || Instant::now() > end {
            process.kill()?;
            process.wait()?;
            if interrupted {
                bail!("interrupted");
            }
            return Ok(None);
        }
        sleep(Duration::from_millis(20));
    }
}

const WRITES_THEM: &str = "cargo xtask grade PATH writes them";

/// All records of a folder, in the order of their names.
pub(crate) fn records(folder: &Path) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    let entries = system::entries(folder)
        .with_context(|| format!("{} holds no results; {WRITES_THEM}", folder.display()))?;
    for path in entries.iter().map(fs::DirEntry::path) {
        if path.extension().is_some_and(|extension| extension == "json") {
            let text =
                fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            let record: Record = serde_json::from_slice(&text).with_context(|| {
                format!(
                    "{} is no record of a hand-in; name the folder that cargo xtask grade wrote",
                    path.display()
                )
            })?;
            records.push(record);
        }
    }
    if records.is_empty() {
        bail!("{} holds no results; {WRITES_THEM}", folder.display());
    }
    Ok(records)
}
