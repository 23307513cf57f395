//! Letters with several meanings: their table in the chapter on notation against the formulas of all chapters.
//!
//! Within a chapter a letter means one thing. One that means something else in another chapter has a row for each
//! meaning, with links to the chapters: `| $k$ | [4.3](q4-3-softmax.md) | number of classes |`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::fragment::{Fragment, Piece, PieceKind};
use crate::problem::{Place, Problems};

/// The chapter with the table.
const CHAPTER: &str = "notation.md";

/// The title of its section with the other symbols.
const SYMBOLS: &str = "## Symbols";

/// The title of its section.
const TITLE: &str = "## Letters with several meanings";

/// Reports each symbol without a link to where it is introduced, each chapter that uses a letter of the table and is in no row of it or in two, and each that is in a row
/// of a letter that it does not use.
pub(crate) fn check(chapters: &[(PathBuf, Fragment)], source: &Path, problems: &mut Problems) {
    let Some((_, table)) = chapters.iter().find(|(path, _)| path == Path::new(CHAPTER)) else {
        return;
    };
    let symbols = table.text.split_once(SYMBOLS).map_or("", |(_, rest)| rest);
    let symbols = symbols.split("\n## ").next().unwrap_or_default();
    for row in symbols.lines().filter(|row| row.starts_with("| $")) {
        if !row.contains("](") && !row.contains("[@") {
            let message = format!("the row `{row}` has no link to where the symbol is introduced");
            problems.add(&Place::file(source.join(CHAPTER)), message);
        }
    }
    let mut rows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (letter, linked) in rows_of(&table.text) {
        rows.entry(letter).or_default().extend(linked);
    }
    for (path, fragment) in chapters.iter().filter(|(path, _)| path != Path::new(CHAPTER)) {
        let used = used_in(fragment);
        for (letter, linked) in &rows {
            let count = linked.iter().filter(|linked| path == Path::new(linked)).count();
            let message = match (used.contains(letter), count) {
                (true, 0) => format!(
                    "`{letter}` has several meanings: say in {CHAPTER} which one it has here"
                ),
                (true, 1) | (false, 0) => continue,
                (true, _) => {
                    format!("{CHAPTER} gives `{letter}` two meanings here: rename one of them")
                }
                (false, _) => {
                    format!("{CHAPTER} gives `{letter}` a meaning here, where no formula has it")
                }
            };
            problems.add(&Place::file(source.join(path)), message);
        }
    }
}

/// The letter of each row of the table, and the chapters that it links.
fn rows_of(text: &str) -> Vec<(String, Vec<String>)> {
    let section = text.split_once(TITLE).map_or("", |(_, rest)| rest);
    let section = section.split("\n## ").next().unwrap_or_default();
    let row = |line: &str| {
        let (letter, rest) = line.strip_prefix("| $")?.split_once("$ |")?;
        let linked = rest.split("](").skip(1).filter_map(|link| link.split(')').next());
        Some((letter.to_owned(), linked.map(str::to_owned).collect()))
    };
    section.lines().filter_map(row).collect()
}

/// The symbols of all formulas of a chapter, those of captions included.
fn used_in(fragment: &Fragment) -> BTreeSet<String> {
    let of_piece = |piece: &Piece| match &piece.kind {
        PieceKind::Formula { tex, .. } => symbols(tex),
        PieceKind::Directive { caption: Some(caption), .. } => used_in(caption),
        _ => BTreeSet::new(),
    };
    fragment.pieces.iter().flat_map(of_piece).collect()
}

/// The letters and commands of a formula; one with a digit below it, as `p_1`, is a symbol of its own, and what stands
/// for words is none.
fn symbols(tex: &str) -> BTreeSet<String> {
    const WORDS: [&str; 6] =
        [r"\text", r"\operatorname", r"\mathrm", r"\begin", r"\end", r"\worked"];
    let mut found = BTreeSet::new();
    let mut rest = tex;
    while let Some(at) = rest.find(|c: char| c == '\\' || c.is_ascii_alphabetic()) {
        rest = &rest[at..];
        let length = match rest.strip_prefix('\\') {
            None => 1,
            Some(command) => {
                let end = command.find(|c: char| !c.is_ascii_alphabetic());
                1 + end.unwrap_or(command.len())
            }
        };
        let (symbol, after) = rest.split_at(length);
        // A backslash before something else spaces.
        if symbol == r"\" {
            rest = after.get(1..).unwrap_or_default();
            continue;
        }
        if WORDS.contains(&symbol) {
            rest = match after.trim_start().strip_prefix('{') {
                Some(group) => group.split_once('}').map_or("", |(_, after)| after),
                None => after.trim_start().get(1..).unwrap_or_default(),
            };
            continue;
        }
        let below = after.strip_prefix('_').and_then(|below| below.chars().next());
        match below.filter(char::is_ascii_digit) {
            Some(digit) => found.insert(format!("{symbol}_{digit}")),
            None => found.insert(symbol.to_owned()),
        };
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader;

    #[test]
    fn symbols_are_letters_and_not_words() {
        let tex =
            r"p_1 + \mu v_t = \operatorname{softmax}(H)\, k \text{ if } \int x \, \mathrm dz \\ 2";
        let found: Vec<String> = symbols(tex).into_iter().collect();
        assert_eq!(found, ["H", r"\int", r"\mu", "k", "p_1", "t", "v", "x", "z"]);
    }

    #[test]
    fn a_chapter_gives_a_letter_the_one_meaning_that_is_listed() {
        let table = format!(
            "# Notation\n\n{SYMBOLS}\n\n| $v$ | [A](a.md) |\n| $w$ | width |\n\n{TITLE}\n\n| letter | in | meaning |\n|---|---|---|\n\
             | $v$ | [A](a.md), [B](b.md) | velocity |\n| $v$ | [B](b.md), [C](c.md) | variance |\n\n## More\n"
        );
        let texts = [
            (CHAPTER, &*table),
            ("a.md", "# A\n\n$v_t$"),
            ("b.md", "# B\n\n$$\nv\n$$"),
            ("c.md", "# C\n\n$v_1$ and `$v$`"),
            ("d.md", "# D\n\n$2 v$"),
        ];
        let mut problems = Problems::default();
        let chapters = texts.map(|(path, text)| {
            let fragment = reader::chapter(text, &Place::new(path, 1), &mut problems);
            (PathBuf::from(path), fragment)
        });
        check(&chapters, Path::new("src"), &mut problems);
        let found = problems.lines();
        for (line, expected) in found.iter().zip([
            "src/b.md: notation.md gives `v` two meanings here",
            "src/c.md: notation.md gives `v` a meaning here",
            "src/d.md: `v` has several meanings",
            "src/notation.md: the row `| $w$ | width |` has no link",
        ]) {
            assert!(line.starts_with(expected), "{found:?}");
        }
        assert_eq!(found.len(), 4, "{found:?}");
    }
}
