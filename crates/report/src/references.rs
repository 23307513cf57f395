//! Numbered equations, figures, tables and exercises, and references to them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use frontmatter::Source;

use crate::problem::{Place, Problems};

/// The kind of thing that a label numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// `eq:`
    Equation,
    /// `fig:`
    Figure,
    /// `tbl:`
    Table,
    /// `ex:`
    Exercise,
    /// `src:`
    Source,
}

impl Kind {
    const ALL: [Self; 5] =
        [Self::Equation, Self::Figure, Self::Table, Self::Exercise, Self::Source];

    fn prefix(self) -> &'static str {
        match self {
            Self::Equation => "eq",
            Self::Figure => "fig",
            Self::Table => "tbl",
            Self::Exercise => "ex",
            Self::Source => "src",
        }
    }

    /// The text of a reference to number `number`.
    pub(crate) fn refer(self, number: &str) -> String {
        match self {
            Self::Equation => format!("({number})"),
            Self::Figure => format!("Figure {number}"),
            Self::Table => format!("Table {number}"),
            Self::Exercise => format!("Exercise {number}"),
            Self::Source => format!("\\[{number}\\]"),
        }
    }
}

/// The name of an equation, figure, table, exercise or source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Label {
    /// The kind of thing.
    pub(crate) kind: Kind,
    /// The name, unique in the book among its kind.
    pub(crate) id: String,
}

impl Label {
    /// Reads `eq:ID`, `fig:ID`, `tbl:ID`, `ex:ID` or `src:ID`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let expected = "expected eq:ID, fig:ID, tbl:ID, ex:ID or src:ID, where ID has lower-case letters, digits, `-`, `_` and `.`";
        let (prefix, id) = text.split_once(':').unwrap_or((text, ""));
        let kind = Kind::ALL.into_iter().find(|kind| kind.prefix() == prefix);
        let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        match kind {
            Some(kind) if !id.is_empty() && id.chars().all(valid) => {
                Ok(Self { kind, id: id.to_owned() })
            }
            _ => Err(format!("`{text}` is not a label: {expected}")),
        }
    }

    /// Reads a label that has to be of one kind.
    pub(crate) fn parse_as(kind: Kind, text: &str) -> Result<Self, String> {
        let label = Self::parse(text)?;
        match label.kind == kind {
            true => Ok(label),
            false => Err(format!("`{text}` is not of the form `{}:ID`", kind.prefix())),
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.prefix(), self.id)
    }
}

/// Where a label stands and the number it got.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    /// The chapter's file, relative to `book/src`.
    pub(crate) chapter: PathBuf,
    /// The number, such as `4.2.3`.
    pub(crate) number: String,
    /// Where it is defined.
    pub(crate) place: Place,
}

/// Every label of the book.
#[derive(Debug, Default)]
pub(crate) struct References {
    /// Where each label leads.
    pub(crate) targets: BTreeMap<Label, Target>,
    counts: BTreeMap<(PathBuf, Kind), usize>,
    chapters: BTreeMap<String, PathBuf>,
}

impl References {
    /// Gives the next number of its kind in its chapter to a label.
    ///
    /// `prefix` is what the chapter's numbers begin with; see [`number_prefix`].
    pub(crate) fn define(
        &mut self,
        label: &Label,
        chapter: &Path,
        prefix: &str,
        place: &Place,
        problems: &mut Problems,
    ) {
        if let Some(first) = self.targets.get(label) {
            problems.add(place, format!("`{label}` is already defined at {}", first.place));
            return;
        }
        let owner = self.chapters.entry(prefix.to_owned()).or_insert_with(|| chapter.to_owned());
        if owner != chapter {
            let message = format!(
                "numbers of this chapter would begin with {prefix}, as those of {} do: give the chapter \
                 another title in SUMMARY.md",
                owner.display()
            );
            problems.add(place, message);
            return;
        }
        let count = self.counts.entry((chapter.to_owned(), label.kind)).or_default();
        *count += 1;
        let number = format!("{prefix}.{count}");
        let target = Target { chapter: chapter.to_owned(), number, place: place.clone() };
        self.targets.insert(label.clone(), target);
    }

