//! Hand-ins in Rust: what students wrote is put into a workspace of our own, and that is compiled in isolation.
//!
//! A starter of this repository is compiled once, by cargo ([`Clean`]). Hand-ins need no cargo then, only the calls of
//! the compiler, with products of their own.

mod clean;

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use handin::{Placed, Taken, graded_files};
use serde::Deserialize;

pub(crate) use self::clean::{Clean, version};
use self::clean::{Compilation, PRODUCTS};
use crate::snapshot::Snapshot;
use crate::verification::{Verification, ended};

/// The most of the compiler's messages that is read.
const MOST_MESSAGES: u64 = 1 << 24;

/// A program of what a student wrote.
pub(crate) struct Built {
    /// Its path, in a folder of its own.
    pub(crate) program: PathBuf,
    /// What was not used, and why.
    pub(crate) remarks: Vec<String>,
}

/// A hand-in that is compiled.
struct Build<'a> {
    how: &'a Verification<'a>,
    clean: &'a Clean,
    sources: PathBuf,
    products: PathBuf,
    files: Vec<File>,
    /// Whether a compilation is up to date.
    done: Vec<bool>,
    end: Instant,
}

struct File {
    taken: Taken,
    written: Option<String>,
    placed: Vec<Placed>,
}

/// Why something did not compile.
struct Failure {
    compilation: usize,
    what: String,
    /// The places that the compiler names: file and item, and what is wrong there.
    places: Vec<(usize, usize, String)>,
}

/// Compiles what is to be taken of a hand-in, and leaves out what cannot be compiled.
///
/// # Errors
/// What prevents grading, not what is wrong with the hand-in.
pub(crate) fn build(how: &Verification<'_>, clean: &Clean, snapshot: &Snapshot) -> Result<Built> {
    let folder = snapshot.beside("build");
    let (sources, products) = (folder.join("sources"), folder.join("products"));
    fs::create_dir_all(&products)?;
    for Compilation { name, .. } in &clean.compilations {
        let crate_sources = Path::new("crates").join(name).join("src");
        copy(&clean.sources.join(&crate_sources), &sources.join(&crate_sources))?;
    }
    let mut files = Vec::new();
    for file in graded_files() {
        let text = fs::read_to_string(clean.sources.join(file))?;
        let student = snapshot.text(file);
        let taken = Taken::new(file, text, student.as_deref().map_err(Clone::clone));
        let taken = taken.map_err(anyhow::Error::msg)?;
        files.push(File { taken, written: None, placed: Vec::new() });
    }
    let end = Instant::now() + Duration::from_secs(how.time_limit);
    let done = vec![false; clean.compilations.len()];
    let mut build = Build { how, clean, sources, products, files, done, end };
    while let Some(failure) = build.compile()? {
        if Instant::now() > build.end {
            build.refuse_all(how.time_limit);
        } else if !build.refuse_named(&failure) {
            build.refuse_by_file(&failure)?;
        }
    }
    let name = build.program()?;
    let program = snapshot.beside("program").join("served");
    fs::create_dir_all(snapshot.beside("program"))?;
    fs::copy(build.products.join(name), &program)?;
    let items = build.files.iter().flat_map(|file| &file.taken.items);
    let mut remarks: Vec<String> = Vec::new();
    for why in items.filter_map(|item| item.refused.as_ref()) {
        if !remarks.contains(why) {
            remarks.push(why.clone());
        }
    }
    fs::remove_dir_all(folder)?;
    Ok(Built { program, remarks })
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in system::entries(from)? {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to)?;
        } else {
            fs::copy(from, to)?;
        }
    }
    Ok(())
}

