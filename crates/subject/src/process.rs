//! A subject that was started: requests go in, replies come out, within limits.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, BufWriter, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::{Message, MessageError};

/// What a subject may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Seconds for one request.
    pub seconds: u64,
    /// Bytes of memory that it writes to, as far as the operating system keeps to `ulimit -d`.
    pub memory: u64,
    /// The byte of memory that was never written to, as far as the C library keeps to `MALLOC_PERTURB_`: results
    /// that depend on it are not right by chance.
    pub filled: u8,
}

/// Why a request has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// There is no such program.
    #[error("{0}")]
    NotStarted(String),
    /// The program broke the protocol or died; it was ended.
    #[error("{0}")]
    Broken(String),
    /// There was no reply in time; the program was ended.
    #[error("{0}")]
    Late(String),
    /// The implementation refused or failed.
    #[error("{0}")]
    Refused(String),
    /// The implementation does not claim to have this.
    #[error("{0}")]
    Unsupported(String),
}

/// A subject that runs.
#[derive(Debug)]
pub struct Process {
    child: Child,
    input: BufWriter<ChildStdin>,
    output: BufReader<ChildStdout>,
    last_words: Arc<Mutex<VecDeque<String>>>,
    listener: JoinHandle<()>,
    watch: Arc<Watch>,
    requests: u64,
    limits: Limits,
    broken: bool,
}

/// What the thread that ends a late subject looks at.
#[derive(Debug)]
struct Watch {
    group: u32,
    begin: Instant,
    /// When the present request has to be answered, in milliseconds after `begin`; 0 if there is none.
    deadline: AtomicU64,
    late: AtomicBool,
    /// Bytes on standard error since the request began.
    words: AtomicU64,
}

/// How often a subject is looked at: a late one may have so much more time.
const TICK: Duration = Duration::from_millis(20);

/// Lines of standard error that are kept, and bytes of each.
const LAST_LINES: usize = 8;
const LONGEST_WORDS: u64 = 200;

/// The most bytes on standard error for one request: a flood takes the time of whoever reads it.
const MOST_WORDS: u64 = 1 << 26;

impl Process {
    /// Starts a program, given by its path and its arguments.
    ///
    /// # Errors
    /// [`SubjectError::NotStarted`] if there is no shell. A program that does not exist is
    /// [`SubjectError::Broken`] with the first request.
    pub fn start(command: &[OsString], limits: Limits) -> Result<Self, SubjectError> {
        // The shell sets the limit and becomes the program.
        let script = format!("ulimit -d {} 2>/dev/null; exec \"$@\"", limits.memory >> 10);
        let mut shell = Command::new("sh");
        shell.args(["-c", &script, "sh"]).args(command);
        // The C library writes the complement of what the variable says.
        shell.env("MALLOC_PERTURB_", (!limits.filled).to_string());
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own, so that what it starts ends with it.
        let mut child = shell.process_group(0).spawn().map_err(|error| {
            SubjectError::NotStarted(format!(
                "sh, which starts the subject, cannot be run: {error}"
            ))
        })?;
        let (input, output) = (child.stdin.take().map(BufWriter::new), child.stdout.take());
        let (Some(input), Some(output), Some(words)) = (input, output, child.stderr.take()) else {
            unreachable!("all three are pipes")
        };
        let last_words = Arc::default();
        let watch = Arc::new(Watch {
            group: child.id(),
            begin: Instant::now(),
            deadline: AtomicU64::new(0),
            late: AtomicBool::new(false),
            words: AtomicU64::new(0),
        });
        let (kept, heard) = (Arc::clone(&last_words), Arc::clone(&watch));
        let listener = thread::spawn(move || listen(words, &kept, &heard));
        let watched = Arc::downgrade(&watch);
        thread::spawn(move || {
            while let Some(watch) = watched.upgrade() {
                watch.look();
                drop(watch);
                thread::sleep(TICK);
            }
        });
        let output = BufReader::with_capacity(1 << 16, output);
        let (requests, broken) = (0, false);
        Ok(Self { child, input, output, last_words, listener, watch, requests, limits, broken })
    }

    /// From now on a request has to be answered in so many seconds.
    pub fn limit(&mut self, seconds: u64) {
        self.limits.seconds = seconds;
    }

