//! The directives of a chapter, `{{#name arguments}}`: [`DIRECTIVES`] has their arguments and the
//! functions that expand them, the documentation of the crate says what they are for.

use std::fs;
use std::path::Path;
use std::str::FromStr;

use crate::appendix::appendix;
use crate::code::{listing, unwritten};
use crate::drawing::draw;
use crate::exercise;
use crate::expand::{Run, SOURCE};
use crate::figure::inline;
use crate::front;
use crate::mutants;
use crate::performance;
use crate::planted_bug;
use crate::problem::Place;
use crate::programs::output_block;
use crate::references::{Kind, Label};
use crate::slots::Filling;
use crate::tensor::DIGITS;
use crate::widget;
use crate::worked;

/// The directive that stands in a line of text; all others stand on a line of their own.
pub(crate) const IN_LINE: &str = "value";

const FIGURE: &[&str] = &["FILE", CAPTION, "\"alternative text\"", "fig:ID"];
const CAPTION: &str = "\"caption\"";

/// Each directive with its arguments and its expansion. `"..."` stands for text that is not empty, `[...]`
/// for a last argument that may be absent, `fig:ID` for a label.
const DIRECTIVES: [(&str, &[&str], Expand); 27] = [
    ("title-page", &[], |run, _| Ok(front::page(&run.inputs.front))),
    ("chapters", &[], |run, _| Ok(run.map.clone())),
    ("sources", &[], |run, _| Ok(front::sources(&run.inputs.front))),
    ("code", &["FILE:ANCHOR"], code),
    ("all-code", &[], all_code),
    ("tests", &["QUESTION"], tests),
    ("summary", &[], |run, _| Ok(run.inputs.evidence.summary())),
    ("negative-controls", &["[QUESTION]"], |run, call| {
        run.inputs.evidence.negative_controls(call.optional(0))
    }),
    ("exercise", &[CAPTION, "ex:ID"], exercise),
    ("solution", &[], |run, _| Ok(exercise::solution(&run.exercise))),
    ("end", &[], |_, _| Ok(exercise::END.to_owned())),
    ("bug", &["SUBJECT", "BUG"], |run, call| {
        let (evidence, root) = (&run.inputs.evidence, &run.inputs.root);
        planted_bug::listing(evidence, root, call.word(0), call.word(1))
    }),
    ("caught", &["SUBJECT", "BUG"], |run, call| {
        planted_bug::caught(&run.inputs.evidence, call.word(0), call.word(1))
    }),
    ("output", &["PROGRAM", "[LAYER]"], |run, call| {
        output_block(call.word(0), call.optional(1), &*run.inputs.cargo)
    }),
    ("record", &["RECORD", "VIEW"], |run, call| {
        run.inputs.records.view(call.word(0), call.word(1))
    }),
    ("ablation", &["FOLDER"], |run, call| run.inputs.records.ablation(call.word(0))),
    ("repeats", &["FOLDER", "SEEDS", "ACCURACY"], |run, call| {
        run.inputs.records.repeats(call.word(0), call.number(1)?, call.number(2)?)
    }),
    ("performance", &["VIEW"], |run, call| {
        performance::view(&run.inputs.records.performance()?, call.word(0))
    }),
    ("mutants", &["VIEW"], |run, call| {
        mutants::view(&run.inputs.records.0.join("mutants"), call.word(0))
    }),
    ("requirement", &["RECORD", "KEY", "MINIMUM", "\"what\""], |run, call| {
        let (inputs, minimum) = (run.inputs, call.number(2)?);
        let (record, key, what) = (call.word(0), call.word(1), call.word(3));
        inputs.records.requirement(record, key, minimum, what, &inputs.evidence)
    }),
    (IN_LINE, &["RECORD", "KEY"], |run, call| match call.word(0) {
        "worked" => Ok(run.inputs.evidence.worked.get(call.word(1))?.text(DIGITS)),
        record => run.inputs.records.value(record, call.word(1), &run.inputs.evidence),
    }),
    ("figure", FIGURE, file),
    ("plot", FIGURE, plot),
    ("drawing", FIGURE, drawing),
    ("widget", &["NAME", CAPTION], widget),
    ("table", &[CAPTION, "tbl:ID"], |run, call| {
        let label = Label::parse(call.word(1))?;
        let (name, caption) = (run.references.name(&label), &call.caption);
        Ok(format!(
            "<div class=\"table-caption\" id=\"{label}\">\n\n**{name}.** {caption}\n\n</div>\n"
        ))
    }),
    ("todo", &["\"what\""], |_, call| Err(call.word(0).to_owned())),
];

/// The expansion of a directive, or an error.
type Expand = fn(&mut Run<'_>, &Call<'_>) -> Result<String, String>;

