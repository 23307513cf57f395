//! The Markdown of a chapter or a caption, and what is to be replaced in it.

use std::ops::Range;

use crate::directive::Directive;
use crate::problem::{Place, Problems};
use crate::reader::Reader;
use crate::references::Label;

/// Markdown, and what is to be replaced in it.
#[derive(Clone, Debug)]
pub(crate) struct Fragment {
    pub(crate) text: String,
    /// The replacements, in order and disjoint.
    pub(crate) pieces: Vec<Piece>,
    /// The links to other files or anchors.
    pub(crate) links: Vec<Link>,
    /// The number of its first-level headings.
    pub(crate) titles: usize,
}

/// A part of the source that is to be replaced.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// The bytes of the source.
    pub(crate) range: Range<usize>,
    pub(crate) place: Place,
    pub(crate) kind: PieceKind,
}

/// The part of an equation in a derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// `.result`: the harness has to check it.
    Result,
    /// `.step`: on the way to a result that is checked.
    Step,
    /// `.definition`: it says what a word or a letter means.
    Definition,
}

/// A construct to replace. An `indent` is the white space before a block.
#[derive(Clone, Debug)]
pub(crate) enum PieceKind {
    /// `$...$`
    Inline { tex: String },
    /// `$$ ... $$`
    Display { tex: String, label: Option<(Label, Role)>, indent: String },
    /// `[@kind:ID]`
    Reference(Label),
    /// A directive, on a line of its own if it has an indent.
    Directive { directive: Directive, caption: Option<Fragment>, indent: Option<String> },
    /// A construct that could not be read, which is reported: nothing stands in its place.
    Failed,
}

/// A link or an image of the source.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) place: Place,
    pub(crate) target: String,
    pub(crate) image: bool,
}

impl Fragment {
    /// Reads a chapter, whose first line stands at `start`.
    pub(crate) fn chapter(text: &str, start: &Place, problems: &mut Problems) -> Self {
        Reader::read(text, start, true, problems)
    }

    /// Reads a caption: no blocks.
    pub(crate) fn caption(text: &str, place: &Place, problems: &mut Problems) -> Self {
        Reader::read(text, place, false, problems)
    }

    /// All pieces, those of captions included.
    pub(crate) fn all_pieces(&self) -> impl Iterator<Item = &Piece> {
        self.pieces.iter().flat_map(|piece| {
            let caption = match &piece.kind {
                PieceKind::Directive { caption: Some(caption), .. } => &caption.pieces[..],
                _ => &[],
            };
            std::iter::once(piece).chain(caption)
        })
    }

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