    /// Whether the program was ended, so that it has to be started again.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Sends a request and waits for its reply.
    ///
    /// # Errors
    /// [`SubjectError::Late`] if there is no reply in time, [`SubjectError::Broken`] if there is none that the protocol
    /// allows: the program is ended then. [`SubjectError::Refused`] and [`SubjectError::Unsupported`] are replies.
    pub fn ask(&mut self, mut request: Message) -> Result<Message, SubjectError> {
        let id = self.requests;
        self.requests += 1;
        request.fields.insert("id".to_owned(), id.into());
        self.watch.set(Some(Duration::from_secs(self.limits.seconds)));
        // A program that died cannot be written to; reading tells why.
        let written = request.write(&mut self.input);
        let reply = Message::read(&mut self.output);
        self.watch.set(None);
        let late = self.watch.late.load(Ordering::Relaxed);
        let problem = match (reply, written) {
            _ if late => format!(
                "there was no complete reply within {} s; is its output flushed?",
                self.limits.seconds
            ),
            _ if self.watch.words.load(Ordering::Relaxed) > MOST_WORDS => {
                format!("it wrote more than {} MiB to its standard error", MOST_WORDS >> 20)
            }
            (Err(MessageError::Ended), _) => self.end("it ended without a reply"),
            (Err(MessageError::Torn(what)), _) => self.end(&format!("it ended within {what}")),
            (Err(error), _) => format!(
                "instead of a reply there was {error}; standard output is for replies alone, and a reply has \
                 exactly the bytes that it lists"
            ),
            (Ok(_), Err(error)) => format!("it replied before it had read the request ({error})"),
            (Ok(reply), Ok(())) => match reply.fields.get("id") {
                Some(got) if *got == id => return result(reply, &request),
                Some(got) => format!("it answered request {got} instead of {id}"),
                None => "the reply has no id".to_owned(),
            },
        };
        self.kill();
        let words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        let words: String = words.iter().map(|line| format!("\n    | {line}")).collect();
        let words = if words.is_empty() {
            words
        } else {
            format!("; the last lines of its standard error:{words}")
        };
        let what = format!("asked for {}: {problem}{words}", described(&request));
        Err(if late { SubjectError::Late(what) } else { SubjectError::Broken(what) })
    }

    /// Waits for a program whose output ended.
    fn end(&mut self, what: &str) -> String {
        // It may have closed its output and gone on.
        for _ in 0..10 {
            match self.child.try_wait() {
                Ok(Some(status)) => return format!("{what} ({status})"),
                _ => thread::sleep(TICK),
            }
        }
        format!("{what}, or closed its output")
    }

