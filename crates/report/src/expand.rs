//! The preprocessor: turns the directives of all chapters into Markdown, HTML and slots.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use frontmatter::FrontMatter;
use mdbook_preprocessor::book::{Book, BookItem};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use crate::appendix;
use crate::code;
use crate::directive::{Directive, Figure, Source};
use crate::drawing;
use crate::evidence::{self, Evidence};
use crate::figure::{self, Origin};
use crate::formula::{self, Formula, Request, Style};
use crate::fragment::{Fragment, Link, Piece, PieceKind, Role};
use crate::front;
use crate::markup::escape;
use crate::problem::{Place, Problems};
use crate::programs::{Programs, output_block};
use crate::records::Records;
use crate::references::{Kind, Label, References, number_prefix, relative};
use crate::slots::{Filling, Slots};
use crate::worked;

/// What the directives draw on.
pub struct Inputs {
    /// The workspace.
    pub root: PathBuf,
    /// The chapters' folder, relative to the workspace, as problems name it.
    pub source: PathBuf,
    /// The title page.
    pub front: FrontMatter,
    /// What the harness found.
    pub evidence: Evidence,
    /// The file of the evidence, as problems name it.
    pub evidence_file: PathBuf,
    /// The committed records.
    pub records: Records,
    /// Runs the programs whose output is shown.
    pub programs: Box<dyn Programs>,
}

/// What came of the expansion, besides the chapters.
#[derive(Default)]
pub struct Expansion {
    /// What is to be put into the pages.
    pub slots: Slots,
    /// The links of each chapter's source.
    pub links: Vec<(PathBuf, Link)>,
    /// How much of what there was.
    pub counts: Counts,
    /// All that failed.
    pub problems: Problems,
}

/// How much of what a book has.
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
pub struct Expander {
    inputs: Inputs,
    outcome: Rc<RefCell<Expansion>>,
}

