//! The worked examples of the chapters: their numbers come from the harness's run.
//!
//! In a formula, `\worked{NAME}` becomes a tensor of an example, and `\checked{...}` its content,
//! after its arithmetic has been done again. In a section "A worked example" nothing that looks like
//! a result may be typed.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::arithmetic::{check, worked};
use crate::exercise;
use crate::fragment::{Fragment, Piece, PieceKind};
use crate::problem::Problems;
use crate::tensor::{Tensor, Tensors};

/// Puts tensors into the formulas of a chapter, those of captions included.
pub(crate) fn expand_all(chapter: &mut Fragment, tensors: &Tensors, problems: &mut Problems) {
    let formulas: Vec<&str> = chapter.pieces.iter().filter_map(formula).collect();
    let spelled_out: BTreeSet<String> = formulas.into_iter().flat_map(spelled_out).collect();
    let solutions = exercise::solutions(chapter, problems);
    for piece in &mut chapter.pieces {
        let is_in = |ranges: &[Range<usize>]| ranges.iter().any(|r| r.contains(&piece.range.start));
        let (example, solution) = (is_in(&chapter.examples), is_in(&solutions));
        let strict = example || solution;
        if strict && let Some(tex) = formula(piece) {
            for name in
                rounded(tex, tensors).into_iter().filter(|name| !spelled_out.contains(whole(name)))
            {
                let message = format!(
                    "`{name}` is shown rounded and computed nowhere: spell out what a reader can do again, \
                     `\\checked{{... \\approx \\worked{{{name}}}}}`"
                );
                problems.add(&piece.place, message);
            }
        }
        let is_result: Option<IsResult> = match (example, solution) {
            (_, true) => Some(is_computed),
            (true, false) => Some(is_number),
            (false, false) => None,
        };
        expand_piece(piece, is_result, tensors, problems);
    }
}

/// Whether digits in a formula are a result, which may not be typed.
type IsResult = fn(&str) -> bool;

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// Any number but 0 and 1, which a derivation ends with as often as a computation.
fn is_computed(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    is_number(text) && !matches!(&text[..end], "0" | "1")
}

fn formula(piece: &Piece) -> Option<&str> {
    match &piece.kind {
        PieceKind::Formula { tex, .. } => Some(tex),
        _ => None,
    }
}

/// The tensors that arithmetic in this formula has on a right side, whole or in part.
fn spelled_out(tex: &str) -> Vec<String> {
    let mut names = Vec::new();
    for part in parts(tex).unwrap_or_default() {
        let Part::Checked(inner) = part else { continue };
        let sides = inner.split('=').flat_map(|side| side.split(r"\approx"));
        let tensors = sides.skip(1).filter_map(|side| worked(side.trim()).ok().flatten());
        names.extend(tensors.map(|(name, ..)| whole(name).to_owned()));
    }
    names
}

/// The tensor that a name is a part of.
fn whole(name: &str) -> &str {
    name.split('[').next().unwrap_or(name)
}

/// The tensors of a formula, outside of its arithmetic, of which digits are missing.
fn rounded(tex: &str, tensors: &Tensors) -> Vec<String> {
    let parts = parts(tex).unwrap_or_default().into_iter();
    let is_rounded = |name: &str, digits| tensors.get(name).is_ok_and(|t| !t.is_short(digits));
    let rounded = parts.filter_map(|part| match part {
        Part::Worked(name, digits) if is_rounded(name, digits) => Some(name.to_owned()),
        _ => None,
    });
    rounded.collect()
}

/// Expands the formulas of a piece; one that fails is reported once, and nothing stands in its place.
fn expand_piece(
    piece: &mut Piece,
    strict: Option<IsResult>,
    tensors: &Tensors,
    problems: &mut Problems,
) {
    let (place, inline) = (&piece.place, piece.indent.is_none());
    let tex = match &mut piece.kind {
        PieceKind::Formula { tex, .. } => tex,
        PieceKind::Directive { caption: Some(caption), .. } => {
            let pieces = caption.pieces.iter_mut();
            return pieces.for_each(|piece| expand_piece(piece, strict, tensors, problems));
        }
        _ => return,
    };
    if let Some(typed) = strict.and_then(|is_result| typed_result(tex, is_result)) {
        let message = format!(
            "`{typed}` is typed in a worked example or a solution: write `\\worked{{NAME}}`, or `\\checked{{...}}` \
             around arithmetic"
        );
        problems.add(place, message);
    }
    match problems.keep(place, expand(tex, inline, tensors)) {
        Some(expanded) => *tex = expanded,
        None => piece.kind = PieceKind::Failed,
    }
}

