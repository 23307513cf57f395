//! A peer: a child process with another framework, which times what it is told to.
//!
//! Both speak JSON, a message a line. The child says first what it is, then answers each request. PyTorch is
//! a program in Python, handed over as an argument; frameworks in Rust are programs of their own below
//! `crates/bench/peers/`, no members of the workspace, which are built when they are asked for.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bench::{By, Framework, Measurement, Record, Subject, Torch};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::models::BenchModel;
use crate::rounds::{Case, Sample};
use crate::steps::network;

/// The program of PyTorch.
const TORCH: &str = include_str!("../peers/torch_steps.py");

/// The environment of [`By::PytorchTuned`], in which nothing that was freed goes back to the system. Else
/// a large array comes from there, which fills it with zeros, page by page. glibc takes no more than 32 MiB
/// for the threshold above which it asks the system for an array of its own, so that is switched off.
const TUNED: [(&str, &str); 3] = [
    ("MALLOC_MMAP_MAX_", "0"),
    ("MALLOC_TRIM_THRESHOLD_", "17179869184"),
    ("MALLOC_TOP_PAD_", "268435456"),
];

/// The threads of the child, above all those of OpenMP, look for work for a while after each of its
/// calls. Ours begin only when they have gone to sleep.
const SETTLE: Duration = Duration::from_millis(20);

/// A running child.
pub(crate) struct Peer {
    child: Child,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
    by: By,
    hello: Hello,
}

/// The first message of a child.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Hello {
    Failed { error: String },
    Torch { torch: String, python: String },
    Framework { framework: String, version: String, optimiser: String },
}

impl Peer {
    /// Starts a framework, PyTorch by this Python, the others built first if need be.
    pub(crate) fn start(by: By, python: &str, threads: usize) -> Result<Self> {
        if matches!(by, By::Pytorch | By::PytorchTuned) {
            let tuned = TUNED.iter().filter(|_| by == By::PytorchTuned).copied();
            let peer = Self::spawn(Command::new(python).args(["-u", "-c", TORCH]).envs(tuned), by);
            return peer.with_context(|| {
                format!("--torch needs a Python with PyTorch, but is `{python}` one? Install it there, or name another with --torch=PYTHON")
            });
        }
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/peers"));
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let program = build(by, folder, &system::target_folder(root)?.join("peers"))?;
        // The frameworks take the number of rayon's threads, and check it with each request.
        let mut command = Command::new(&program);
        Self::spawn(command.env("RAYON_NUM_THREADS", threads.to_string()), by)
            .with_context(|| format!("--{by}: cannot run {}", program.display()))
    }

    fn spawn(command: &mut Command, by: By) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let requests = child.stdin.take().context("the child has no standard input")?;
        let replies = child.stdout.take().context("the child has no standard output")?;
        let mut replies = BufReader::new(replies);
        let hello = receive(&mut replies, by)?;
        if let Hello::Failed { error } = hello {
            bail!("{by}: {error}");
        }
        Ok(Self { child, requests, replies, by, hello })
    }

    /// Adds to the record what the child said of itself.
    pub(crate) fn introduce(&self, record: &mut Record) {
        match self.hello.clone() {
            Hello::Torch { torch: version, python } => {
                let tuned = TUNED.map(|(name, value)| format!("{name}={value}")).to_vec();
                record.torch = Some(Torch { version, python, tuned });
            }
            Hello::Framework { framework: name, version, optimiser } => {
                record.frameworks.push(Framework { by: self.by, name, version, optimiser });
            }
            Hello::Failed { .. } => {}
        }
    }

    /// The answer to a request.
    fn ask<T: DeserializeOwned>(&mut self, request: &Value) -> Result<T> {
        let by = self.by;
        writeln!(self.requests, "{request}").with_context(|| format!("cannot write to {by}"))?;
        let reply = receive::<Value>(&mut self.replies, by);
        std::thread::sleep(SETTLE);
        let reply = reply?;
        if let Some(error) = reply.get("error") {
            bail!("{by}: {}", error.as_str().unwrap_or("an error without a message"));
        }
        T::deserialize(&reply).with_context(|| format!("{by} answered {reply}"))
    }

    /// The same as one of our cases, by this child.
    pub(crate) fn case(peer: &Arc<Mutex<Self>>, ours: &Case) -> Result<Case> {
        const FAILED: &str = "an earlier case of this peer has failed";
        let by = peer.lock().ok().context(FAILED)?.by;
        let mut measurement = Measurement { by, ..ours.measurement.clone() };
        measurement.name = format!("{}/{by}", ours.measurement.key());
        // It chooses among its algorithms by itself.
        if let Subject::Convolution { chosen, .. } = &mut measurement.subject {
            *chosen = true;
        }
        let Measurement { subject, batch, threads, .. } = &measurement;
        let mut request =
            request("time", measurement.key(), subject, *batch, *threads, ours.model.as_ref())?;
        let peer = Arc::clone(peer);
        let run = move |calls: u32| -> Result<Sample> {
            request["calls"] = calls.into();
            peer.lock().ok().context(FAILED)?.ask(&request)
        };
        Ok(Case { measurement, model: None, run: Box::new(run) })
    }

    /// The peak memory of a child that makes some training steps and nothing else, in bytes.
    pub(crate) fn peak_memory(
        mut self,
        model: &BenchModel,
        batch: usize,
        threads: usize,
    ) -> Result<u64> {
        #[derive(Deserialize)]
        struct Peak {
            bytes: u64,
        }
        let subject = Subject::Step { model: model.name.to_owned(), width: model.width };
        let request = request("peak_memory", "memory", &subject, batch, threads, Some(model))?;
        Ok(self.ask::<Peak>(&request)?.bytes)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The next message of the child.
fn receive<T: DeserializeOwned>(replies: &mut impl BufRead, by: By) -> Result<T> {
    let mut line = String::new();
    let length = replies.read_line(&mut line).with_context(|| format!("cannot read from {by}"))?;
    ensure!(length > 0, "the process of {by} has ended; what it said is above");
    serde_json::from_str(&line).with_context(|| format!("{by} answered {line:?}"))
}

/// The program of a framework in Rust, up to date.
fn build(by: By, folder: &Path, target: &Path) -> Result<PathBuf> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--locked", "--manifest-path"]);
    cargo.arg(folder.join(by.to_string()).join("Cargo.toml")).arg("--target-dir").arg(target);
    let words = cargo.get_args().map(|word| word.display().to_string());
    let line = format!("cargo {}", words.collect::<Vec<_>>().join(" "));
    let status = cargo.status().with_context(|| format!("--{by}: cannot run `{line}`"))?;
    ensure!(
        status.success(),
        "--{by}: `{line}` ended with {status}, and says above why; the first time it needs the network \
         for the packages of {by}. Build it where there is one, or leave out --{by}"
    );
    Ok(target.join("release").join(format!("{by}-peer{}", env::consts::EXE_SUFFIX)))
}