impl Expander {
    /// An expander that leaves its outcome in the cell that it returns.
    #[must_use]
    pub fn new(inputs: Inputs) -> (Self, Rc<RefCell<Expansion>>) {
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
        let mut run = Run::new(&self.inputs);
        let chapters = run.read(&book);
        run.define(&chapters);
        run.render(&chapters);
        let mut texts =
            chapters.iter().map(|chapter| run.expand(chapter)).collect::<Vec<_>>().into_iter();
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

struct Run<'a> {
    inputs: &'a Inputs,
    references: References,
    rendered: std::collections::BTreeMap<Request, Result<std::sync::Arc<Formula>, String>>,
    figures: BTreeSet<PathBuf>,
    referred: BTreeSet<Label>,
    expansion: Expansion,
}

impl<'a> Run<'a> {
    fn new(inputs: &'a Inputs) -> Self {
        Self {
            inputs,
            references: References::default(),
            rendered: Default::default(),
            figures: BTreeSet::new(),
            referred: BTreeSet::new(),
            expansion: Expansion::default(),
        }
    }

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
                matches!(piece.kind, PieceKind::Directive { directive: Directive::TitlePage, .. })
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
                    PieceKind::Display { label, .. } => label.as_ref(),
                    PieceKind::Directive { directive, .. } => {
                        directive.labelled().map(|(label, _)| label)
                    }
                    _ => None,
                };
                if let Some(label) = label {
                    let problems = &mut self.expansion.problems;
                    self.references.define(label, path, &prefix, &piece.place, problems);
                }
            }
        }
    }

    /// Renders every formula of the book.
    fn render(&mut self, chapters: &[Chapter]) {
        let pieces = chapters.iter().flat_map(|chapter| chapter.fragment.all_pieces());
        let requests = pieces.filter_map(|piece| request(&piece.kind)).collect();
        self.rendered = formula::render_all(&requests);
    }

    fn expand(&mut self, chapter: &Chapter) -> String {
        chapter.fragment.replace(|piece| self.piece(piece, chapter))
    }

    /// What stands in the place of a piece; nothing if that fails.
    fn piece(&mut self, piece: &Piece, chapter: &Chapter) -> String {
        let place = &piece.place;
        match &piece.kind {
            PieceKind::Failed => String::new(),
            PieceKind::Inline { .. } => self.formula(piece).unwrap_or_default(),
            PieceKind::Display { label, role, indent, .. } => {
                let html = self.equation(piece, label.as_ref(), *role, chapter);
                block(indent, &html.unwrap_or_default())
            }
            PieceKind::Reference(label) => {
                let link = self.references.link(label, &chapter.path);
                self.referred.insert(label.clone());
                self.expansion.problems.keep(place, link).unwrap_or_default()
            }
            PieceKind::Value { record, key } => {
                let evidence = &self.inputs.evidence;
                let value = match record.as_str() {
                    "worked" => worked::value(key, &evidence.worked),
                    _ => self.inputs.records.value(record, key, evidence),
                };
                self.expansion.problems.keep(place, value).unwrap_or_default()
            }
            PieceKind::Directive { directive, caption, indent } => {
                let caption = caption
                    .as_ref()
                    .map(|caption| caption.replace(|piece| self.piece(piece, chapter)));
                let text = self.directive(directive, caption, place);
                block(indent, &text.unwrap_or_default())
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
        label: Option<&Label>,
        role: Role,
        chapter: &Chapter,
    ) -> Option<String> {
        let slot = self.formula(piece)?;
        let body = format!("<div class=\"equation-body\">{slot}</div>");
        // A label that is defined twice, which is reported, names the first equation.
        let target = label.and_then(|label| self.references.get(label));
        let target = target.filter(|target| target.place == piece.place);
        let (Some(label), Some(target)) = (label, target) else {
            return Some(format!("<div class=\"equation\">{body}</div>\n"));
        };
        let number = Kind::Equation.refer(&target.number);
        let class = if role == Role::Result { "equation result" } else { "equation" };
        let mut html = format!(
            "<div class=\"{class}\" id=\"{label}\">{body}\
             <a class=\"equation-number\" href=\"#{label}\">{number}</a></div>\n"
        );
        match self.inputs.evidence.formula(&label.id) {
            Some(evidence) => {
                self.expansion.counts.checked += 1;
                let link = relative(&chapter.path, Path::new(evidence::CHAPTER));
                let items = evidence.items();
                let last = items.len() - 1;
                let span = |(index, item): (usize, &String)| {
                    let end = if index < last { ";" } else { "" };
                    format!("<span>{}{end}</span>", escape(item))
                };
                let line = items.iter().enumerate().map(span).collect::<Vec<_>>().join(" ");
                html.push_str(&format!(
                    "<p class=\"evidence\"><a href=\"{link}\">{line}</a></p>\n"
                ));
            }
            None if role == Role::Result => {
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

    fn directive(
        &mut self,
        directive: &Directive,
        caption: Option<String>,
        place: &Place,
    ) -> Option<String> {
        let inputs = self.inputs;
        let result = match directive {
            Directive::TitlePage => {
                let heading = front::heading(&inputs.front);
                Ok(format!("<h1 id=\"title\">{heading}</h1>\n{}", front::page(&inputs.front)))
            }
            Directive::Code { file, anchor } => {
                self.expansion.counts.snippets += 1;
                code::snippet(&inputs.root, file, anchor.as_deref()).map(|s| code::listing(&s))
            }
            Directive::AllCode => {
                let problems = &mut self.expansion.problems;
                let appendix = appendix::appendix(&inputs.root, place, problems);
                appendix.map_err(|error| format!("{error:#}")).map(|appendix| {
                    self.expansion.counts.appendix_files += appendix.files;
                    appendix.markdown
                })
            }
            Directive::Tests { question } => inputs.evidence.tests(question),
            Directive::Summary => Ok(inputs.evidence.summary()),
            Directive::NegativeControls { question } => {
                inputs.evidence.negative_controls(question.as_deref())
            }
            Directive::Output { program, argument } => {
                output_block(program, argument.as_deref(), inputs.programs.as_ref())
            }
            Directive::Record { record, view } => inputs.records.view(record, view),
            Directive::Ablation { folder } => inputs.records.ablation(folder),
            Directive::Repeats { folder, seeds, accuracy } => {
                inputs.records.repeats(folder, *seeds, *accuracy)
            }
            Directive::Performance { view } => inputs.records.performance_view(view),
            Directive::Requirement { record, key, minimum, what } => {
                inputs.records.requirement(record, key, *minimum, what, &inputs.evidence)
            }
            Directive::Figure(figure) => self.figure(figure, &caption.unwrap_or_default()),
            Directive::Widget { widget, .. } => {
                let caption = caption.unwrap_or_default();
                widget.body(&inputs.evidence.worked).map(|body| {
                    let slot = self.expansion.slots.add(Filling::Drawing(body));
                    format!(
                        "<figure class=\"widget\" data-widget=\"{}\" hidden>\n\
                         <div class=\"widget-body\">{slot}</div>\n<figcaption>\n\n\
                         {caption}\n\n</figcaption>\n</figure>\n",
                        widget.name()
                    )
                })
            }
            Directive::Table { label, .. } => {
                let number = self.references.get(label)?.number.clone();
                let name = label.kind.refer(&number);
                let caption = caption.unwrap_or_default();
                Ok(format!(
                    "<div class=\"table-caption\" id=\"{label}\">\n\n**{name}.** {caption}\n\n</div>\n"
                ))
            }
        };
        self.expansion.problems.keep(place, result)
    }

    fn figure(&mut self, figure: &Figure, caption: &str) -> Result<String, String> {
        let Figure { file, alt, label, source, .. } = figure;
        let inputs = self.inputs;
        let read = |path: &Path| {
            let text = fs::read_to_string(path);
            text.map_err(|error| format!("cannot read the figure {file}: {error}"))
        };
        let (svg, origin) = match source {
            Source::Plot => (read(&inputs.records.plot(file)?)?, Origin::Plot),
            Source::File => {
                let path = inputs.root.join(&inputs.source).join("figures").join(file);
                let svg = read(&path)?;
                self.figures.insert(path);
                (svg, Origin::Drawing)
            }
            Source::Program => {
                let sources = drawing::Sources {
                    evidence: &inputs.evidence,
                    records: &inputs.records,
                    programs: inputs.programs.as_ref(),
                };
                (drawing::draw(file, &sources)?, Origin::Drawing)
            }
        };
        let alt = worked::expand_text(alt, &inputs.evidence.worked)?;
        let svg = figure::inline(&svg, origin, &format!("fig-{}", label.id), &alt)
            .map_err(|error| format!("{file}: {error}"))?;
        self.expansion.counts.figures += 1;
        let slot = self.expansion.slots.add(Filling::Drawing(svg));
        // Not defined only if the label is a duplicate, which is reported where it is defined.
        let number = self.references.get(label).map_or("", |target| &target.number);
        let name = label.kind.refer(number);
        Ok(format!(
            "<figure class=\"figure\" id=\"{label}\">\n<div class=\"figure-body\">{slot}</div>\n<figcaption>\n\n\
             **{name}.** {caption}\n\n</figcaption>\n</figure>\n"
        ))
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
        let drawings = disk::entries(&inputs.root.join(&inputs.source).join("figures"));
        for drawing in drawings.into_iter().flatten() {
            if !self.figures.contains(&drawing.path()) {
                let name = drawing.file_name().to_string_lossy().into_owned();
                let place = Place::file(inputs.source.join("figures").join(name));
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
