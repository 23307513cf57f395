//! `cargo xtask watch`.

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use handin::{GRADED, Graded};
use notify::event::{Event, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use system::print;

use crate::harness::Harness;

/// Verify what you have just saved, again and again, until Ctrl-C
///
/// Shows the first failure and nothing else: first of the questions whose files have changed, then of the others.
/// When nothing fails any more, the screen is empty but for a line that says so.
#[derive(Args)]
#[command(after_help = "Examples:\n  cargo xtask watch\n  cargo xtask watch 4.2")]
pub(crate) struct Watch {
    /// One question only, such as 4.2
    question: Option<String>,
}

impl Watch {
    pub(crate) fn run(&self, root: &Path) -> Result<ExitCode> {
        let questions = questions(self.question.as_deref())?;
        let mut changes = Changes::of(root)?;
        let (mut open, mut harness) = (questions.clone(), None);
        loop {
            show("");
            if harness.is_none() {
                harness = Harness::ready(root)?;
            }
            // Where it does not compile, cargo has said why.
            if let Some(harness) = &harness
                && harness.is_rebuilt(root)?
                && let Some(verdict) = verdict(harness, &mut open, &mut changes)?
            {
                show(&verdict);
            }
            open = reopened(&open, &questions, &changes.wait()?);
        }
    }
}

/// All questions with something to write, or the one that is asked for.
fn questions(wanted: Option<&str>) -> Result<Vec<&'static str>> {
    let all: BTreeSet<&str> = GRADED.iter().map(Graded::question).collect();
    let Some(wanted) = wanted else { return Ok(all.into_iter().collect()) };
    match all.get(wanted) {
        Some(question) => Ok(vec![question]),
        None => {
            let all: Vec<&str> = all.into_iter().collect();
            bail!(
                "no function is to be written for question {wanted:?}; there are {}",
                all.join(", ")
            )
        }
    }
}

