//! Builds the book.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use frontmatter::FrontMatter;
use mdbook_driver::MDBook;
use mdbook_driver::book::BookItem;
use mdbook_driver::config::Config;

use crate::evidence::Evidence;
use crate::expand::{Counts, Inputs, Run, SOURCE, expand};
use crate::files::{self, files_with};
use crate::frame;
use crate::links::Pages;
use crate::pdf::layout::Listed;
use crate::problem::{Place, Problems};
use crate::programs::Cargo;
use crate::records::{EXPERIMENTS, Records};
use crate::warnings;

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Options {
    /// The workspace.
    pub root: PathBuf,
    /// Cargo's target folder, with the results of the harness.
    pub target: PathBuf,
    /// The finished book's folder; it is replaced as a whole.
    pub out: PathBuf,
    /// The results of a student's program: what is missing in that workspace is marked, and is no mistake.
    pub hand_in: Option<PathBuf>,
}

impl Options {
    /// The usual places in a workspace with this target folder of cargo.
    pub fn new(root: &Path, target: &Path) -> Self {
        Self {
            root: root.to_owned(),
            target: target.to_owned(),
            out: target.join("book"),
            hand_in: None,
        }
    }

    /// A path as problems name it: relative to the workspace, if it is in it.
    fn shown(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_owned()
    }
}

/// A book that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The numbers of its parts.
    pub counts: Counts,
    /// Who wrote it.
    pub front: FrontMatter,
    /// The chapters, as `SUMMARY.md` lists them.
    pub chapters: Vec<Listed>,
    /// What is missing: values of `report.toml`, and what a student has still to do.
    pub missing: Problems,
}

/// Builds the book.
///
/// # Errors
/// [`Problems`] with everything that is wrong with the book, and a finished book is
/// as it was; another error if the harness cannot be run or the book's frame cannot be read or written.
pub fn build(options: &Options, cargo: Cargo) -> Result<Built> {
    let book = options.root.join("book");
    let results = options.target.join("harness/results.json");
    let records = match options.hand_in {
        Some(_) => options.root.join(EXPERIMENTS),
        None => book.join("records"),
    };
    let front = FrontMatter::read(&book.join("report.toml"))?;
    let inputs = Inputs {
        root: options.root.clone(),
        front: front.clone(),
        evidence: match &options.hand_in {
            Some(results) => Evidence::of_program(results)?,
            None => Evidence::load(&results, &*cargo)?,
        },
        evidence_file: options.shown(&results),
        records: Records(records),
        cargo,
        is_hand_in: options.hand_in.is_some(),
    };
    let parent = options.out.parent().context("the finished book lies in a folder")?;
    fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
    let staging = system::temporary_folder(parent, ".book-")
        .with_context(|| format!("cannot create a folder in {}", parent.display()))?;
    let (run, chapters) = render(&book, &inputs, staging.path())?;
    let Run { slots, counts, mut problems, mut missing, .. } = run;
    let text = files::read(&book.join("report.toml"))?;
    for name in front.missing() {
        let place = Place::new("book/report.toml", line_of(&text, &name));
        missing.add(&place, format!("{name}: empty"));
    }
    let shown = options.shown(&options.out);
    for page in files_with(staging.path(), "html")? {
        let file = staging.path().join(&page);
        let text = frame::mend(&files::read(&file)?, "Table of contents");
        let on_paper = page == Path::new("print.html");
        let place = Place::file(shown.join(page));
        if let Some(text) = problems.keep(&place, slots.fill(&text, on_paper)) {
            fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        }
    }
    let found = if inputs.is_hand_in { &mut missing } else { &mut problems };
    Pages::read(staging.path())?.check(&shown, found);
    problems.into_result()?;
    replace(staging, &options.out)?;
    Ok(Built { counts, front, chapters, missing })
}

/// The line with a value of `report.toml`, or with the comment that says how to write it.
fn line_of(text: &str, value: &str) -> usize {
    let key = value.split(['[', ' ']).next().unwrap_or_default();
    let is_own = |line: &str| line.trim_start_matches(['#', ' ', '[']).starts_with(key);
    text.lines().position(is_own).map_or(0, |index| index + 1)
}

/// Runs mdBook.
fn render<'a>(folder: &Path, inputs: &'a Inputs, out: &Path) -> Result<(Run<'a>, Vec<Listed>)> {
    let file = folder.join("book.toml");
    let mut config =
        Config::from_disk(&file).with_context(|| format!("cannot read {}", file.display()))?;
    config.build.build_dir = out.to_owned();
    // mdBook would write an empty chapter for each that is missing.
    config.build.create_missing = false;
    // mdBook's own inclusion does not fail on a wrong anchor.
    config.build.use_default_preprocessors = false;
    let work = || -> Result<_> {
        let mut book = MDBook::load_with_config(folder, config)?;
        let chapters = listed(&book);
        let mut run = expand(inputs, &mut book.book);
        for chapter in unlisted(&folder.join("src"), &book)? {
            let place = Place::file(Path::new(SOURCE).join(chapter));
            run.problems.add(&place, "SUMMARY.md does not list this chapter");
        }
        book.build()?;
        Ok((run, chapters))
    };
    let (result, warnings) = warnings::collect(work);
    let (mut run, chapters) = result.context("mdBook cannot build the book")?;
    let place = Place::file("book");
    for warning in warnings {
        run.problems.add(&place, format!("mdBook warns: {warning}"));
    }
    Ok((run, chapters))
}

/// The chapters with a file, in order.
fn listed(book: &MDBook) -> Vec<Listed> {
    let mut part = String::new();
    let mut chapters = Vec::new();
    for item in book.iter() {
        match item {
            BookItem::PartTitle(title) => part.clone_from(title),
            BookItem::Chapter(chapter) if chapter.path.is_some() => {
                chapters.push(Listed { part: part.clone(), name: chapter.name.clone() });
            }
            BookItem::Chapter(_) | BookItem::Separator => {}
        }
    }
    chapters
}

/// The chapters that are there and not in `SUMMARY.md`. mdBook refuses one that is listed and not there.
fn unlisted(source: &Path, book: &MDBook) -> Result<Vec<PathBuf>> {
    let listed: BTreeSet<&PathBuf> =
        book.book.chapters().filter_map(|chapter| chapter.source_path.as_ref()).collect();
    let mut chapters = files_with(source, "md")?;
    chapters.retain(|chapter| chapter != Path::new("SUMMARY.md") && !listed.contains(chapter));
    Ok(chapters)
}

/// Puts the finished book in its place.
fn replace(staging: tempfile::TempDir, out: &Path) -> Result<()> {
    if out.exists() {
        fs::remove_dir_all(out)
            .with_context(|| format!("cannot remove the old {}", out.display()))?;
    }
    let staging = staging.keep();
    // A folder for temporary files is closed to others; a book is not.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&staging, fs::Permissions::from_mode(0o755))
            .with_context(|| format!("cannot open {} to others", staging.display()))?;
    }
    fs::rename(&staging, out).with_context(|| format!("cannot move the book to {}", out.display()))
}
