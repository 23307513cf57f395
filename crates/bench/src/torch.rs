//! PyTorch as a peer: a child process that times what it is told to.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{BenchModel, By, Case, Sample, Subject, Torch};

/// The program of the child, handed over as an argument.
const PROGRAM: &str = include_str!("../peers/torch_steps.py");

/// OpenMP's threads of the child look for work for a while after each of its calls. Ours begin only
/// when they have gone to sleep.
const SETTLE: Duration = Duration::from_millis(20);

/// How the child gets its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocator {
    /// As glibc gives it: a large array comes from the system, which fills it with zeros, page by page,
    /// and goes back to it.
    Default,
    /// Nothing goes back, so that what was freed is used again.
    Tuned,
}

/// glibc takes no more than 32 MiB for the threshold above which it asks the system for an array of
/// its own, so that is switched off as a whole.
const TUNED: [(&str, &str); 3] = [
    ("MALLOC_MMAP_MAX_", "0"),
    ("MALLOC_TRIM_THRESHOLD_", "17179869184"),
    ("MALLOC_TOP_PAD_", "268435456"),
];

/// A running child.
pub struct Peer {
    child: Child,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
    allocator: Allocator,
    /// What it said of itself.
    versions: (String, String),
}

/// What the child answers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Reply {
    Ready { torch: String, python: String },
    Sample { seconds: f64, page_faults: f64 },
    PeakMemory { bytes: u64 },
    Failed { error: String },
}

impl Allocator {
    fn environment(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Default => &[],
            Self::Tuned => &TUNED,
        }
    }

    /// Whose code a case of the child is.
    #[must_use]
    pub fn by(self) -> By {
        match self {
            Self::Default => By::Pytorch,
            Self::Tuned => By::PytorchTuned,
        }
    }
}

impl Peer {
    /// Starts a child with this Python.
    ///
    /// # Errors
    /// If there is no such Python, or it has no PyTorch.
    pub fn start(python: &str, allocator: Allocator) -> Result<Self> {
        let mut command = Command::new(python);
        command.args(["-u", "-c", PROGRAM]).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.envs(allocator.environment().iter().copied());
        let mut child = command.spawn().with_context(|| {
            format!("--torch needs a Python with PyTorch, but `{python}` cannot be run; name another with --torch=PYTHON")
        })?;
        let requests = child.stdin.take().context("the child has no standard input")?;
        let replies = child.stdout.take().context("the child has no standard output")?;
        let replies = BufReader::new(replies);
        let versions = (String::new(), String::new());
        let mut peer = Self { child, requests, replies, allocator, versions };
        match peer.reply() {
            Ok(Reply::Ready { torch, python }) => peer.versions = (torch, python),
            Ok(Reply::Failed { error }) => bail!(
                "--torch needs a Python with PyTorch, but `{python}` says: {error}; install it there, or \
                 name another with --torch=PYTHON"
            ),
            Ok(_) => bail!("`{python}` gave an answer without a question"),
            Err(error) => {
                return Err(
                    error.context(format!("--torch needs a Python, but is `{python}` one?"))
                );
            }
        }
        Ok(peer)
    }

    /// What a record says of it.
    #[must_use]
    pub fn description(&self) -> Torch {
        let (version, python) = self.versions.clone();
        let tuned = TUNED.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Torch { version, python, tuned }
    }

    fn reply(&mut self) -> Result<Reply> {
        let mut line = String::new();
        let length = self.replies.read_line(&mut line).context("cannot read from PyTorch")?;
        ensure!(length > 0, "the process of PyTorch has ended; what it said is above");
        serde_json::from_str(&line).with_context(|| format!("PyTorch answered {line:?}"))
    }

    fn ask(&mut self, request: &Value) -> Result<Reply> {
        writeln!(self.requests, "{request}").context("cannot write to PyTorch")?;
        let reply = self.reply();
        std::thread::sleep(SETTLE);
        match reply? {
            Reply::Failed { error } => bail!("PyTorch: {error}"),
            reply => Ok(reply),
        }
    }

    /// The peak memory of a child that makes some training steps and nothing else.
    ///
    /// # Errors
    /// If it fails.
    pub fn peak_memory(
        python: &str,
        model: &BenchModel,
        batch: usize,
        threads: usize,
    ) -> Result<u64> {
        let mut peer = Self::start(python, Allocator::Default)?;
        let subject = Subject::Step { model: model.name.to_owned(), width: model.width };
        let mut request = request("memory", &subject, batch, threads, Some(model))?;
        request["ask"] = json!("peak_memory");
        match peer.ask(&request)? {
            Reply::PeakMemory { bytes } => Ok(bytes),
            _ => bail!("PyTorch did not say how much memory it took"),
        }
    }

    /// The same as one of our cases, by this child; nothing if it does not know how.
    ///
    /// # Errors
    /// If the case cannot be described to it.
    pub fn case(peer: &Arc<Mutex<Self>>, ours: &Case, model: Option<&BenchModel>) -> Result<Case> {
        let allocator = peer.lock().map_or(Allocator::Default, |peer| peer.allocator);
        let key = ours.name.rsplit_once('/').map_or(ours.name.as_str(), |(key, _)| key);
        let mut subject = ours.subject.clone();
        // It chooses among its algorithms by itself.
        if let Subject::Convolution { chosen, .. } = &mut subject {
            *chosen = true;
        }
        let mut request = request(key, &subject, ours.batch, ours.threads, model)?;
        let peer = Arc::clone(peer);
        let run = move |calls: u32| -> Result<Sample> {
            let mut peer = peer.lock().ok().context("an earlier case of PyTorch has failed")?;
            request["calls"] = calls.into();
            match peer.ask(&request)? {
                Reply::Sample { seconds, page_faults } => {
                    Ok(Sample { seconds, page_faults: Some(page_faults) })
                }
                _ => bail!("PyTorch did not say how long it took"),
            }
        };
        Ok(Case {
            name: format!("{key}/{}", allocator.by()),
            subject,
            by: allocator.by(),
            batch: ours.batch,
            threads: ours.threads,
            work: ours.work,
            run: Box::new(run),
        })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A case as the child is told of it.
fn request(
    key: &str,
    subject: &Subject,
    batch: usize,
    threads: usize,
    model: Option<&BenchModel>,
) -> Result<Value> {
    let mut request = json!({
        "ask": "time",
        "key": key,
        "subject": serde_json::to_value(subject)?,
        "batch": batch,
        "threads": threads,
    });
    if let Some(model) = model {
        request["input_shape"] = serde_json::to_value(&model.input_shape)?;
        request["layers"] = serde_json::to_value(&model.layers)?;
        request["frozen_first_weights"] = model.frozen_first_weights.into();
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_python_that_is_none_is_named() {
        let error = Peer::start("/no/such/python", Allocator::Default).err().unwrap();
        assert!(error.to_string().contains("`/no/such/python` cannot be run"), "{error:#}");
        let error = Peer::start("true", Allocator::Default).err().unwrap();
        assert!(format!("{error:#}").contains("is `true` one?"), "{error:#}");
    }

    #[test]
    fn the_child_is_told_the_layers() {
        let model = BenchModel::simple();
        let subject = Subject::Step { model: "simple".into(), width: 1.0 };
        let request = request("step/simple-64", &subject, 64, 2, Some(&model)).unwrap();
        assert_eq!(request["subject"]["kind"], "step");
        assert_eq!(request["layers"][0]["layer"], "conv2d");
        assert_eq!(request["layers"][0]["activation"], "relu");
        assert_eq!(request["input_shape"], json!([32, 32, 3]));
    }
}
