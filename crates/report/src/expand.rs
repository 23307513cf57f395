//! Turns the directives of all chapters into Markdown, HTML and slots.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use frontmatter::FrontMatter;
use mdbook_driver::book::Book;

use crate::chapter_map;
use crate::evidence::{self, Evidence};
use crate::formula::{Formula, render};
use crate::fragment::{EquationLabel, Fragment, Piece, PieceKind};
use crate::notation;
use crate::problem::{Place, Problems};
use crate::programs::Cargo;
use crate::reader;
use crate::records::Records;
use crate::references::{Kind, Label, References, number_prefix, relative};
use crate::slots::{Filling, Slots};
use crate::worked;
use html::escape;

/// The folder of the chapters, in the workspace.
pub(crate) const SOURCE: &str = "book/src";

/// The sources of the directives.
pub(crate) struct Inputs {
    /// The workspace.
    pub(crate) root: PathBuf,
    pub(crate) front: FrontMatter,
    pub(crate) evidence: Evidence,
    /// The file of the evidence, as problems name it.
    pub(crate) evidence_file: PathBuf,
    pub(crate) records: Records,
    pub(crate) cargo: Cargo,
    /// Whether the book is a student's, in which something may still be missing.
    pub(crate) is_hand_in: bool,
}

/// Numbers of the parts of a book.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Chapters.
    pub chapters: usize,
    /// Formulas, each time that one is shown.
    pub formulas: usize,
    /// Formulas with evidence beneath them.
    pub checked: usize,
    /// Included regions and files of code, without the appendix.
    pub snippets: usize,
    /// Files of the appendix.
    pub appendix_files: usize,
    /// Drawings and plots.
    pub figures: usize,
}

/// Expands the directives of a book. What is wrong is in the outcome, so that one run shows everything.
pub(crate) fn expand<'a>(inputs: &'a Inputs, book: &mut Book) -> Run<'a> {
    let mut run = Run {
        inputs,
        references: References::default(),
        figures: BTreeSet::new(),
        slots: Slots::default(),
        counts: Counts::default(),
        problems: Problems::default(),
        missing: Problems::default(),
        rendered: BTreeMap::new(),
        referred: BTreeSet::new(),
        map: String::new(),
        exercise: String::new(),
        told: BTreeMap::new(),
    };
    let chapters = run.read(book);
    let mut texts = Vec::new();
    for (path, fragment) in &chapters {
        texts.push(fragment.replace(|piece| run.piece(piece, path)));
    }
    let mut texts = texts.into_iter();
    book.for_each_chapter_mut(|chapter| {
        if chapter.path.is_some()
            && let Some(text) = texts.next()
        {
            chapter.content = text;
        }
    });
    run.finish();
    run
}

/// An expansion on its way, and what comes of it besides the chapters.
pub(crate) struct Run<'a> {
    pub(crate) inputs: &'a Inputs,
    pub(crate) references: References,
    /// The files of figures that were shown.
    pub(crate) figures: BTreeSet<PathBuf>,
    /// The drawings and formulas to be put into the pages.
    pub(crate) slots: Slots,
    pub(crate) counts: Counts,
    pub(crate) problems: Problems,
    /// What a student has still to do.
    pub(crate) missing: Problems,
    /// The formulas so far, displayed or not; most are shown more than once.
    rendered: BTreeMap<(String, bool), Result<Arc<Formula>, String>>,
    referred: BTreeSet<Label>,
    /// The table of the chapters.
    pub(crate) map: String,
    /// The name of the last exercise.
    pub(crate) exercise: String,
    /// The first formula of each implementation in each chapter.
    told: BTreeMap<(PathBuf, String), Label>,
}