/// A directive with as many arguments as it has to have.
#[derive(Clone, Debug)]
pub(crate) struct Directive {
    pub(crate) name: &'static str,
    expand: Expand,
    text: String,
    arguments: Vec<String>,
    /// The label that it defines.
    pub(crate) label: Option<Label>,
    /// Its caption, in Markdown.
    pub(crate) caption: Option<String>,
}

/// A directive where it stands, its caption expanded.
pub(crate) struct Call<'a> {
    directive: &'a Directive,
    caption: String,
    place: &'a Place,
}

impl Directive {
    /// Reads what stands between `{{#` and `}}`; an error says how the directive is written.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        // Within `"..."` any backslash but that of `\"` stands for itself, so that captions may hold formulas.
        let words = shlex::split(text);
        let words =
            words.ok_or_else(|| format!("`{{{{#{text}}}}}` has an unclosed quotation mark"))?;
        let mut words = words.into_iter();
        let name = words.next().ok_or("the directive has no name")?;
        let arguments: Vec<String> = words.collect();
        if let "include" | "rustdoc_include" | "playground" = name.as_str() {
            return Err(format!(
                "`{{{{#{name}}}}}` does not fail on a wrong anchor: write `{{{{#code FILE:ANCHOR}}}}`"
            ));
        }
        let Some((name, usage, expand)) = DIRECTIVES.into_iter().find(|(n, ..)| *n == name) else {
            let known = DIRECTIVES.map(|(known, ..)| known).join(", ");
            return Err(format!("unknown directive `{{{{#{name}}}}}`; known are {known}"));
        };
        let wrong = || {
            let form = [&[name], usage].concat().join(" ");
            format!("`{{{{#{text}}}}}` is not of the form `{{{{#{form}}}}}`")
        };
        let required = usage.iter().filter(|argument| !argument.starts_with('[')).count();
        if !(required..=usage.len()).contains(&arguments.len()) {
            return Err(wrong());
        }
        let text = text.to_owned();
        let mut directive =
            Self { name, expand, text, arguments: arguments.clone(), label: None, caption: None };
        for (expected, argument) in usage.iter().zip(arguments) {
            match *expected {
                "fig:ID" => directive.label = Some(Label::parse_as(Kind::Figure, &argument)?),
                "tbl:ID" => directive.label = Some(Label::parse_as(Kind::Table, &argument)?),
                "ex:ID" => directive.label = Some(Label::parse_as(Kind::Exercise, &argument)?),
                text if text.starts_with('"') && argument.trim().is_empty() => return Err(wrong()),
                CAPTION => directive.caption = Some(argument),
                _ => {}
            }
        }
        Ok(directive)
    }

    /// The text that replaces it, with this caption.
    pub(crate) fn expand(
        &self,
        run: &mut Run<'_>,
        caption: String,
        place: &Place,
    ) -> Result<String, String> {
        (self.expand)(run, &Call { directive: self, caption, place })
    }
}

impl Call<'_> {
    fn optional(&self, index: usize) -> Option<&str> {
        self.directive.arguments.get(index).map(String::as_str)
    }

    fn word(&self, index: usize) -> &str {
        self.optional(index).unwrap_or_default()
    }

    fn number<T: FromStr>(&self, index: usize) -> Result<T, String> {
        let (word, text) = (self.word(index), &self.directive.text);
        word.parse().map_err(|_| format!("`{word}` in `{{{{#{text}}}}}` is not a number"))
    }
}

fn exercise(run: &mut Run<'_>, call: &Call<'_>) -> Result<String, String> {
    let label = Label::parse(call.word(1))?;
    run.exercise = run.references.name(&label);
    Ok(exercise::open(&label.to_string(), &run.exercise, &call.caption))
}

fn code(run: &mut Run<'_>, call: &Call<'_>) -> Result<String, String> {
    run.counts.snippets += 1;
    let place = call.word(0).split_once(':');
    let (file, anchor) = place.ok_or_else(|| format!("`{}` has no `:ANCHOR`", call.word(0)))?;
    let shown = listing(&run.inputs.root, file, anchor)?;
    let mut marks = String::new();
    if run.inputs.is_hand_in {
        let text = fs::read_to_string(run.inputs.root.join(file)).unwrap_or_default();
        for (at, line) in (1..).zip(text.lines()) {
            if let Some(name) = unwritten(line).filter(|_| shown.contains(line.trim())) {
                let what = format!("{name} is not written");
                marks += &format!("{}\n\n", run.mark(&Place::new(file, at), &what, None));
            }
        }
    }
    Ok(marks + &shown)
}

/// The lines of a question or a class.
fn tests(run: &mut Run<'_>, call: &Call<'_>) -> Result<String, String> {
    let evidence = &run.inputs.evidence;
    let shown = evidence.tests(call.word(0))?;
    let mut marks = String::new();
    let failed = evidence.selected(call.word(0))?.into_iter().filter(|check| check.status != "ok");
    for check in failed.filter(|_| run.inputs.is_hand_in) {
        let what = format!("{} ({}) fails", check.name, check.group);
        marks += &format!("{}\n\n", run.mark(call.place, &what, None));
    }
    Ok(marks + &shown)
}

