//! What no Rust file may contain.

use std::path::Path;

use super::rust_tokens::{Spanned, Token, tokens};
use crate::problem::Problem;
use crate::workspace::SourceFile;

/// A sequence of tokens that is not to occur, in words and punctuation separated by spaces.
struct Forbidden {
    sequence: &'static str,
    remedy: &'static str,
}

const EVERYWHERE: [Forbidden; 7] = [
    Forbidden { sequence: "unsafe", remedy: "write it safely; the workspace has no unsafe code" },
    Forbidden {
        sequence: "allow (",
        remedy: "satisfy the lint, or use #[expect(LINT, reason = \"...\")]",
    },
    Forbidden { sequence: "# [ ignore", remedy: "make the test fast and sound, or delete it" },
    Forbidden { sequence: "should_panic", remedy: "return an error and assert it" },
    Forbidden { sequence: "todo !", remedy: "write it" },
    Forbidden { sequence: "unimplemented !", remedy: "write it, or return a typed error" },
    Forbidden { sequence: "dbg !", remedy: "remove it" },
];

/// The crates that compute, which read nothing and print nothing.
const MATHEMATICS: [&str; 6] = ["numerics", "activations", "losses", "layers", "cnn", "optim"];

const IN_MATHEMATICS: [Forbidden; 8] = [
    Forbidden { sequence: "std : : fs", remedy: NO_IO },
    Forbidden { sequence: "std : : env", remedy: NO_IO },
    Forbidden { sequence: "std : : net", remedy: NO_IO },
    Forbidden { sequence: "std : : process", remedy: NO_IO },
    Forbidden { sequence: "println !", remedy: NO_IO },
    Forbidden { sequence: "print !", remedy: NO_IO },
    Forbidden { sequence: "eprintln !", remedy: NO_IO },
    Forbidden { sequence: "eprint !", remedy: NO_IO },
];

const NO_IO: &str = "the crates of mathematics do no input or output; do it in the program";

pub(super) fn check(files: &[SourceFile]) -> Vec<Problem> {
    let rust = files.iter().filter_map(|file| Some((file.path.as_path(), file.text_if("rs")?)));
    rust.flat_map(|(path, text)| check_file(path, text)).collect()
}

fn check_file(path: &Path, text: &str) -> Vec<Problem> {
    let all = tokens(text);
    let is_code = |spanned: &&Spanned<'_>| !matches!(spanned.token, Token::Comment(_));
    let code: Vec<_> = all.iter().filter(is_code).copied().collect();
    let mut problems = Vec::new();
    let in_mathematics =
        MATHEMATICS.iter().any(|name| path.starts_with(Path::new("crates").join(name).join("src")));
    let rules = EVERYWHERE.iter().chain(IN_MATHEMATICS.iter().filter(|_| in_mathematics));
    for Forbidden { sequence, remedy } in rules {
        let words: Vec<_> = sequence.split(' ').collect();
        for window in code.windows(words.len()) {
            if window.iter().zip(&words).all(|(spanned, word)| is(spanned, word)) {
                let what = format!("`{}` is not allowed", sequence.replace(' ', ""));
                problems.push(Problem::in_line(path, window[0].line, what, *remedy));
            }
        }
    }
    problems.extend(expectations_without_reason(path, &code));
    problems.extend(ignored_examples(path, &all));
    problems
}

fn is(spanned: &Spanned<'_>, word: &str) -> bool {
    match spanned.token {
        Token::Word(found) => found == word,
        Token::Punctuation(found) => word.chars().eq([found]),
        Token::Literal | Token::Comment(_) => false,
    }
}