    /// Numbers the sources, which a chapter lists.
    pub(crate) fn define_sources(
        &mut self,
        sources: &[Source],
        chapter: &Path,
        place: &Place,
        problems: &mut Problems,
    ) {
        for (index, Source { id, .. }) in sources.iter().enumerate() {
            let Some(label) = problems.keep(place, Label::parse(&format!("src:{id}"))) else {
                continue;
            };
            let number = (index + 1).to_string();
            let target = Target { chapter: chapter.to_owned(), number, place: place.clone() };
            if self.targets.insert(label, target).is_some() {
                problems.add(place, format!("report.toml has the source `{id}` twice"));
            }
        }
    }

    /// The name of a labelled thing in the text: `Figure 4.2.1`. A label that is not defined, which is
    /// reported elsewhere, has no number.
    pub(crate) fn name(&self, label: &Label) -> String {
        label.kind.refer(self.targets.get(label).map_or("", |target| &target.number))
    }

    /// The link that a reference in `chapter` becomes.
    pub(crate) fn link(&self, label: &Label, chapter: &Path) -> Result<String, String> {
        let target = self.targets.get(label).ok_or_else(|| {
            format!("nothing in the book defines `{label}`, to which `[@{label}]` refers")
        })?;
        let text = label.kind.refer(&target.number);
        let file = match target.chapter == chapter {
            true => String::new(),
            false => relative(chapter, &target.chapter),
        };
        Ok(format!("[{text}]({file}#{label})"))
    }
}

/// The beginning of the numbers of a chapter: the number its title begins with, or the title's initial.
pub(crate) fn number_prefix(title: &str) -> String {
    let first = title.split_whitespace().next().unwrap_or_default();
    match first.starts_with(|c: char| c.is_ascii_digit()) {
        true => first.trim_end_matches('.').to_owned(),
        false => title
            .chars()
            .find(|c| c.is_alphabetic())
            .map_or_else(String::new, |c| c.to_uppercase().collect()),
    }
}

/// The link from one chapter's file to another.
pub(crate) fn relative(from: &Path, to: &Path) -> String {
    let depth = from.components().count().saturating_sub(1);
    let to: Vec<_> = to.iter().map(|part| part.to_string_lossy()).collect();
    "../".repeat(depth) + &to.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_numbered_by_kind_and_chapter_and_chapters_share_no_numbers() {
        let (mut references, mut problems) = (References::default(), Problems::default());
        for (label, chapter, prefix) in [
            ("eq:a", "q4-1.md", "4.1"),
            ("fig:a", "q4-1.md", "4.1"),
            ("eq:b", "q4-1.md", "4.1"),
            ("eq:c", "back/x.md", "N"),
            ("eq:d", "new.md", "N"),
        ] {
            let (label, place) = (Label::parse(label).unwrap(), Place::new(chapter, 1));
            references.define(&label, chapter.as_ref(), prefix, &place, &mut problems);
        }
        let link = |label, from: &str| {
            references.link(&Label::parse(label).unwrap(), from.as_ref()).unwrap()
        };
        assert_eq!(link("eq:b", "q4-1.md"), "[(4.1.2)](#eq:b)");
        assert_eq!(link("fig:a", "back/x.md"), "[Figure 4.1.1](../q4-1.md#fig:a)");
        assert_eq!(link("eq:c", "q4-1.md"), "[(N.1)](back/x.md#eq:c)");
        let problems = problems.to_string();
        let expected =
            "new.md:1: numbers of this chapter would begin with N, as those of back/x.md do";
        assert!(problems.starts_with(expected) && problems.ends_with("1 problem"), "{problems}");
        for (title, prefix) in [("4.2 Layer", "4.2"), ("notation", "N"), ("3. The package", "3")] {
            assert_eq!(number_prefix(title), prefix);
        }
    }
}
