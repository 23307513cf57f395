//! The preprocessor: turns the directives of all chapters into Markdown, HTML and slots.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use frontmatter::FrontMatter;
use mdbook_preprocessor::book::{Book, BookItem};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use crate::evidence::{self, Evidence};
use crate::formula::{self, Formula, Request, Style};
use crate::fragment::{Fragment, Link, Piece, PieceKind, Role};
use crate::markup::escape;
use crate::problem::{Place, Problems};
use crate::programs::Programs;
use crate::records::Records;
use crate::references::{Kind, Label, References, number_prefix, relative};
use crate::slots::{Filling, Slots};
use crate::worked;

/// The sources of the directives.
pub(crate) struct Inputs {
    /// The workspace.
    pub(crate) root: PathBuf,
    /// The chapters' folder, relative to the workspace, as problems name it.
    pub(crate) source: PathBuf,
    pub(crate) front: FrontMatter,
    pub(crate) evidence: Evidence,
    /// The file of the evidence, as problems name it.
    pub(crate) evidence_file: PathBuf,
    pub(crate) records: Records,
    pub(crate) programs: Box<dyn Programs>,
}

/// The outcome of the expansion, besides the chapters.
#[derive(Default)]
pub(crate) struct Expansion {
    /// The drawings and formulas to be put into the pages.
    pub(crate) slots: Slots,
    /// The links of each chapter's source.
    pub(crate) links: Vec<(PathBuf, Link)>,
    pub(crate) counts: Counts,
    pub(crate) problems: Problems,
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

/// Expands the directives of a book.
pub(crate) struct Expander {
    inputs: Inputs,
    outcome: Rc<RefCell<Expansion>>,
}

impl Expander {
    /// An expander that leaves its outcome in the cell that it returns.
    pub(crate) fn new(inputs: Inputs) -> (Self, Rc<RefCell<Expansion>>) {
        let outcome = Rc::new(RefCell::default());
        (Self { inputs, outcome: Rc::clone(&outcome) }, outcome)
    }
}

impl Preprocessor for Expander {
    fn name(&self) -> &str {
        "report"
    }

    /// Never fails: what is wrong goes into the outcome, so that one run shows everything.
    fn run(&self, _: &PreprocessorContext, mut book: Book) -> anyhow::Result<Book> {
        let mut run = Run {
            inputs: &self.inputs,
            references: References::default(),
            figures: BTreeSet::new(),
            expansion: Expansion::default(),
            rendered: BTreeMap::new(),
            referred: BTreeSet::new(),
        };
        let chapters = run.read(&book);
        run.define(&chapters);
        let pieces = chapters.iter().flat_map(|chapter| chapter.fragment.all_pieces());
        run.rendered = formula::render_all(&pieces.filter_map(|p| request(&p.kind)).collect());
        let texts: Vec<_> = chapters.iter().map(|chapter| run.expand(chapter)).collect();
        let mut texts = texts.into_iter();
        book.for_each_mut(|item| {
            if let BookItem::Chapter(chapter) = item
                && chapter.path.is_some()
                && let Some(text) = texts.next()
            {
                chapter.content = text;
            }
        });
        run.finish(&chapters);
        *self.outcome.borrow_mut() = run.expansion;
        Ok(book)
    }
}

struct Chapter {
    path: PathBuf,
    title: String,
    fragment: Fragment,
}

/// An expansion on its way.
pub(crate) struct Run<'a> {
    pub(crate) inputs: &'a Inputs,
    pub(crate) references: References,
    /// The files of figures that were shown.
    pub(crate) figures: BTreeSet<PathBuf>,
    pub(crate) expansion: Expansion,
    rendered: BTreeMap<Request, Result<Arc<Formula>, String>>,
    referred: BTreeSet<Label>,
}

