//! Exercises: a question with a number, and its solution, which is folded.

use std::ops::Range;

use crate::fragment::{Fragment, PieceKind};
use crate::problem::Problems;

/// The directives of an exercise, in their order.
pub(crate) const PARTS: [&str; 3] = ["exercise", "solution", "end"];

/// The opening of the exercise with this id and name.
pub(crate) fn open(id: &str, name: &str, title: &str) -> String {
    format!("<section class=\"exercise\" id=\"{id}\">\n\n**{name}. {title}.**\n")
}

/// The opening of its solution. On paper that stands at the end of the chapter, where its name is needed.
pub(crate) fn solution(name: &str) -> String {
    format!("<details class=\"solution\" data-of=\"{name}\">\n<summary>Solution</summary>\n")
}

/// The end of both.
pub(crate) const END: &str = "</details>\n</section>\n";

/// The solutions of a chapter. Reports each part of an exercise that is not where it belongs.
pub(crate) fn solutions(chapter: &Fragment, problems: &mut Problems) -> Vec<Range<usize>> {
    let mut solutions = Vec::new();
    let (mut expected, mut opened) = (0, None);
    for piece in &chapter.pieces {
        let PieceKind::Directive { directive, .. } = &piece.kind else { continue };
        let Some(part) = PARTS.iter().position(|part| *part == directive.name) else { continue };
        if part != expected {
            let message = format!(
                "`{{{{#{}}}}}` stands where `{{{{#{}}}}}` is expected: an exercise is `{{{{#exercise ...}}}}`, the question, \
                 `{{{{#solution}}}}`, the solution, `{{{{#end}}}}`",
                PARTS[part], PARTS[expected]
            );
            problems.add(&piece.place, message);
        }
        expected = (part + 1) % PARTS.len();
        match PARTS[part] {
            "end" => solutions.extend(opened.take().map(|from| from..piece.range.start)),
            "solution" => opened = Some(piece.range.end),
            _ => {}
        }
    }
    if let Some(last) = chapter.pieces.last().filter(|_| expected != 0) {
        problems.add(&last.place, "the last exercise has no `{{#end}}`");
    }
    solutions
}
