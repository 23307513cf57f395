//! Builds the book: `cargo xtask report [--open] [--pdf] [--audit]`.

use std::env;
use std::io::{IsTerminal, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use browser::Browser;
use clap::Parser;
use report::pdf::{ASKED, Printed};
use report::problem::{Place, Problems};
use report::{Built, Options, answering_questions, audit, build, cargo, pdf};
use system::{eprintln, println};

/// Codes of SGR for what is printed.
const BOLD: u8 = 1;
const RED: u8 = 31;
const GREEN: u8 = 32;

/// Build the report as a book that works offline, and check everything in it.
#[derive(Parser)]
#[command(name = "report", bin_name = "cargo xtask report")]
struct Arguments {
    /// Open the book when it is built.
    #[arg(long)]
    open: bool,
    /// Read every page of the book in a headless Chromium, and fail on what a reader would stumble
    /// over.
    #[arg(long)]
    audit: bool,
    /// The folder for the finished book, replaced as a whole [default: book in cargo's target folder].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the book too, with a headless Chromium, and check what comes out [default file: book.pdf in
    /// cargo's target folder].
    #[arg(long, value_name = "FILE")]
    #[expect(clippy::option_option, reason = "the option with a value, without one, or absent")]
    pdf: Option<Option<PathBuf>>,
    /// Build the book of a student with these results of the harness: what is missing is marked, and is no mistake.
    #[arg(long, value_name = "FILE", hide = true)]
    hand_in: Option<PathBuf>,
    /// With --pdf: in its appendix only the crates that answer a question. The assignment asks for all code.
    #[arg(long, requires = "pdf")]
    questions_only: bool,
    /// The Chromium or Chrome for these [default: the variable CHROMIUM, else one that is installed].
    #[arg(long, value_name = "PATH")]
    chromium: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    system::close(match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error:#}", painted(RED, "error", &stderr()));
            ExitCode::FAILURE
        }
    })
}

fn run(arguments: &Arguments) -> Result<()> {
    let started = Instant::now();
    let here = env::current_dir().context("cannot say which folder this is")?;
    let root = system::workspace_root(&here).with_context(|| {
        format!("{} is not inside a Cargo workspace: run this in the repository", here.display())
    })?;
    let target = system::target_folder(&root)?;
    let mut options = Options::new(&root, &target);
    if let Some(out) = &arguments.out {
        options.out = here.join(out);
        check_replaceable(&options.out)?;
    }
    options.hand_in.clone_from(&arguments.hand_in);
    let built = build(&options, Box::new(move |arguments| cargo(&root, arguments)))?;
    describe(&built);
    let index = options.out.join("index.html");
    show(&index, &here, started);
    let chromium = arguments.chromium.as_deref();
    if arguments.audit {
        audit_in_browser(&options.out, chromium)?;
    }
    if let Some(file) = &arguments.pdf {
        let started = Instant::now();
        let file = file.as_ref().map_or_else(|| target.join("book.pdf"), |file| here.join(file));
        let browser =
            Browser::start(chromium).context("the book is built, but cannot be printed")?;
        // What a student has still to do is marked.
        let asked = if options.hand_in.is_some() { "" } else { ASKED };
        println!("printing with {}", browser.version);
        let crates = arguments.questions_only.then(|| answering_questions(&options.root));
        let crates = crates.transpose()?;
        let printed = pdf::print(
            &browser,
            &options.out,
            &built.chapters,
            &built.front,
            asked,
            crates.as_deref(),
        )?;
        publish(&printed, &options, &file, &here)?;
        show(&file, &here, started);
    }
    if arguments.open {
        open(&index)?;
    }
    Ok(())
}