/// `#[expect(lint)]` that does not say why.
fn expectations_without_reason(path: &Path, code: &[Spanned<'_>]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, window) in code.windows(3).enumerate() {
        if is(&window[0], "[") && is(&window[1], "expect") && is(&window[2], "(") {
            let attribute = code[index..].iter().take_while(|spanned| !is(spanned, "]"));
            if !attribute.into_iter().any(|spanned| is(spanned, "reason")) {
                let what = "`#[expect]` without a reason";
                let remedy = "add `reason = \"...\"`";
                problems.push(Problem::in_line(path, window[1].line, what, remedy));
            }
        }
    }
    problems
}

/// Examples in the documentation that are not compiled.
fn ignored_examples(path: &Path, all: &[Spanned<'_>]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for spanned in all {
        let Token::Comment(text) = spanned.token else { continue };
        for (offset, line) in text.lines().enumerate() {
            let fence = line.trim_start_matches(['/', '!', '*', ' ']).strip_prefix("```");
            if fence.is_some_and(|info| info.split(',').any(|word| word.trim() == "ignore")) {
                let what = "an example that is not compiled";
                let remedy = "make it compile, or mark it `text` if it is no Rust";
                problems.push(Problem::in_line(path, spanned.line + offset, what, remedy));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, source: &str) -> Vec<String> {
        check_file(Path::new(path), source).iter().map(Problem::to_string).collect()
    }

    fn assert_found(path: &str, source: &str, expected: &str) {
        let problems = problems(path, source);
        assert_eq!(problems.len(), 1, "{source}: {problems:?}");
        assert!(problems[0].starts_with(expected), "{problems:?}");
    }

    #[test]
    fn each_forbidden_construct_is_found_with_its_line() {
        for (source, expected) in [
            ("fn f() {\n    unsafe { g() }\n}", "a.rs:2: `unsafe` is not allowed"),
            ("#[allow(dead_code)]", "a.rs:1: `allow(` is not allowed"),
            ("#![allow (missing_docs)]", "a.rs:1: `allow(` is not allowed"),
            ("\n#[test]\n#[ignore]\nfn f() {}", "a.rs:3: `#[ignore` is not allowed"),
            ("#[ignore = \"slow\"]", "a.rs:1: `#[ignore` is not allowed"),
            ("#[should_panic(expected = \"x\")]", "a.rs:1: `should_panic` is not allowed"),
            ("fn f() { todo!() }", "a.rs:1: `todo!` is not allowed"),
            ("fn f() { unimplemented!(\"x\") }", "a.rs:1: `unimplemented!` is not allowed"),
            ("fn f() { dbg!(1); }", "a.rs:1: `dbg!` is not allowed"),
            ("\n#[expect(dead_code)]", "a.rs:2: `#[expect]` without a reason"),
            ("/// Text.\n/// ```ignore\nfn f() {}", "a.rs:2: an example that is not compiled"),
            ("//! ```rust, ignore", "a.rs:1: an example that is not compiled"),
            ("/** x\n * ```ignore\n */", "a.rs:2: an example that is not compiled"),
        ] {
            assert_found("a.rs", source, expected);
        }
    }

    #[test]
    fn words_in_comments_and_strings_and_longer_names_pass() {
        let source = r##"
            //! There is no unsafe code, no `allow(...)` and no todo!().
            #![deny(unsafe_code)]
            #[expect(clippy::float_cmp, reason = "exact")]
            fn allowed(ignore: bool) { let s = "unsafe { todo!() } #[ignore]"; x.expect("y"); }
            /// ```text
            /// ignore
            /// ```
        "##;
        assert_eq!(problems("a.rs", source), [""; 0]);
    }

    #[test]
    fn mathematics_neither_reads_nor_prints() {
        let source = "use std::fs;\nfn f() { println!(\"x\"); }";
        let found = problems("crates/optim/src/sgd.rs", source);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("crates/optim/src/sgd.rs:1: `std::fs` is not allowed"));
        assert!(found[1].starts_with("crates/optim/src/sgd.rs:2: `println!` is not allowed"));
        assert_eq!(problems("crates/datasets/src/npy.rs", source), [""; 0]);
    }
}