impl Run<'_> {
    fn problem(&mut self, place: &Place, message: impl Into<String>) {
        self.expansion.problems.add(place, message);
    }

    fn read(&mut self, book: &Book) -> Vec<Chapter> {
        let mut chapters = Vec::new();
        for chapter in book.chapters() {
            let Some(path) = chapter.path.clone() else { continue };
            let start = Place::new(self.inputs.source.join(&path), 1);
            let problems = &mut self.expansion.problems;
            let mut fragment = Fragment::chapter(&chapter.content, &start, problems);
            worked::expand_all(&mut fragment, &self.inputs.evidence.worked, problems);
            let title_page = fragment.pieces.iter().any(|piece| {
                matches!(&piece.kind, PieceKind::Directive { directive, .. } if directive.name == "title-page")
            });
            let titles = fragment.titles + usize::from(title_page);
            if titles != 1 {
                let message = format!("a chapter has one title (`# ...`), but this has {titles}");
                problems.add(&start, message);
            }
            let links = fragment.links.iter().map(|link| (path.clone(), link.clone()));
            self.expansion.links.extend(links);
            chapters.push(Chapter { path, title: chapter.name.clone(), fragment });
        }
        self.expansion.counts.chapters = chapters.len();
        chapters
    }

    /// Numbers everything that has a label.
    fn define(&mut self, chapters: &[Chapter]) {
        for Chapter { path, title, fragment } in chapters {
            let prefix = number_prefix(title);
            for piece in &fragment.pieces {
                let label = match &piece.kind {
                    PieceKind::Display { label, .. } => label.as_ref().map(|(label, _)| label),
                    PieceKind::Directive { directive, .. } => directive.label.as_ref(),
                    _ => None,
                };
                if let Some(label) = label {
                    let problems = &mut self.expansion.problems;
                    self.references.define(label, path, &prefix, &piece.place, problems);
                }
            }
        }
    }

    fn expand(&mut self, chapter: &Chapter) -> String {
        chapter.fragment.replace(|piece| self.piece(piece, &chapter.path))
    }

    /// The text that replaces a piece of a chapter; nothing if that fails.
    fn piece(&mut self, piece: &Piece, chapter: &Path) -> String {
        let place = &piece.place;
        match &piece.kind {
            PieceKind::Failed => String::new(),
            PieceKind::Inline { .. } => self.formula(piece).unwrap_or_default(),
            PieceKind::Display { label, indent, .. } => {
                let html = self.equation(piece, label.as_ref(), chapter);
                block(indent, &html.unwrap_or_default())
            }
            PieceKind::Reference(label) => {
                let link = self.references.link(label, chapter);
                self.referred.insert(label.clone());
                self.expansion.problems.keep(place, link).unwrap_or_default()
            }
            PieceKind::Directive { directive, caption, indent } => {
                let caption = caption.as_ref().map_or_else(String::new, |caption| {
                    caption.replace(|piece| self.piece(piece, chapter))
                });
                let text = directive.expand(self, caption, place);
                let text = self.expansion.problems.keep(place, text).unwrap_or_default();
                indent.as_ref().map_or_else(|| text.clone(), |indent| block(indent, &text))
            }
        }
    }

    fn formula(&mut self, piece: &Piece) -> Option<String> {
        let rendered = self.rendered.get(&request(&piece.kind)?)?.clone();
        let formula = self.expansion.problems.keep(&piece.place, rendered)?;
        self.expansion.counts.formulas += 1;
        Some(self.expansion.slots.add(Filling::Formula(formula)))
    }

    fn equation(
        &mut self,
        piece: &Piece,
        label: Option<&(Label, Role)>,
        chapter: &Path,
    ) -> Option<String> {
        let slot = self.formula(piece)?;
        let body = format!("<div class=\"equation-body\">{slot}</div>");
        // A label that is defined twice, which is reported, names the first equation.
        let first = |(label, _): &&(Label, Role)| {
            self.references.get(label).is_some_and(|target| target.place == piece.place)
        };
        let Some((label, role)) = label.filter(first) else {
            return Some(format!("<div class=\"equation\">{body}</div>\n"));
        };
        let number = self.references.name(label);
        let class = if *role == Role::Result { "equation result" } else { "equation" };
        let mut html = format!(
            "<div class=\"{class}\" id=\"{label}\">{body}\
             <a class=\"equation-number\" href=\"#{label}\">{number}</a></div>\n"
        );
        match self.inputs.evidence.formula(&label.id) {
            Some(evidence) => {
                self.expansion.counts.checked += 1;
                let link = relative(chapter, Path::new(evidence::CHAPTER));
                let items = evidence.items();
                let line: Vec<_> = items.iter().map(|item| escape(item)).collect();
                html.push_str(&format!(
                    "<p class=\"evidence\"><a href=\"{link}\"><span>{}</span></a></p>\n",
                    line.join(";</span> <span>")
                ));
            }
            None if *role == Role::Result => {
                let message = format!(
                    "the result `{label}` is not verified: the harness has no check `formulas.{}`",
                    label.id
                );
                self.problem(&piece.place, message);
            }
            None => {}
        }
        Some(html)
    }

    /// Checks what concerns the book as a whole.
    fn finish(&mut self, chapters: &[Chapter]) {
        let inputs = self.inputs;
        let results = Place::file(&inputs.evidence_file);
        for failure in inputs.evidence.failures() {
            self.problem(&results, failure);
        }
        for id in inputs.evidence.formulas() {
            let label = Label { kind: Kind::Equation, id: id.to_owned() };
            if self.references.get(&label).is_none() {
                let message = format!(
                    "the harness checks `formulas.{id}`, but no equation is `{{#eq:{id}}}`"
                );
                self.problem(&results, message);
            }
        }
        for (label, target) in self.references.iter() {
            if label.kind != Kind::Equation && !self.referred.contains(label) {
                let message = format!(
                    "the text never refers to `{label}`: write `[@{label}]` where it is talked about"
                );
                self.expansion.problems.add(&target.place, message);
            }
        }
        let explained = chapters.iter().any(|chapter| chapter.path == Path::new(evidence::CHAPTER));
        if self.expansion.counts.checked > 0 && !explained {
            let message =
                format!("there is no chapter {}, to which evidence links", evidence::CHAPTER);
            self.problem(&Place::file(inputs.source.join("SUMMARY.md")), message);
        }
        let figures = system::entries(&inputs.root.join(&inputs.source).join("figures"));
        for figure in figures.into_iter().flatten() {
            if !self.figures.contains(&figure.path()) {
                let place = Place::file(inputs.source.join("figures").join(figure.file_name()));
                self.problem(&place, "no chapter shows this figure");
            }
        }
    }
}

/// The formula that a piece is.
fn request(kind: &PieceKind) -> Option<Request> {
    match kind {
        PieceKind::Inline { tex } => Some((Style::Inline, tex.clone())),
        PieceKind::Display { tex, .. } => Some((Style::Display, tex.clone())),
        _ => None,
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