impl Build<'_> {
    /// Compiles what is not up to date; the first that fails.
    fn compile(&mut self) -> Result<Option<Failure>> {
        for index in 0..self.files.len() {
            let file = &mut self.files[index];
            let (text, placed) = file.taken.text();
            if file.written.as_ref() != Some(&text) {
                fs::write(self.sources.join(file.taken.file), &text)?;
                (file.written, file.placed) = (Some(text), placed);
                let of_file = crate_of(file.taken.file).to_owned();
                self.changed(&of_file);
            }
        }
        for at in 0..self.done.len() {
            if !self.done[at] {
                if let Some(failure) = self.compile_one(at)? {
                    return Ok(Some(failure));
                }
                self.done[at] = true;
            }
        }
        Ok(None)
    }

    /// Notes that a crate has to be compiled again, and those that depend on it.
    fn changed(&mut self, name: &str) {
        let mut names = BTreeSet::from([name]);
        for (own, done) in self.clean.compilations.iter().zip(&mut self.done) {
            let is_above = own.arguments.iter().filter_map(|word| word.split_once("=@products/"));
            let mut is_above = is_above.map(|(used, _)| used);
            if own.name == name || is_above.any(|used| names.contains(used)) {
                names.insert(&own.name);
                *done = false;
            }
        }
    }

    fn compile_one(&self, at: usize) -> Result<Option<Failure>> {
        let Compilation { name, arguments, .. } = &self.clean.compilations[at];
        let own: BTreeSet<&str> = self.clean.compilations.iter().map(|own| &*own.name).collect();
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let mut words = vec![path(&self.clean.sysroot.join("bin/rustc"))];
        for word in arguments {
            let used = word.split_once("=@products").map_or("", |(name, _)| name);
            let is_own = word == PRODUCTS || own.contains(used);
            let folder = if is_own { &self.products } else { &self.clean.dependencies };
            words.push(word.replace(PRODUCTS, &path(folder)));
        }
        words.extend(["-L".to_owned(), format!("dependency={}", path(&self.products))]);
        // To optimise takes longer than the checks do without that.
        words.push("-Copt-level=0".to_owned());
        let readable = [&*self.clean.dependencies, &self.clean.sysroot];
        let command = self.how.sandbox.compiler(&self.sources, &self.products, &readable, &words);
        let mut messages = tempfile::tempfile()?;
        let mut shell = Command::new("sh");
        shell.args(["-c", &command]).stdin(Stdio::null()).stdout(Stdio::null());
        let mut shell = shell.stderr(messages.try_clone()?).spawn()?;
        let limit = self.how.sandbox.build_limit();
        // Processor time is limited; much more than that is no work at all.
        let status = ended(&mut shell, 4 * limit, self.how.interrupted)?;
        if status.is_some_and(|status| status.success()) {
            return Ok(None);
        }
        std::io::Seek::rewind(&mut messages)?;
        let mut text = Vec::new();
        messages.take(MOST_MESSAGES).read_to_end(&mut text)?;
        let text = String::from_utf8_lossy(&text);
        let errors: Vec<Diagnostic> = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter(|diagnostic: &Diagnostic| diagnostic.level.starts_with("error"))
            .collect();
        let places: Vec<_> = errors.iter().filter_map(|error| self.place(error)).collect();
        let what = match (errors.first(), status) {
            (Some(error), _) => format!("{name} does not compile: {}", error.message),
            (None, None) => format!("{name} was not compiled in time"),
            (None, Some(status)) => {
                format!(
                    "the compiler ended with {status}, at the latest after {} s of processor time",
                    limit.as_secs()
                )
            }
        };
        Ok(Some(Failure { compilation: at, what, places }))
    }

    /// The item that an error is in.
    fn place(&self, error: &Diagnostic) -> Option<(usize, usize, String)> {
        let (first, others): (Vec<&Span>, Vec<_>) =
            error.spans.iter().partition(|span| span.is_primary);
        first.into_iter().chain(others).find_map(|span| {
            let mut spans = std::iter::successors(Some(span), |span| {
                span.expansion.as_ref().map(|expansion| &expansion.span)
            });
            spans.find_map(|at| {
                let file = self.files.iter().position(|file| file.taken.file == at.file_name)?;
                let own = &self.files[file];
                let (item, line) = own.taken.find(&own.placed, at.line_start)?;
                let label = span.label.as_ref().map_or(String::new(), |label| format!(": {label}"));
                let code = error.code.as_ref().map_or("error", |code| &code.code);
                let place = format!("{}:{line}", at.file_name);
                Some((file, item, format!("{place}: {code}: {}{label}", error.message)))
            })
        })
    }

    /// Leaves out the items that the compiler names; whether there are any.
    fn refuse_named(&mut self, failure: &Failure) -> bool {
        for (file, item, what) in &failure.places {
            self.files[*file].taken.items[*item].refused.get_or_insert_with(|| what.clone());
        }
        !failure.places.is_empty()
    }

    /// Leaves out all that is left, since there is no time to find out what it is.
    fn refuse_all(&mut self, seconds: u64) {
        for item in self.files.iter_mut().flat_map(|file| &mut file.taken.items) {
            let why = || format!("the {seconds} s are over in which its mistakes were looked for");
            item.refused.get_or_insert_with(why);
        }
    }

    /// Leaves out the items of those files with which it fails.
    fn refuse_by_file(&mut self, failure: &Failure) -> Result<()> {
        let used = |file: &File| {
            let items = file.taken.items.iter().enumerate();
            items.filter(|(_, item)| item.refused.is_none()).map(|(at, _)| at).collect::<Vec<_>>()
        };
        let name = &self.clean.compilations[failure.compilation].name;
        let all = (0..self.files.len()).map(|file| (file, used(&self.files[file])));
        let all: Vec<_> = all.filter(|(_, items)| !items.is_empty()).collect();
        let own = |(file, _): &&(usize, _)| crate_of(self.files[*file].taken.file) == name;
        let mut suspects: Vec<_> = all.iter().filter(own).cloned().collect();
        if suspects.is_empty() {
            suspects = all;
        }
        if suspects.is_empty() {
            bail!("what hand-ins are put into does not compile: {}", failure.what);
        }
        let refuse =
            |build: &mut Self, (file, items): &(usize, Vec<usize>), what: Option<String>| {
                let own = &mut build.files[*file].taken;
                for item in items {
                    own.items[*item].refused =
                        what.as_ref().map(|what| format!("{}: {what}", own.file));
                }
            };
        for suspect in &suspects {
            refuse(self, suspect, Some(failure.what.clone()));
        }
        // One after the other, with those that do no harm.
        for suspect in suspects.iter().filter(|_| suspects.len() > 1) {
            if Instant::now() > self.end {
                break;
            }
            refuse(self, suspect, None);
            while let Some(failure) = self.compile()? {
                if !self.refuse_named(&failure) {
                    refuse(self, suspect, Some(failure.what));
                    break;
                }
            }
        }
        Ok(())
    }

    /// The name of the program among the products.
    fn program(&self) -> Result<String> {
        let call = self.clean.compilations.iter().find(|own| own.is_program);
        let call = call.context("the starter has no program")?;
        let suffix = call.arguments.iter().find_map(|word| word.strip_prefix("extra-filename="));
        Ok(format!("{}{}", call.name, suffix.unwrap_or_default()))
    }
}

fn crate_of(file: &str) -> &str {
    file.split('/').nth(1).unwrap_or_default()
}

/// A message of the compiler.
#[derive(Deserialize)]
struct Diagnostic {
    message: String,
    code: Option<Code>,
    level: String,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: usize,
    is_primary: bool,
    label: Option<String>,
    expansion: Option<Box<Expansion>>,
}

#[derive(Deserialize)]
struct Expansion {
    span: Span,
}