/// A case as the child is told of it.
fn request(
    ask: &str,
    key: &str,
    subject: &Subject,
    batch: usize,
    threads: usize,
    model: Option<&BenchModel>,
) -> Result<Value> {
    let mut request = json!({
        "ask": ask,
        "key": key,
        "subject": serde_json::to_value(subject)?,
        "batch": batch,
        "threads": threads,
    });
    if let Some(model) = model {
        request["input_shape"] = serde_json::to_value(&model.input_shape)?;
        request["layers"] = serde_json::to_value(&model.layers)?;
        let parameters = network(model)?.parameters().map(|(_, array)| array.len()).sum::<usize>();
        request["parameters"] = parameters.into();
        request["frozen_first_weights"] = model.frozen_first_weights.into();
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::step_case;

    const HELLO: &str = r#"{"framework": "f", "version": "1", "optimiser": "o"}"#;

    /// A child that reads a request and answers this, and a case for it.
    #[cfg(unix)]
    fn answering(reply: &str) -> Case {
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo \"$0\"; read request; echo \"$1\"", HELLO, reply]);
        let peer = Arc::new(Mutex::new(Peer::spawn(&mut shell, By::Candle).unwrap()));
        let ours = step_case("step/mlp-64", BenchModel::mlp(), 64, 2).unwrap();
        Peer::case(&peer, &ours).unwrap()
    }

    #[cfg(unix)]
    #[test]
    fn a_case_is_timed_by_the_child() {
        let mut case = answering(r#"{"seconds": 0.5, "page_faults": 3, "loss": 2.3}"#);
        let Measurement { name, by, .. } = &case.measurement;
        assert_eq!((name.as_str(), *by), ("step/mlp-64/candle", By::Candle));
        let sample = (case.run)(4).unwrap();
        assert_eq!(sample, Sample { seconds: 0.5, page_faults: Some(3.0) });
        // It has answered once and ended.
        let error = format!("{:#}", (case.run)(4).unwrap_err());
        assert!(error.contains("candle"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_child_that_fails_is_named_with_its_answer() {
        for (reply, expected) in [
            (r#"{"error": "unknown layer"}"#, "candle: unknown layer"),
            (r#"{"seconds": "long"}"#, "candle answered {\"seconds\":\"long\"}"),
            ("no JSON", "candle answered \"no JSON\\n\""),
        ] {
            let error = format!("{:#}", (answering(reply).run)(1).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
        for python in ["/no/such/python", "true"] {
            let error = Peer::start(By::Pytorch, python, 1).err().unwrap();
            assert!(format!("{error:#}").contains(&format!("is `{python}` one?")), "{error:#}");
        }
    }

    #[test]
    fn the_child_is_told_the_layers() {
        let model = BenchModel::simple();
        let subject = Subject::Step { model: "simple".into(), width: 1.0 };
        let request = request("time", "step/simple-64", &subject, 64, 2, Some(&model)).unwrap();
        assert_eq!(request["subject"]["kind"], "step");
        assert_eq!(request["layers"][0]["layer"], "conv2d");
        assert_eq!(request["layers"][0]["activation"], "relu");
        assert_eq!(request["input_shape"], json!([32, 32, 3]));
        assert_eq!(request["parameters"], 896 + 18_496 + 524_416 + 1_290);
    }
}
