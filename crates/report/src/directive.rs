//! The directives of a chapter: `{{#name arguments}}`.

use crate::references::{Kind, Label};
use crate::widget::Widget;

/// What a directive asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Directive {
    /// `{{#title-page}}`: the front matter from `report.toml`.
    TitlePage,
    /// `{{#code FILE}}` or `{{#code FILE:ANCHOR}}`: code of the workspace.
    Code {
        /// The file, relative to the workspace.
        file: String,
        /// The region to show; the whole file if absent.
        anchor: Option<String>,
    },
    /// `{{#all-code}}`: every file of code of the workspace.
    AllCode,
    /// `{{#tests QUESTION}}`: the captured test output of a question.
    Tests {
        /// The question as the assignment numbers it.
        question: String,
    },
    /// `{{#summary}}`: how many checks of which kind each question has.
    Summary,
    /// `{{#negative-controls}}`, `{{#negative-controls QUESTION}}`: the deliberate bugs, and what
    /// caught them.
    NegativeControls {
        /// The question whose bugs they are; all if absent.
        question: Option<String>,
    },
    /// `{{#output PROGRAM}}`, `{{#output gradcheck LAYER}}`: the captured output of a program.
    Output {
        /// The program, by the name that `programs` knows.
        program: String,
        /// What the program is given.
        argument: Option<String>,
    },
    /// `{{#record RECORD VIEW}}`: a table of a committed record.
    Record {
        /// The folder below `book/records/`.
        record: String,
        /// What to show of it.
        view: String,
    },
    /// `{{#ablation FOLDER}}`: the table of a folder of runs, each without one component.
    Ablation {
        /// The folder below `book/records/`.
        folder: String,
    },
    /// `{{#repeats FOLDER SEEDS ACCURACY}}`: the table of a folder of runs that differ in nothing but
    /// their seed.
    Repeats {
        /// The folder below `book/records/`.
        folder: String,
        /// How many seeds there have to be.
        seeds: usize,
        /// What their mean accuracy on the test set has to be.
        accuracy: f64,
    },
    /// `{{#performance VIEW}}`: a table of the record of the benchmark.
    Performance {
        /// What to show of it.
        view: String,
    },
    /// `{{#requirement RECORD KEY MINIMUM "what"}}`: a value that has to be at least so large.
    Requirement {
        /// The folder below `book/records/`.
        record: String,
        /// The path of the value, with `%` at the end to show it as a percentage.
        key: String,
        /// The smallest value that will do.
        minimum: f64,
        /// What is required, in words.
        what: String,
    },
    /// `{{#figure FILE.svg "caption" "alternative text" fig:ID}}` and `{{#plot ...}}`.
    Figure(Figure),
    /// `{{#widget NAME "caption"}}`: something to try out, where scripts run.
    Widget {
        /// What to try out.
        widget: Widget,
        /// The caption, in Markdown.
        caption: String,
    },
    /// `{{#table "caption" tbl:ID}}`: the caption of the table that follows.
    Table {
        /// The caption, in Markdown.
        caption: String,
        /// What references call it.
        label: Label,
    },
}

/// Where a figure comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `{{#figure ...}}`: a file of `book/src/figures`.
    File,
    /// `{{#plot ...}}`: a file of a record.
    Plot,
    /// `{{#drawing ...}}`: the report draws it.
    Program,
}

/// A figure to be inlined.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Relative to `book/src/figures` for a file, to the workspace for a plot; the name of a drawing.
    pub file: String,
    /// The caption, in Markdown.
    pub caption: String,
    /// What a reader who does not see the figure should know of it.
    pub alt: String,
    /// What references call it.
    pub label: Label,
    /// Where it comes from.
    pub source: Source,
}