impl Run<'_> {
    /// Reads the chapters and numbers everything that has a label.
    fn read(&mut self, book: &Book) -> Vec<(PathBuf, Fragment)> {
        let mut chapters = Vec::new();
        for chapter in book.chapters() {
            let Some(path) = chapter.path.clone() else { continue };
            let start = Place::new(Path::new(SOURCE).join(&path), 1);
            let problems = &mut self.problems;
            let mut fragment = reader::chapter(&chapter.content, &start, problems);
            if self.inputs.is_hand_in {
                // The harness has no numbers of a student's examples.
                fragment.examples.clear();
                for (line, section) in reader::empty_sections(&chapter.content) {
                    let place = Place { line, ..start.clone() };
                    self.missing.add(&place, format!("the section \"{section}\" is empty"));
                }
            }
            worked::expand_all(&mut fragment, &self.inputs.evidence.worked, problems);
            let (prefix, mut titles) = (number_prefix(&chapter.name), fragment.titles);
            for piece in &fragment.pieces {
                let label = match &piece.kind {
                    PieceKind::Formula { label, .. } => label.as_ref().map(|label| &label.label),
                    PieceKind::Directive { directive, .. } => {
                        titles += usize::from(directive.name == "title-page");
                        if directive.name == "sources" {
                            let sources = &self.inputs.front.sources;
                            self.references.define_sources(sources, &path, &piece.place, problems);
                        }
                        directive.label.as_ref()
                    }
                    _ => None,
                };
                if let Some(label) = label {
                    self.references.define(label, &path, &prefix, &piece.place, problems);
                }
            }
            if titles != 1 {
                let message = format!("a chapter has one title (`# ...`), but this has {titles}");
                problems.add(&start, message);
            }
            chapters.push((path, fragment));
        }
        self.counts.chapters = chapters.len();
        notation::check(&chapters, Path::new(SOURCE), &mut self.problems);
        self.map = chapter_map::table(book, &chapters, &self.references);
        chapters
    }

    /// The text that replaces a piece of a chapter; nothing if that fails.
    fn piece(&mut self, piece: &Piece, chapter: &Path) -> String {
        let text = match &piece.kind {
            PieceKind::Failed => None,
            PieceKind::Formula { tex, .. } if piece.indent.is_none() => {
                self.formula(tex, false, &piece.place)
            }
            PieceKind::Formula { tex, label } => {
                let slot = self.formula(tex, true, &piece.place);
                slot.map(|slot| self.equation(&slot, label.as_ref(), &piece.place, chapter))
            }
            PieceKind::Reference(label) => {
                let link = self.references.link(label, chapter);
                self.referred.insert(label.clone());
                self.problems.keep(&piece.place, link)
            }
            PieceKind::Directive { directive, caption } => {
                let caption = caption.as_ref().map_or_else(String::new, |caption| {
                    caption.replace(|piece| self.piece(piece, chapter))
                });
                match directive.expand(self, caption, &piece.place) {
                    Err(what) if self.inputs.is_hand_in => {
                        Some(self.mark(&piece.place, &what, directive.label.as_ref()))
                    }
                    text => self.problems.keep(&piece.place, text),
                }
            }
        };
        let text = text.unwrap_or_default();
        piece.indent.as_ref().map_or_else(|| text.clone(), |indent| block(indent, &text))
    }

    /// The mark in the place of what a student has still to do, which is listed.
    pub(crate) fn mark(&mut self, place: &Place, what: &str, label: Option<&Label>) -> String {
        self.missing.add(place, what);
        let id = label.map(|label| format!(" id=\"{label}\"")).unwrap_or_default();
        // An empty line would end it.
        let what = escape(&what.split_whitespace().collect::<Vec<_>>().join(" "));
        format!("<strong class=\"missing\"{id}>[missing: {what}]</strong>")
    }

    /// The slot of a formula.
    fn formula(&mut self, tex: &str, displayed: bool, place: &Place) -> Option<String> {
        let rendered = self.rendered.entry((tex.to_owned(), displayed));
        let rendered = rendered.or_insert_with(|| render(tex, displayed).map(Arc::new)).clone();
        let formula = self.problems.keep(place, rendered)?;
        self.counts.formulas += 1;
        Some(self.slots.add(Filling::Formula(formula)))
    }

    /// A displayed formula with its number and its evidence.
    fn equation(
        &mut self,
        slot: &str,
        label: Option<&EquationLabel>,
        place: &Place,
        chapter: &Path,
    ) -> String {
        let body = format!("<div class=\"equation-body\">{slot}</div>");
        let Some(EquationLabel { label, is_result }) = label else {
            return format!("<div class=\"equation\">{body}</div>\n");
        };
        let number = self.references.name(label);
        let class = if *is_result { "equation result" } else { "equation" };
        let mut html = format!(
            "<div class=\"{class}\" id=\"{label}\">{body}\
             <a class=\"equation-number\" href=\"#{label}\">{number}</a></div>\n"
        );
        match self.inputs.evidence.formula(&label.id) {
            Some(found) => {
                self.counts.checked += 1;
                let mut items = vec![escape(&found.formula)];
                let key = (chapter.to_owned(), found.subject.unwrap_or_default().to_owned());
                // What is said of an implementation is said once in a chapter.
                match self.told.entry(key) {
                    Entry::Occupied(first) if !found.code.is_empty() => {
                        let (first, number) = (first.get(), self.references.name(first.get()));
                        items.push(format!("the code: as for <a href=\"#{first}\">{number}</a>"));
                    }
                    Entry::Occupied(_) => {}
                    Entry::Vacant(first) => {
                        first.insert(label.clone());
                        items.extend(found.code.iter().map(|item| escape(item)));
                    }
                }
                let marks = relative(chapter, Path::new(evidence::CHAPTER));
                items.push(format!("<a href=\"{marks}\">what this means</a>"));
                html.push_str(&format!(
                    "<details class=\"evidence\"><summary>checked in {} cases</summary>\
                     <ul><li>{}</li></ul></details>\n",
                    found.cases,
                    items.join("</li><li>")
                ));
            }
            None if *is_result => {
                let message = format!(
                    "the result `{label}` is not verified: the harness has no check `formulas.{}`",
                    label.id
                );
                self.problems.add(place, message);
            }
            None => {}
        }
        html
    }

    /// Checks what concerns the book as a whole.
    fn finish(&mut self) {
        let inputs = self.inputs;
        if inputs.is_hand_in {
            return;
        }
        let results = Place::file(&inputs.evidence_file);
        for failure in inputs.evidence.failures() {
            self.problems.add(&results, failure);
        }
        for id in inputs.evidence.formulas() {
            let label = Label { kind: Kind::Equation, id: id.to_owned() };
            if !self.references.targets.contains_key(&label) {
                let message = format!(
                    "the harness checks `formulas.{id}`, but no equation is `{{#eq:{id}}}`"
                );
                self.problems.add(&results, message);
            }
        }
        for (label, target) in &self.references.targets {
            let has_to_be_shown = matches!(label.kind, Kind::Figure | Kind::Table);
            if has_to_be_shown && !self.referred.contains(label) {
                let message = format!(
                    "the text never refers to `{label}`: write `[@{label}]` where it is talked about"
                );
                self.problems.add(&target.place, message);
            }
        }
        let folder = Path::new(SOURCE).join("figures");
        let figures = system::entries(&inputs.root.join(&folder));
        for figure in figures.into_iter().flatten() {
            if !self.figures.contains(&figure.path()) {
                let place = Place::file(folder.join(figure.file_name()));
                self.problems.add(&place, "no chapter shows this figure");
            }
        }
    }
}

/// Text as a block of its own, as far to the right as what it replaces.
fn block(indent: &str, text: &str) -> String {
    let mut out = String::from("\n");
    for line in text.trim_end().lines() {
        if !line.is_empty() {
            out.push_str(indent);
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}