fn all_code(run: &mut Run<'_>, call: &Call<'_>) -> Result<String, String> {
    let found = appendix(&run.inputs.root, call.place, &mut run.problems);
    let (markdown, files) = found.map_err(|error| format!("{error:#}"))?;
    run.counts.appendix_files += files;
    Ok(markdown)
}

/// A file of `book/src/figures`.
fn file(run: &mut Run<'_>, call: &Call<'_>) -> Result<String, String> {
    let folder = run.inputs.root.join(SOURCE).join("figures");
    let path = folder.join(call.word(0));
    let svg = read_figure(&path, call.word(0))?;
    run.figures.insert(path);
    figure(run, call, &svg)
}

/// A file of a record.
fn plot(run: &mut Run<'_>, call: &Call<'_>) -> Result<String, String> {
    let svg = read_figure(&run.inputs.records.plot(call.word(0))?, call.word(0))?;
    figure(run, call, &svg)
}

/// A figure that this program draws.
fn drawing(run: &mut Run<'_>, call: &Call<'_>) -> Result<String, String> {
    let svg = draw(call.word(0), run.inputs)?;
    figure(run, call, &svg)
}

fn figure(run: &mut Run<'_>, call: &Call<'_>, svg: &str) -> Result<String, String> {
    let (file, label) = (call.word(0), Label::parse(call.word(3))?);
    let alt = worked::expand_text(call.word(2), &run.inputs.evidence.worked)?;
    let svg = inline(svg, &format!("fig-{}", label.id), &alt)
        .map_err(|error| format!("{file}: {error}"))?;
    run.counts.figures += 1;
    let slot = run.slots.add(Filling::Drawing(svg));
    let (name, caption) = (run.references.name(&label), &call.caption);
    Ok(format!(
        "<figure class=\"figure\" id=\"{label}\">\n<div class=\"figure-body\">{slot}</div>\n<figcaption>\n\n\
         **{name}.** {caption}\n\n</figcaption>\n</figure>\n"
    ))
}

fn widget(run: &mut Run<'_>, call: &Call<'_>) -> Result<String, String> {
    let (name, caption) = (call.word(0), &call.caption);
    let body = widget::body(name, &run.inputs.evidence.worked)?;
    let slot = run.slots.add(Filling::Drawing(body));
    Ok(format!(
        "<figure class=\"widget\" data-widget=\"{name}\" hidden>\n\
         <div class=\"widget-body\">{slot}</div>\n<figcaption>\n\n\
         {caption}\n\n</figcaption>\n</figure>\n"
    ))
}

fn read_figure(path: &Path, name: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read the figure {name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directive_has_arguments_a_caption_and_a_label() {
        let figure = r#"figure net.svg "A \"net\" with $\sigma$" "Three layers" fig:net"#;
        for (text, last, caption, label) in [
            (figure, "fig:net", Some(r#"A "net" with $\sigma$"#), Some("fig:net")),
            ("table \"Sizes\" tbl:a", "tbl:a", Some("Sizes"), Some("tbl:a")),
            ("negative-controls", "", None, None),
            ("negative-controls 4.1", "4.1", None, None),
            ("output gradcheck Conv2D", "Conv2D", None, None),
        ] {
            let directive = Directive::parse(text).unwrap();
            assert_eq!(directive.arguments.last().map_or("", String::as_str), last, "{text}");
            assert_eq!(directive.caption.as_deref(), caption, "{text}");
            assert_eq!(directive.label, label.map(|label| Label::parse(label).unwrap()), "{text}");
        }
    }

    #[test]
    fn a_directive_that_is_not_understood_says_what_was_expected() {
        for (text, expected) in [
            ("code", "{{#code FILE:ANCHOR}}"),
            ("record iris-sweep", "{{#record RECORD VIEW}}"),
            ("requirement one summary.epochs 8", "{{#requirement RECORD KEY MINIMUM \"what\"}}"),
            ("figure a.svg \"caption\" fig:a", "\"alternative text\""),
            ("figure a.svg \"caption\" \"\" fig:a", "\"alternative text\""),
            ("figure a.svg \"c\" \"alt\" eq:a", "fig:ID"),
            ("figure a.svg \"c", "unclosed quotation mark"),
            ("widget softmax \" \"", "{{#widget NAME \"caption\"}}"),
            ("negative-controls 4.1 now", "{{#negative-controls [QUESTION]}}"),
            ("summary 4.1", "is not of the form `{{#summary}}`"),
            ("include a.rs", "{{#code FILE:ANCHOR}}"),
            (
                "titel x",
                "unknown directive `{{#titel}}`; known are title-page, chapters, sources, code, all-code",
            ),
            ("", "no name"),
        ] {
            let error = Directive::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