impl Directive {
    /// Reads what stands between `{{#` and `}}`.
    ///
    /// # Errors
    /// A message that says how the directive is written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words = words(text)?;
        let (name, arguments) = words.split_first().ok_or("the directive has no name")?;
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let wrong = |usage: &str| Err(format!("`{{{{#{text}}}}}` is not of the form `{usage}`"));
        match (name.as_str(), &arguments[..]) {
            ("title-page", []) => Ok(Self::TitlePage),
            ("all-code", []) => Ok(Self::AllCode),
            ("summary", []) => Ok(Self::Summary),
            ("negative-controls", []) => Ok(Self::NegativeControls { question: None }),
            ("negative-controls", [question]) => {
                Ok(Self::NegativeControls { question: Some((*question).to_owned()) })
            }
            ("negative-controls", _) => wrong("{{#negative-controls QUESTION}}"),
            ("title-page" | "all-code" | "summary", _) => wrong(&format!("{{{{#{name}}}}}")),
            ("code", [target]) => {
                let (file, anchor) = match target.split_once(':') {
                    Some((file, anchor)) => (file, Some(anchor.to_owned())),
                    None => (*target, None),
                };
                Ok(Self::Code { file: file.to_owned(), anchor })
            }
            ("code", _) => wrong("{{#code FILE:ANCHOR}}"),
            ("tests", [question]) => Ok(Self::Tests { question: (*question).to_owned() }),
            ("tests", _) => wrong("{{#tests QUESTION}}"),
            ("output", [program, argument @ ..]) if argument.len() < 2 => Ok(Self::Output {
                program: (*program).to_owned(),
                argument: argument.first().map(|argument| (*argument).to_owned()),
            }),
            ("output", _) => wrong("{{#output PROGRAM}}"),
            ("record", [record, view]) => {
                Ok(Self::Record { record: (*record).to_owned(), view: (*view).to_owned() })
            }
            ("record", _) => wrong("{{#record RECORD VIEW}}"),
            ("ablation", [folder]) => Ok(Self::Ablation { folder: (*folder).to_owned() }),
            ("ablation", _) => wrong("{{#ablation FOLDER}}"),
            ("repeats", [folder, seeds, accuracy]) => {
                let not_a_number =
                    |of: &str| format!("`{of}` in `{{{{#{text}}}}}` is not a number");
                Ok(Self::Repeats {
                    folder: (*folder).to_owned(),
                    seeds: seeds.parse().map_err(|_| not_a_number(seeds))?,
                    accuracy: accuracy.parse().map_err(|_| not_a_number(accuracy))?,
                })
            }
            ("repeats", _) => wrong("{{#repeats FOLDER SEEDS ACCURACY}}"),
            ("performance", [view]) => Ok(Self::Performance { view: (*view).to_owned() }),
            ("performance", _) => wrong("{{#performance VIEW}}"),
            ("requirement", [record, key, minimum, what]) => Ok(Self::Requirement {
                record: (*record).to_owned(),
                key: (*key).to_owned(),
                minimum: minimum
                    .parse()
                    .map_err(|_| format!("`{minimum}` in `{{{{#{text}}}}}` is not a number"))?,
                what: (*what).to_owned(),
            }),
            ("requirement", _) => wrong("{{#requirement RECORD KEY MINIMUM \"what\"}}"),
            ("figure" | "plot" | "drawing", [file, caption, alt, label]) => {
                if caption.trim().is_empty() || alt.trim().is_empty() {
                    return Err(format!(
                        "`{{{{#{text}}}}}` needs a caption and an alternative text"
                    ));
                }
                Ok(Self::Figure(Figure {
                    file: (*file).to_owned(),
                    caption: (*caption).to_owned(),
                    alt: (*alt).to_owned(),
                    label: Label::parse_as(Kind::Figure, label)?,
                    source: match name.as_str() {
                        "figure" => Source::File,
                        "plot" => Source::Plot,
                        _ => Source::Program,
                    },
                }))
            }
            ("figure" | "plot" | "drawing", _) => {
                wrong(&format!("{{{{#{name} FILE \"caption\" \"alternative text\" fig:ID}}}}"))
            }
            ("widget", [name, caption]) if !caption.trim().is_empty() => {
                Ok(Self::Widget { widget: Widget::parse(name)?, caption: (*caption).to_owned() })
            }
            ("widget", _) => wrong("{{#widget NAME \"caption\"}}"),
            ("table", [caption, label]) => Ok(Self::Table {
                caption: (*caption).to_owned(),
                label: Label::parse_as(Kind::Table, label)?,
            }),
            ("table", _) => wrong("{{#table \"caption\" tbl:ID}}"),
            ("include" | "rustdoc_include" | "playground", _) => Err(format!(
                "`{{{{#{name}}}}}` does not fail on a wrong anchor: write `{{{{#code FILE:ANCHOR}}}}`"
            )),
            _ => Err(format!(
                "unknown directive `{{{{#{name}}}}}`; known are title-page, code, all-code, tests, \
                 summary, negative-controls, output, record, ablation, repeats, performance, requirement, \
                 value, \
                 figure, plot, drawing, widget, table"
            )),
        }
    }

    /// The label that the directive defines, and its caption.
    #[must_use]
    pub fn labelled(&self) -> Option<(&Label, &str)> {
        match self {
            Self::Figure(figure) => Some((&figure.label, &figure.caption)),
            Self::Table { caption, label } => Some((label, caption)),
            _ => None,
        }
    }

    /// The caption, with a label or without.
    #[must_use]
    pub fn caption(&self) -> Option<&str> {
        match self {
            Self::Widget { caption, .. } => Some(caption),
            _ => self.labelled().map(|(_, caption)| caption),
        }
    }
}