/// Writes the printed book, if nothing is wrong with it; that of a student in any case.
fn publish(printed: &Printed, options: &Options, file: &Path, here: &Path) -> Result<()> {
    let mut problems = Problems::default();
    for problem in &printed.problems {
        problems.add(&Place::file(relative(file, here)), problem);
    }
    if options.hand_in.is_some() {
        problems.lines().iter().for_each(|line| println!("{} {line}", shown(RED, "look at")));
    } else if let Err(problems) = problems.into_result() {
        let rejected = pdf::reject(&printed.bytes, file)?;
        eprintln!("the PDF that did not pass is {}", relative(&rejected, here).display());
        return Err(problems.into());
    }
    let pages = printed.pdf.pages.len();
    pdf::publish(&printed.bytes, pages, &options.out, file)?;
    println!(
        "{} {} pages, {} of them code, {:.1} MB",
        shown(GREEN, "printed"),
        pages,
        pages + 1 - printed.appendix,
        printed.bytes.len() as f64 / 1e6
    );
    Ok(())
}

/// The folder for the book is replaced: it must not be one that holds something else.
fn check_replaceable(out: &Path) -> Result<()> {
    let is_book = out.join("index.html").is_file() && out.join("toc.html").is_file();
    let is_empty = || system::entries(out).is_ok_and(|entries| entries.is_empty());
    if out.exists() && !is_book && !is_empty() {
        bail!("{} holds something that is not a finished book: name another folder", out.display());
    }
    Ok(())
}

fn describe(built: &Built) {
    let counts = built.counts;
    println!(
        "{} {} chapters, {} formulas ({} of them verified), {} code snippets, {} figures, {} files of code in the appendix",
        shown(GREEN, "built"),
        counts.chapters,
        counts.formulas,
        counts.checked,
        counts.snippets,
        counts.figures,
        counts.appendix_files
    );
    for missing in built.missing.lines() {
        println!("{} {missing}", shown(RED, "missing"));
    }
}

/// Says which file is to be opened, and how long it took to make.
fn show(file: &Path, here: &Path, started: Instant) {
    let (name, seconds) = (relative(file, here).display(), started.elapsed().as_secs_f64());
    println!("open {} ({seconds:.1} s)", shown(BOLD, &name.to_string()));
}

fn relative<'a>(file: &'a Path, here: &Path) -> &'a Path {
    file.strip_prefix(here).unwrap_or(file)
}

/// Reads the finished book in a browser.
fn audit_in_browser(book: &Path, chromium: Option<&Path>) -> Result<()> {
    let started = Instant::now();
    let browser = Browser::start(chromium)?;
    let found = audit::audit(&browser, book)?;
    for line in found.lines() {
        eprintln!("{line}");
    }
    let (seconds, findings) = (started.elapsed().as_secs_f64(), found.findings.len());
    if findings > 0 {
        bail!("{findings} findings in {} ({seconds:.1} s)", browser.version);
    }
    println!(
        "{} {} pages, looked at {} times; {} trials of search, keys, themes, widgets and colours; {} ({seconds:.1} s)",
        shown(GREEN, "audited"),
        found.pages,
        found.looks,
        found.trials,
        browser.version
    );
    Ok(())
}

/// Opens a file with what the system opens it with.
fn open(file: &Path) -> Result<()> {
    let words: &[&str] = if cfg!(target_os = "macos") {
        &["open"]
    } else if cfg!(windows) {
        &["cmd", "/C", "start", ""]
    } else {
        &["xdg-open"]
    };
    println!("$ {} {}", words.join(" "), file.display());
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(file).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status().is_ok_and(|status| status.success()) {
        true => Ok(()),
        false => bail!(
            "the book is built, but cannot be opened: {} did not work here; open {} in a browser",
            words[0],
            file.display()
        ),
    }
}

/// Text for standard output, painted.
fn shown(code: u8, text: &str) -> String {
    painted(code, text, &stdout())
}

/// Text in the colour of an SGR code, where that is wanted: not in a file, and not with `NO_COLOR`.
fn painted(code: u8, text: &str, terminal: &impl IsTerminal) -> String {
    let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    match terminal.is_terminal() && wanted {
        true => format!("\x1b[{code}m{text}\x1b[0m"),
        false => text.to_owned(),
    }
}
