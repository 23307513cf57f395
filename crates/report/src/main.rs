//! Builds the book: `cargo xtask report [--open] [--pdf] [--audit]`.

use std::env;
use std::io::{IsTerminal, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use browser::Browser;
use clap::Parser;
use report::audit;
use report::pdf::ASKED;
use report::problem::{Place, Problems};
use report::{Built, Failure, Options, build, cargo, pdf};
use system::{eprintln, println};

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
    /// The folder with book.toml, report.toml, src and records [default: book].
    #[arg(long, value_name = "DIR")]
    book: Option<PathBuf>,
    /// The folder for the finished book, replaced as a whole [default: book in cargo's target folder].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the book too, with a headless Chromium, and check what comes out [default file: book.pdf in
    /// cargo's target folder].
    #[arg(long, value_name = "FILE")]
    #[expect(clippy::option_option, reason = "the option with a value, without one, or absent")]
    pdf: Option<Option<PathBuf>>,
    /// The Chromium or Chrome for these [default: the variable CHROMIUM, else one that is installed].
    #[arg(long, value_name = "PATH")]
    chromium: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    system::close(match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}: {failure}", painted(31, "error", &stderr()));
            ExitCode::FAILURE
        }
    })
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let started = Instant::now();
    let here = env::current_dir().context("cannot say which folder this is")?;
    let root = system::workspace_root(&here).with_context(|| {
        format!("{} is not inside a Cargo workspace: run this in the repository", here.display())
    })?;
    let target = system::target_folder(&root).map_err(anyhow::Error::from)?;
    let mut options = Options::new(&root, &target);
    if let Some(book) = &arguments.book {
        options.book = here.join(book);
    }
    if let Some(out) = &arguments.out {
        options.out = here.join(out);
        check_replaceable(&options)?;
    }
    let built = build(&options, Box::new(move |arguments| cargo(&root, arguments)))?;
    describe(&built, &here, started.elapsed().as_secs_f64());
    if arguments.audit {
        audit_in_browser(&options.out, arguments.chromium.as_deref())?;
    }
    if let Some(file) = &arguments.pdf {
        let usual = || target.join("book.pdf");
        let file = file.as_ref().map_or_else(usual, |file| here.join(file));
        paper(&options, &built, arguments.chromium.as_deref(), &file, &here)?;
    }
    if arguments.open {
        open(&built.index)?;
    }
    Ok(())
}

/// Prints the book.
fn paper(
    options: &Options,
    built: &Built,
    program: Option<&Path>,
    file: &Path,
    here: &Path,
) -> Result<(), Failure> {
    let started = Instant::now();
    let browser = Browser::start(program).context("the book is built, but cannot be printed")?;
    println!("printing with {}", browser.version());
    let mut problems = Problems::default();
    let shown = file.strip_prefix(here).unwrap_or(file);
    let place = Place::file(shown);
    let printed = pdf::print(
        &browser,
        &options.out,
        &built.chapters,
        &built.metadata,
        &ASKED,
        &place,
        &mut problems,
    )?;
    if !problems.is_empty() {
        let rejected = pdf::reject(&printed.bytes, file)?;
        let rejected = rejected.strip_prefix(here).unwrap_or(&rejected);
        eprintln!("the PDF that did not pass is {}", rejected.display());
        return Err(Failure::Problems(problems.sorted()));
    }
    let pages = printed.pdf.pages.len();
    pdf::publish(&printed.bytes, pages, &options.out, file)?;
    println!(
        "{} {} pages, {} of them code, {:.1} MB",
        green("printed"),
        pages,
        pages + 1 - printed.appendix,
        printed.bytes.len() as f64 / 1e6
    );
    let (name, seconds) = (shown.display().to_string(), started.elapsed().as_secs_f64());
    println!("open {} ({seconds:.1} s)", bold(&name));
    Ok(())
}

/// The folder for the book is replaced: it must not be one that holds something else.
fn check_replaceable(options: &Options) -> Result<()> {
    let out = &options.out;
    let is_book = out.join("index.html").is_file() && out.join("toc.html").is_file();
    let is_empty = || system::entries(out).is_ok_and(|entries| entries.is_empty());
    if out.exists() && !is_book && !is_empty() {
        bail!("{} holds something that is not a finished book: name another folder", out.display());
    }
    Ok(())
}

fn describe(built: &Built, here: &Path, seconds: f64) {
    let counts = built.counts;
    println!(
        "{} {} chapters, {} formulas ({} of them verified), {} code snippets, {} figures, {} files of code in the appendix",
        green("built"),
        counts.chapters,
        counts.formulas,
        counts.checked,
        counts.snippets,
        counts.figures,
        counts.appendix_files
    );
    for missing in &built.missing {
        println!("{} in book/report.toml: {missing}", red("missing"));
    }
    let index = built.index.strip_prefix(here).unwrap_or(&built.index);
    println!("open {} ({seconds:.1} s)", bold(&index.display().to_string()));
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
        bail!("{findings} findings in {} ({seconds:.1} s)", browser.version());
    }
    println!(
        "{} {} pages, looked at {} times; {} trials of search, keys, themes and widgets; {} ({seconds:.1} s)",
        green("audited"),
        found.pages,
        found.looks,
        found.trials,
        browser.version()
    );
    Ok(())
}

/// Opens a file with what the system opens it with.
fn open(file: &Path) -> Result<()> {
    let programs: &[(&str, &[&str])] = if cfg!(target_os = "macos") {
        &[("open", &[])]
    } else if cfg!(windows) {
        &[("cmd", &["/C", "start", ""])]
    } else {
        &[("xdg-open", &[]), ("gio", &["open"])]
    };
    for (program, arguments) in programs {
        let words: Vec<&str> = [program].into_iter().chain(arguments.iter()).copied().collect();
        println!("$ {} {}", words.join(" "), file.display());
        let mut command = Command::new(program);
        command.args(*arguments).arg(file).stdout(Stdio::null()).stderr(Stdio::null());
        if command.status().is_ok_and(|status| status.success()) {
            return Ok(());
        }
    }
    let tried: Vec<&str> = programs.iter().map(|(program, _)| *program).collect();
    bail!(
        "the book is built, but cannot be opened: {} did not work here; open {} in a browser",
        tried.join(" and "),
        file.display()
    )
}

/// Text in the colour of an SGR code, where that is wanted: not in a file, and not with `NO_COLOR`.
fn painted(code: u8, text: &str, terminal: &impl IsTerminal) -> String {
    let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    match terminal.is_terminal() && wanted {
        true => format!("\x1b[{code}m{text}\x1b[0m"),
        false => text.to_owned(),
    }
}

fn bold(text: &str) -> String {
    painted(1, text, &stdout())
}

fn red(text: &str) -> String {
    painted(31, text, &stdout())
}

fn green(text: &str) -> String {
    painted(32, text, &stdout())
}
