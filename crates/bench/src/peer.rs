//! A peer: a child process with another framework, which times what it is told to.
//!
//! Both speak JSON, a message a line. The child says first what it is, then answers each request.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{BenchModel, By, Case, Sample, Subject};

/// The threads of the child, above all those of OpenMP, look for work for a while after each of its
/// calls. Ours begin only when they have gone to sleep.
const SETTLE: Duration = Duration::from_millis(20);

/// A running child.
pub struct Peer {
    child: Child,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
    by: By,
}

impl Peer {
    /// Starts a child, which has yet to say what it is.
    pub(crate) fn spawn(command: &mut Command, by: By) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let requests = child.stdin.take().context("the child has no standard input")?;
        let replies = child.stdout.take().context("the child has no standard output")?;
        Ok(Self { child, requests, replies: BufReader::new(replies), by })
    }

    /// Whose code it runs.
    #[must_use]
    pub fn by(&self) -> By {
        self.by
    }

    /// What the child says next.
    pub(crate) fn receive<T: DeserializeOwned>(&mut self) -> Result<T> {
        let by = self.by;
        let mut line = String::new();
        let length =
            self.replies.read_line(&mut line).with_context(|| format!("cannot read from {by}"))?;
        ensure!(length > 0, "the process of {by} has ended; what it said is above");
        serde_json::from_str(&line).with_context(|| format!("{by} answered {line:?}"))
    }

    /// The answer to a request.
    pub(crate) fn ask<T: DeserializeOwned>(&mut self, request: &Value) -> Result<T> {
        let by = self.by;
        writeln!(self.requests, "{request}").with_context(|| format!("cannot write to {by}"))?;
        let reply = self.receive::<Value>();
        std::thread::sleep(SETTLE);
        let reply = reply?;
        if let Some(error) = reply.get("error") {
            bail!("{by}: {}", error.as_str().unwrap_or("an error without a message"));
        }
        T::deserialize(&reply).with_context(|| format!("{by} answered {reply}"))
    }

    /// The same as one of our cases, by this child.
    ///
    /// # Errors
    /// If the case cannot be described to it, or an earlier one has failed.
    pub fn case(peer: &Arc<Mutex<Self>>, ours: &Case, model: Option<&BenchModel>) -> Result<Case> {
        const FAILED: &str = "an earlier case of this peer has failed";
        let by = peer.lock().ok().context(FAILED)?.by;
        let key = ours.name.rsplit_once('/').map_or(ours.name.as_str(), |(key, _)| key);
        let mut subject = ours.subject.clone();
        // It chooses among its algorithms by itself.
        if let Subject::Convolution { chosen, .. } = &mut subject {
            *chosen = true;
        }
        let mut request = request(key, &subject, ours.batch, ours.threads, model)?;
        let peer = Arc::clone(peer);
        let run = move |calls: u32| -> Result<Sample> {
            request["calls"] = calls.into();
            peer.lock().ok().context(FAILED)?.ask(&request)
        };
        Ok(Case {
            name: format!("{key}/{by}"),
            subject,
            by,
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
pub(crate) fn request(
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
    use crate::{Work, repeated};

    fn ours() -> Case {
        Case {
            name: "step/simple-64/ours".to_owned(),
            subject: Subject::Step { model: "simple".into(), width: 1.0 },
            by: By::Ours,
            batch: 64,
            threads: 2,
            work: Work::Examples(64),
            run: repeated(|| Ok(Duration::from_secs(1))),
        }
    }

    /// A child that reads a request and answers this.
    #[cfg(unix)]
    fn answering(reply: &str) -> Arc<Mutex<Peer>> {
        let mut shell = Command::new("sh");
        shell.args(["-c", "read request; echo \"$0\"", reply]);
        Arc::new(Mutex::new(Peer::spawn(&mut shell, By::Candle).unwrap()))
    }

    #[cfg(unix)]
    #[test]
    fn a_case_is_timed_by_the_child() {
        let peer = answering(r#"{"seconds": 0.5, "page_faults": 3, "loss": 2.3}"#);
        let mut case = Peer::case(&peer, &ours(), Some(&BenchModel::simple())).unwrap();
        assert_eq!((case.name.as_str(), case.by), ("step/simple-64/candle", By::Candle));
        let sample = (case.run)(4).unwrap();
        assert_eq!(sample, Sample { seconds: 0.5, page_faults: Some(3.0) });
        // It has answered once and ended.
        let error = format!("{:#}", (case.run)(4).unwrap_err());
        assert!(error.contains("candle"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn what_the_child_cannot_do_is_an_error() {
        for (reply, expected) in [
            (r#"{"error": "unknown layer"}"#, "candle: unknown layer"),
            (r#"{"seconds": "long"}"#, "candle answered {\"seconds\":\"long\"}"),
            ("no JSON", "candle answered \"no JSON\\n\""),
        ] {
            let mut case = Peer::case(&answering(reply), &ours(), None).unwrap();
            let error = format!("{:#}", (case.run)(1).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
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