/// TeX with tensors in the place of their names. An error says that a tensor is unknown, or checked
/// arithmetic wrong.
pub(crate) fn expand(tex: &str, inline: bool, tensors: &Tensors) -> Result<String, String> {
    replaced(tex, tensors, &|tensor, digits| tensor.tex(digits, inline))
}

/// Plain text, such as the text of a figure that cannot be seen, with tensors in the place of their
/// names.
pub(crate) fn expand_text(text: &str, tensors: &Tensors) -> Result<String, String> {
    replaced(text, tensors, &|tensor, digits| Ok(tensor.text(digits)))
}

/// Text with each tensor as `show` makes it, with so many digits, after its arithmetic has been checked.
fn replaced(
    text: &str,
    tensors: &Tensors,
    show: &dyn Fn(&Tensor, usize) -> Result<String, String>,
) -> Result<String, String> {
    let part = |part| match part {
        Part::Text(text) => Ok(text.to_owned()),
        Part::Worked(name, digits) => show(&tensors.get(name)?, digits),
        Part::Checked(inner) => {
            check(inner, tensors)?;
            replaced(inner, tensors, show)
        }
    };
    parts(text)?.into_iter().map(part).collect()
}

/// A part of a text or formula: `\worked{NAME}`, the inside of `\checked{...}`, or something else.
enum Part<'a> {
    Text(&'a str),
    Worked(&'a str, usize),
    Checked(&'a str),
}

fn parts(text: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(found) = text[at..].find('\\') {
        at += found;
        let rest = &text[at..];
        let (part, after) = if let Some((name, digits, after)) = worked(rest)? {
            (Part::Worked(name, digits), after)
        } else if let Some(after) = rest.strip_prefix(r"\checked") {
            let (inner, after) =
                group(after).ok_or_else(|| r"arithmetic to check is `\checked{...}`".to_owned())?;
            (Part::Checked(inner), after)
        } else {
            at += 1;
            continue;
        };
        parts.extend([Part::Text(&text[start..at]), part]);
        at = text.len() - after.len();
        start = at;
    }
    parts.push(Part::Text(&text[start..]));
    Ok(parts)
}

/// The content of the braces that `tex` begins with, and what follows them.
fn group(tex: &str) -> Option<(&str, &str)> {
    let inner = tex.strip_prefix('{')?;
    let mut depth = 1_usize;
    for (at, character) in inner.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&inner[..at], &inner[at + 1..]));
        }
    }
    None
}

/// Something like a result in TeX, outside of `\worked` and `\checked`: a number after `=` or
/// `\approx`, a matrix or a tuple with numbers in it.
fn typed_result(tex: &str, is_result: IsResult) -> Option<String> {
    let text = |part| if let Part::Text(text) = part { text } else { "" };
    let parts = parts(tex).unwrap_or_else(|_| vec![Part::Text(tex)]);
    let bare: String = parts.into_iter().map(text).collect();
    for environment in ["matrix}", "smallmatrix}", "pmatrix}", "array}"] {
        let (begin, end) = (format!("\\begin{{{environment}"), format!("\\end{{{environment}"));
        if let Some((_, rest)) = bare.split_once(&begin)
            && let Some((inside, _)) = rest.split_once(&end)
            && numbers(inside).any(is_result)
        {
            return Some(format!("{begin}{inside}{end}"));
        }
    }
    for relation in ["=", r"\approx"] {
        for (at, _) in bare.match_indices(relation) {
            let after = bare[at + relation.len()..].trim_start_matches([' ', '&', '(', '-']);
            if is_result(after) || after.starts_with(r"\tfrac") {
                return Some(bare[at..].chars().take(24).collect());
            }
        }
    }
    let tuple = |(open, _): (usize, &str)| {
        let inside = bare[open + 1..].split(')').next().unwrap_or_default();
        let part = |part: &str| part.trim_matches([' ', '\\', '-']).to_owned();
        let is_result = |part: &String| part.parse::<f64>().is_ok() && is_result(part);
        let results = inside.split([',', ';']).map(part).filter(is_result).count();
        (results > 1 && !inside.contains(char::is_alphabetic)).then(|| format!("({inside})"))
    };
    bare.match_indices('(').find_map(tuple)
}