/// Words are separated by spaces; `"..."` is one word, in which `\"` stands for a quotation mark
/// and any other backslash for itself, so that captions may hold formulas.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut word = String::new();
            let mut characters = quoted.char_indices().peekable();
            let end = loop {
                match characters.next() {
                    Some((_, '\\')) if characters.peek().is_some_and(|(_, c)| *c == '"') => {
                        characters.next();
                        word.push('"');
                    }
                    Some((at, '"')) => break at,
                    Some((_, c)) => word.push(c),
                    None => {
                        return Err(format!("`{{{{#{text}}}}}` has an unclosed quotation mark"));
                    }
                }
            };
            words.push(word);
            rest = &quoted[end + 1..];
        } else {
            let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
            words.push(rest[..length].to_owned());
            rest = &rest[length..];
        }
        rest = rest.trim_start();
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_read() {
        let code = Directive::parse("code crates/a/src/b.rs:forward").unwrap();
        let (file, anchor) = ("crates/a/src/b.rs".to_owned(), Some("forward".to_owned()));
        assert_eq!(code, Directive::Code { file, anchor });
        let figure = r#"figure net.svg "A \"net\" with $\sigma$" "Three layers" fig:net"#;
        let Directive::Figure(figure) = Directive::parse(figure).unwrap() else {
            panic!("not a figure")
        };
        assert_eq!(figure.caption, r#"A "net" with $\sigma$"#);
        assert_eq!((figure.label.id.as_str(), figure.source), ("net", Source::File));
        let record = Directive::parse("record iris-sweep best").unwrap();
        let (name, view) = ("iris-sweep".to_owned(), "best".to_owned());
        assert_eq!(record, Directive::Record { record: name, view });
    }

    #[test]
    fn a_directive_that_is_not_understood_says_what_was_expected() {
        for (text, expected) in [
            ("code", "{{#code FILE:ANCHOR}}"),
            ("tests", "{{#tests QUESTION}}"),
            ("record iris-sweep", "{{#record RECORD VIEW}}"),
            ("ablation", "{{#ablation FOLDER}}"),
            ("performance", "{{#performance VIEW}}"),
            ("repeats best 3", "{{#repeats FOLDER SEEDS ACCURACY}}"),
            ("repeats best three 0.9", "`three` in"),
            ("performance air steps", "{{#performance VIEW}}"),
            ("requirement one summary.epochs 8", "{{#requirement RECORD KEY MINIMUM"),
            ("requirement one summary.epochs eight \"Epochs\"", "`eight` in"),
            ("figure a.svg \"caption\" fig:a", "alternative text"),
            ("figure a.svg \"caption\" \"\" fig:a", "needs a caption and an alternative text"),
            ("figure a.svg \"c\" \"alt\" eq:a", "fig:ID"),
            ("figure a.svg \"c", "unclosed quotation mark"),
            ("widget softmax", "{{#widget NAME \"caption\"}}"),
            ("widget softmax \" \"", "{{#widget NAME \"caption\"}}"),
            ("widget pooling \"Try\"", "no widget `pooling`"),
            ("negative-controls 4.1 now", "{{#negative-controls QUESTION}}"),
            ("output gradcheck Conv2D now", "{{#output PROGRAM}}"),
            ("drawing net fig:net", "{{#drawing FILE"),
            ("include a.rs", "{{#code FILE:ANCHOR}}"),
            ("titel x", "unknown directive"),
            ("", "no name"),
        ] {
            let error = Directive::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