/// The questions to be verified after a change of these files, relative to the root: those of the files, then those that
/// were `open`; all, if a file belongs to none of them.
fn reopened(
    open: &[&'static str],
    questions: &[&'static str],
    changed: &BTreeSet<PathBuf>,
) -> Vec<&'static str> {
    let question = |file: &PathBuf| {
        let graded = GRADED.iter().find(|graded| Path::new(graded.file) == file)?;
        Some(graded.question()).filter(|own| questions.contains(own))
    };
    let touched: Option<BTreeSet<&str>> = changed.iter().map(question).collect();
    let rest = if touched.is_none() { questions } else { open };
    let touched = touched.unwrap_or_default();
    let rest = rest.iter().filter(|question| !touched.contains(*question));
    questions.iter().filter(|question| touched.contains(*question)).chain(rest).copied().collect()
}

/// The first failure in the open questions, or that there is none; nothing if a file has changed meanwhile. What passes
/// is open no more.
fn verdict(
    harness: &Harness,
    open: &mut Vec<&'static str>,
    changes: &mut Changes,
) -> Result<Option<String>> {
    while let Some(&question) = open.first() {
        print!("\r{question} ...");
        let mut command = harness.command(&["test", question, "--shown", ""], &harness.served);
        let context = "cannot run the harness";
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut running = command.spawn().context(context)?;
        let mut output = running.stdout.take().context(context)?;
        let reader = thread::spawn(move || {
            let mut text = String::new();
            output.read_to_string(&mut text).map(|_| text)
        });
        let status = loop {
            if changes.came(Duration::from_millis(50))? {
                running.kill().and_then(|()| running.wait()).context("cannot stop the harness")?;
                return Ok(None);
            }
            if let Some(status) = running.try_wait().context(context)? {
                break status;
            }
        };
        let text = reader.join().map_err(|_| anyhow!(context))?.context(context)?;
        if !status.success() {
            let unknown = || format!("`cargo xtask test {question}` says what is wrong\n");
            return Ok(Some(first_failure(&text).unwrap_or_else(unknown)));
        }
        open.remove(0);
    }
    let is_outdated = changes.came(Duration::ZERO)?;
    Ok((!is_outdated).then(|| "all checks pass; waiting for a change\n".to_owned()))
}

/// The first failure that the harness printed, with a hint if a function is not written.
fn first_failure(text: &str) -> Option<String> {
    let rule = format!("\n{}\n", "=".repeat(70));
    let failure = text.split(&rule).nth(1)?;
    // Then come the names of others that fail in the same way, and counts.
    let end = failure.find("\nthe whole check: ").map(|at| at + 1);
    let end = end.and_then(|at| Some(at + failure[at..].find('\n')? + 1));
    let mut shown = failure[..end.unwrap_or(failure.len())].to_owned();
    let is_unwritten =
        |graded: &&Graded| shown.contains(&format!("{} is not written", graded.name));
    if let Some(Graded { shape, .. }) = GRADED.iter().find(is_unwritten) {
        shown += &format!("hint: {shape}\n");
    }
    Some(shown)
}

/// Prints a text in the place of all others.
fn show(text: &str) {
    let is_terminal = std::io::stdout().is_terminal();
    // The screen, and what has left it.
    let clear = if is_terminal { "\x1b[2J\x1b[3J\x1b[H" } else { "\n" };
    print!("{clear}{text}");
}

/// Changes of the sources.
struct Changes {
    root: PathBuf,
    events: Receiver<notify::Result<Event>>,
    /// The files that have changed and are not taken yet, relative to the root.
    files: BTreeSet<PathBuf>,
    _watcher: RecommendedWatcher,
}

impl Changes {
    fn of(root: &Path) -> Result<Self> {
        let (sender, events) = channel();
        let folder = root.join("crates");
        let watched = notify::recommended_watcher(sender).and_then(|mut watcher| {
            watcher.watch(&folder, RecursiveMode::Recursive)?;
            Ok(watcher)
        });
        let _watcher = watched.with_context(|| format!("cannot watch {}", folder.display()))?;
        Ok(Self { root: root.to_owned(), events, files: BTreeSet::new(), _watcher })
    }

    /// Whether there are any, after so much time at most.
    fn came(&mut self, within: Duration) -> Result<bool> {
        match self.events.recv_timeout(within) {
            Ok(event) => self.add(event?),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => bail!("the folder is not watched any more"),
        }
        Ok(!self.files.is_empty())
    }

    /// Waits for some, and until there are no more: editors write a file in several steps.
    fn wait(&mut self) -> Result<BTreeSet<PathBuf>> {
        while !self.came(Duration::from_secs(3600))? {}
        while let Ok(event) = self.events.recv_timeout(Duration::from_millis(100)) {
            self.add(event?);
        }
        Ok(std::mem::take(&mut self.files))
    }

    fn add(&mut self, event: Event) {
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        let is_source = |path: &&PathBuf| {
            path.extension().is_some_and(|end| end == "rs") || path.ends_with("Cargo.toml")
        };
        let relative = |path: &PathBuf| path.strip_prefix(&self.root).unwrap_or(path).to_owned();
        self.files.extend(event.paths.iter().filter(is_source).map(relative));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_questions_of_changed_files_come_first_and_all_where_a_file_belongs_to_none() {
        let all = questions(None).unwrap();
        assert_eq!(all, ["4.1", "4.2", "4.3", "4.4", "5", "6.1", "6.2", "6.3"]);
        assert_eq!(questions(Some("4.3")).unwrap(), ["4.3"]);
        let error = questions(Some("7.1")).unwrap_err().to_string();
        assert!(error.contains("\"7.1\"; there are 4.1, 4.2"), "{error}");
        let [softmax, relu, other] = ["softmax.rs", "relu.rs", "new.rs"]
            .map(|name| format!("crates/activations/src/{name}"));
        for (open, changed, expected) in [
            (&all[1..3], &[&softmax, &relu][..], &["4.1", "4.3", "4.2"][..]),
            (&[], &[&softmax], &["4.3"]),
            (&[], &[&other, &softmax], &all),
        ] {
            let changed = changed.iter().map(PathBuf::from).collect();
            assert_eq!(reopened(open, &all, &changed), expected);
        }
        assert_eq!(reopened(&[], &["4.1"], &BTreeSet::from([softmax.into()])), ["4.1"]);
    }

    #[test]
    fn the_first_failure_is_shown_with_a_hint_and_nothing_else() {
        let (double, single) = ("=".repeat(70), "-".repeat(70));
        let failure = |name: &str| {
            format!(
                "\n{double}\nFAIL: {name}\n{single}\nReLU::value is not written yet; `x` helps\n\
                 the whole check: cargo xtask test {name}\n"
            )
        };
        let text = format!(
            "a ... FAIL\n{}the same in: c\n{}\nthe assignment: 1 passed, 2 failed\n",
            failure("a"),
            failure("b")
        );
        let shown = first_failure(&text).unwrap();
        assert!(shown.starts_with("FAIL: a\n---") && !shown.contains("FAIL: b"), "{shown}");
        let end = "the whole check: cargo xtask test a\nhint: One number in, one number out";
        assert!(shown.contains(end), "{shown}");
        assert!(!shown.contains("the same") && !shown.contains("passed"), "{shown}");
        assert_eq!(first_failure("something else\n"), None);
    }

    #[test]
    fn changes_of_sources_are_seen_together_and_no_others() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("crates/a/src");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("a.rs"), "").unwrap();
        let mut changes = Changes::of(root.path()).unwrap();
        fs::read(folder.join("a.rs")).unwrap();
        fs::write(folder.join("a.rs~"), "").unwrap();
        assert!(!changes.came(Duration::from_millis(200)).unwrap());
        fs::write(folder.join("a.rs"), "1").unwrap();
        fs::write(folder.join("new.rs"), "2").unwrap();
        let expected = ["crates/a/src/a.rs", "crates/a/src/new.rs"].map(PathBuf::from);
        assert_eq!(changes.wait().unwrap(), expected.into());
    }
}