/// The numbers of a text, each with what follows it.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    let of_number = |c: char| c.is_ascii_digit() || c == '.';
    let starts = text.char_indices().filter(move |(at, c)| {
        let before = &text[..*at];
        let is_index = before.trim_end_matches('{').ends_with('_');
        c.is_ascii_digit() && !before.ends_with(of_number) && !is_index
    });
    starts.map(|(at, _)| &text[at..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Place;
    use crate::reader;
    use crate::tensor::tests::sample;

    #[test]
    fn tensors_stand_in_the_place_of_their_names() {
        let tex =
            r"X = \worked{a.v}, \; \checked{1 + 5 = \worked{a.six}} \approx \worked[2]{a.third}";
        let expanded = expand(tex, false, &sample()).unwrap();
        assert_eq!(expanded, r"X = (0.5,\; -2), \; 1 + 5 = 6 \approx 0.33");
        let text = expand_text(r"rows \worked{a.w}, then \worked{a.v[1]}", &sample()).unwrap();
        assert_eq!(text, "rows (1, 0, 2.5; \u{2212}1, 1, 0.3), then \u{2212}2");
        for (tex, expected) in [
            (r"\worked{b.c}", "no worked example"),
            (r"\checked{1 + 5 = 7}", "6 is not 7"),
            (r"\checked 1", "`\\checked{...}`"),
        ] {
            let error = expand(tex, true, &sample()).unwrap_err();
            assert!(error.contains(expected), "{tex}: {error}");
        }
    }

    #[test]
    fn a_result_that_was_typed_is_seen() {
        let typed = r"Y = \begin{pmatrix} 1 & 2 \end{pmatrix} | s = 2 | x &= -0.5 | p \approx 0.33 |
            L = \tfrac32 \ln 2 | g = (0, 0, 8) | \worked{a.v} \to (1,\; 2) | \checked{1 + 1 = 2} = 2";
        let fine = r"Y = \worked{a.w} | \checked{1 + 5 = 6} | Z[1,1] | W[0,1] \cdot X[1,0] | 2 \times 2 |
            \begin{pmatrix} a & b \end{pmatrix} | s_0, \dots, s_{k-1} | (n, i)";
        for (all, expected) in [(typed, true), (fine, false)] {
            for tex in all.split('|') {
                assert_eq!(typed_result(tex, is_number).is_some(), expected, "{tex}");
            }
        }
    }

    #[test]
    fn what_a_worked_example_shows_rounded_is_spelled_out_on_its_page() {
        let shown = "# Q\n\n## A worked example\n\n$s = \\worked{a.third}$ and $\\worked{a.six}$\n";
        let spelled_out =
            format!("{shown}\n## End\n\n$\\checked{{\\tfrac13 \\approx \\worked{{a.third}}}}$\n");
        for (text, count) in [(shown, 1), (&*spelled_out, 0)] {
            let mut problems = Problems::default();
            let mut fragment = reader::chapter(text, &Place::new("q.md", 1), &mut problems);
            expand_all(&mut fragment, &sample(), &mut problems);
            let found = problems.lines();
            assert_eq!(found.len(), count, "{found:?}");
            let of_third = |line: &String| line.starts_with("q.md:5: `a.third` is shown rounded");
            assert!(found.iter().all(of_third), "{found:?}");
        }
    }

    #[test]
    fn the_numbers_of_solutions_are_computed() {
        let text = "# Q\n\n{{#exercise \"E\" ex:e}}\n\n$a = 2$\n\n{{#solution}}\n\n$b = 0$, $c = 1$, \
                    $\\checked{1 + 5 = 6}$,\n$\\begin{pmatrix} x_{12} & 0 \\end{pmatrix}$\n\n$d = 0.5$\n\n\
                    $\\begin{pmatrix} 0 & 10 \\end{pmatrix}$\n\n{{#end}}\n\n$e = 2$\n\n{{#solution}}\n";
        let mut problems = Problems::default();
        let mut fragment = reader::chapter(text, &Place::new("q.md", 1), &mut problems);
        expand_all(&mut fragment, &sample(), &mut problems);
        let found = problems.lines();
        assert_eq!(found.len(), 4, "{found:?}");
        for (line, expected) in found.iter().zip([
            "q.md:12: `= 0.5` is typed in a worked example or a solution",
            "q.md:14: `\\begin{pmatrix}",
            "q.md:20: `{{#solution}}` stands where `{{#exercise}}` is expected",
            "q.md:20: the last exercise has no `{{#end}}`",
        ]) {
            assert!(line.starts_with(expected), "{found:?}");
        }
    }

    #[test]
    fn only_worked_examples_are_strict_and_they_end_with_their_section() {
        let text = "# Q\n\n$a = 1$\n\n## A worked example\n\n$b = 2$\n\n### Part\n\n$c = 3$\n\n\
                    ## Derivation\n\n$d = 4$\n\n### A worked example of it\n\n$e = \\worked{a.six}$\n";
        let mut problems = Problems::default();
        let mut fragment = reader::chapter(text, &Place::new("q.md", 1), &mut problems);
        expand_all(&mut fragment, &sample(), &mut problems);
        let found = problems.lines();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("q.md:7: `= 2` is typed in a worked example"), "{found:?}");
        assert!(found[1].starts_with("q.md:11: `= 3`"), "{found:?}");
    }
}