    /// Ends the program and what it has started.
    pub fn kill(&mut self) {
        if self.broken {
            return;
        }
        self.broken = true;
        self.watch.kill();
        // It may have left its group.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // What it started may hold its standard error open.
        for _ in 0..10 {
            if self.listener.is_finished() {
                break;
            }
            thread::sleep(TICK / 2);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Watch {
    fn set(&self, after: Option<Duration>) {
        let at = after.map_or(0, |after| (self.begin.elapsed() + after).as_millis() as u64);
        self.deadline.store(at, Ordering::Relaxed);
        if after.is_some() {
            self.words.store(0, Ordering::Relaxed);
        }
    }

    fn look(&self) {
        let deadline = self.deadline.load(Ordering::Relaxed);
        if deadline > 0 && self.begin.elapsed().as_millis() as u64 > deadline {
            self.late.store(true, Ordering::Relaxed);
            self.kill();
        }
    }

    /// Ends the program and what it started.
    fn kill(&self) {
        let kill = format!("kill -KILL -{}", self.group);
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", &kill]).stdout(Stdio::null()).stderr(Stdio::null());
        // There may be nothing left to end.
        let _: io::Result<_> = shell.status();
    }
}

/// Keeps the last lines of standard error, and ends a program that floods it.
fn listen(words: ChildStderr, kept: &Mutex<VecDeque<String>>, watch: &Watch) {
    let mut words = BufReader::new(words);
    let mut begins = true;
    loop {
        // Piece by piece: a line may be endless.
        let mut piece = Vec::new();
        match words.by_ref().take(LONGEST_WORDS).read_until(b'\n', &mut piece) {
            Ok(1..) => {}
            _ => return,
        }
        let ends = piece.ends_with(b"\n");
        if begins {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push_back(String::from_utf8_lossy(&piece).trim_end_matches('\n').to_owned());
            if kept.len() > LAST_LINES {
                kept.pop_front();
            }
        }
        begins = ends;
        let before = watch.words.fetch_add(piece.len() as u64, Ordering::Relaxed);
        if before <= MOST_WORDS && before + piece.len() as u64 > MOST_WORDS {
            watch.kill();
        }
    }
}

/// The result that a reply of the right number carries.
fn result(reply: Message, request: &Message) -> Result<Message, SubjectError> {
    let reason = |field| reply.fields.contains_key(field).then(|| reply.text(field).to_owned());
    match (reason("error"), reason("unsupported")) {
        (Some(reason), _) if request.text("op") == "describe" => Err(SubjectError::Refused(reason)),
        (Some(reason), _) => {
            let what = format!("asked for {}: the program says {reason}", described(request));
            Err(SubjectError::Refused(what))
        }
        (None, Some(reason)) => Err(SubjectError::Unsupported(reason)),
        (None, None) => Ok(reply),
    }
}

/// The operation, its class and the shapes of its arrays.
fn described(request: &Message) -> String {
    let mut text = request.text("op").to_owned();
    if !request.text("class").is_empty() {
        text += &format!(" of {}", request.text("class"));
    }
    let arrays = request.arrays.iter().map(|(name, array)| format!("{name} {:?}", array.shape()));
    let arrays: Vec<String> = arrays.collect();
    if arrays.is_empty() { text } else { format!("{text} with {}", arrays.join(", ")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What a shell script answers to the first request, or to the second where there are two.
    fn asked(script: &str, requests: usize) -> Result<Message, SubjectError> {
        let command = ["sh", "-c", script].map(OsString::from);
        let limits = Limits { seconds: 1, memory: 1 << 28, filled: 0 };
        let mut process = Process::start(&command, limits).unwrap();
        let ask = |process: &mut Process| {
            let request = json!({ "op": "activation.forward", "class": "ReLU" });
            let z = ndarray::ArrayD::<f64>::zeros(vec![2, 3]);
            process.ask(Message::new(request).with("Z", z))
        };
        (1..requests).for_each(|_| drop(ask(&mut process).unwrap()));
        let result = ask(&mut process);
        assert_eq!(
            process.is_broken(),
            matches!(result, Err(SubjectError::Broken(_) | SubjectError::Late(_)))
        );
        result
    }

    #[test]
    fn replies_are_results_refusals_or_what_is_not_there() {
        let reply =
            |fields: &str| asked(&format!("echo '{{\"id\": 0, {fields}}}'; cat > /dev/null"), 1);
        assert_eq!(reply("\"note\": \"x\"").unwrap().text("note"), "x");
        let refused = "asked for activation.forward of ReLU with Z [2, 3]: the program says no";
        assert_eq!(reply("\"error\": \"no\""), Err(SubjectError::Refused(refused.into())));
        assert_eq!(reply("\"unsupported\": \"pad\""), Err(SubjectError::Unsupported("pad".into())));
        let twice = "echo '{\"id\":0}'; echo '{\"id\":1}'; cat > /dev/null";
        assert!(asked(twice, 2).is_ok());
    }

    #[test]
    fn a_program_that_breaks_the_protocol_is_ended_and_the_error_says_how() {
        for (script, requests, expected) in [
            (
                "echo gone >&2; exit 3",
                1,
                "Z [2, 3]: it ended without a reply (exit status: 3); the last lines of its standard error:\n    | gone",
            ),
            ("no-such-program", 1, "not found"),
            ("sleep 100 & sleep 100", 1, "no complete reply within 1 s"),
            (
                "echo epoch 1; cat > /dev/null",
                1,
                "instead of a reply there was \"epoch 1\", which is not a JSON object",
            ),
            (
                "printf '{\"id\": 0'",
                1,
                "it ended within the line \"{\\\"id\\\": 0\" (exit status: 0)",
            ),
            (
                "echo '{\"id\":0}'; echo '{\"id\":0}'; cat > /dev/null",
                2,
                "answered request 0 instead of 1",
            ),
            ("echo '{}'; cat > /dev/null", 1, "has no id"),
            ("exec >&-; sleep 100", 1, "closed its output"),
            ("yes", 1, "there was \"y\", which"),
            ("cat /dev/zero >&2", 1, "it wrote more than 64 MiB to its standard error"),
        ] {
            let error = asked(script, requests).unwrap_err().to_string();
            assert!(error.contains("asked for activation.forward of ReLU with Z"), "{error}");
            assert!(error.contains(expected), "{script}: {error}");
        }
    }

    #[test]
    fn memory_beyond_the_limit_is_refused() {
        // `dd` takes a block of this size.
        let error = asked("dd if=/dev/zero of=/dev/null bs=1G count=1", 1).unwrap_err().to_string();
        assert!(error.to_lowercase().contains("memory"), "{error}");
    }
}
