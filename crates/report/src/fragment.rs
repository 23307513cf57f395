//! The Markdown of a chapter or a caption, and what is to be replaced in it.

use std::ops::Range;

use crate::directive::Directive;
use crate::problem::Place;
use crate::references::Label;

/// Markdown, and what is to be replaced in it.
#[derive(Clone, Debug)]
pub(crate) struct Fragment {
    pub(crate) text: String,
    /// The replacements, in order and disjoint.
    pub(crate) pieces: Vec<Piece>,
    /// The number of its first-level headings.
    pub(crate) titles: usize,
    /// The sections that are worked examples.
    pub(crate) examples: Vec<Range<usize>>,
}

/// A part of the source that is to be replaced.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// The bytes of the source.
    pub(crate) range: Range<usize>,
    pub(crate) place: Place,
    /// The white space before it, if it is a block on lines of its own.
    pub(crate) indent: Option<String>,
    pub(crate) kind: PieceKind,
}

/// A construct to replace.
#[derive(Clone, Debug)]
pub(crate) enum PieceKind {
    /// `$...$`, or `$$ ... $$` as a block.
    Formula { tex: String, label: Option<EquationLabel> },
    /// `[@kind:ID]`
    Reference(Label),
    /// `{{#name ...}}`
    Directive { directive: Directive, caption: Option<Fragment> },
    /// A construct that could not be read, which is reported: nothing stands in its place.
    Failed,
}

/// The label of an equation.
#[derive(Clone, Debug)]
pub(crate) struct EquationLabel {
    pub(crate) label: Label,
    /// `.result`, which the harness has to check; else `.step`, on the way to one, or `.definition`.
    pub(crate) is_result: bool,
}

impl Fragment {
    /// The source with each piece replaced.
    pub(crate) fn replace(&self, mut replacement: impl FnMut(&Piece) -> String) -> String {
        let mut out = String::with_capacity(self.text.len() * 2);
        let mut end = 0;
        for piece in &self.pieces {
            out.push_str(&self.text[end..piece.range.start]);
            out.push_str(&replacement(piece));
            end = piece.range.end;
        }
        out.push_str(&self.text[end..]);
        out
    }
}
