//! What the code of a student may name: nothing that reaches beyond the arithmetic, while it is compiled or when it
//! runs.
//!
//! Tokens are looked at, not syntax, so that the arguments of macros are too.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The modules of the standard library without files, processes, threads and raw memory.
const MODULES: [&str; 35] = [
    "array",
    "borrow",
    "boxed",
    "cell",
    "char",
    "clone",
    "cmp",
    "collections",
    "convert",
    "default",
    "f32",
    "f64",
    "fmt",
    "hash",
    "i32",
    "i64",
    "isize",
    "iter",
    "marker",
    "mem",
    "num",
    "ops",
    "option",
    "primitive",
    "rc",
    "result",
    "slice",
    "str",
    "string",
    "u16",
    "u32",
    "u64",
    "u8",
    "usize",
    "vec",
];

/// The names of the standard library, and of crates of the workspace that read files or start processes.
const STANDARD: [&str; 3] = ["alloc", "core", "std"];
const OUT_OF_REACH: [&str; 3] = ["served", "subject", "system"];

const KEYWORDS: [&str; 5] = ["extern", "macro_rules", "mod", "static", "unsafe"];

const MACROS: [&str; 26] = [
    "array",
    "assert",
    "assert_eq",
    "assert_ne",
    "azip",
    "concatenate",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "eprint",
    "eprintln",
    "format",
    "format_args",
    "matches",
    "panic",
    "par_azip",
    "print",
    "println",
    "s",
    "stack",
    "todo",
    "unimplemented",
    "unreachable",
    "vec",
    "write",
    "writeln",
];

const ATTRIBUTES: [&str; 8] =
    ["allow", "cold", "derive", "doc", "expect", "inline", "must_use", "track_caller"];

/// The lint that stops an endless evaluation of a constant.
const NEVER_ALLOWED: &str = "long_running_const_eval";

const DERIVED: [&str; 9] =
    ["Clone", "Copy", "Debug", "Default", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd"];

/// Words after which `!` is "not", even before a parenthesis.
const BEFORE_NOT: [&str; 8] = ["break", "else", "if", "in", "match", "move", "return", "while"];

/// The deepest nesting that is read, in tokens: what reads it further calls itself for each of them. In a row of
/// tokens without a comma, a semicolon or braces each may be one step further down.
const DEEPEST: usize = 2_000;

/// The line of a token, from 1, and what is wrong with it.
pub(crate) type Refusal = (usize, String);

/// Whether functions that call themselves can read the code.
///
/// # Errors
/// The place where it is too deep for them.
pub(crate) fn shallow(code: &TokenStream) -> Result<(), Refusal> {
    struct Row {
        tokens: std::iter::Peekable<proc_macro2::token_stream::IntoIter>,
        /// Steps down to the row, and in it.
        above: usize,
        steps: usize,
        has_angle: bool,
    }
    let row = |tokens: TokenStream, above| Row {
        tokens: tokens.into_iter().peekable(),
        above,
        steps: 0,
        has_angle: false,
    };
    let mut rows = vec![row(code.clone(), 0)];
    while let Some(own) = rows.last_mut() {
        let Some(token) = own.tokens.next() else {
            rows.pop();
            continue;
        };
        own.steps += 1;
        if own.above + own.steps > DEEPEST {
            return Err((
                token.span().start().line,
                "it is nested too deeply to be read".to_owned(),
            ));
        }
        own.has_angle |= is_point(Some(&token), '<');
        let is_over = match &token {
            // Parameters of types stand in no group.
            TokenTree::Punct(point) => match point.as_char() {
                ',' => !own.has_angle,
                point => point == ';',
            },
            // What goes on after braces is one expression with them.
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                match own.tokens.peek() {
                    Some(TokenTree::Ident(name)) => *name != "else" && *name != "as",
                    next => is_point(next, '#'),
                }
            }
            _ => false,
        };
        let above = own.above + own.steps;
        if is_over {
            (own.steps, own.has_angle) = (0, false);
        }
        if let TokenTree::Group(group) = token {
            rows.push(row(group.stream(), above));
        }
    }
    Ok(())
}

/// Whether a token is this sign.
pub(crate) fn is_point(token: Option<&TokenTree>, point: char) -> bool {
    matches!(token, Some(TokenTree::Punct(own)) if own.as_char() == point)
}

/// Whether all that the code names is harmless; it must be [`shallow`].
///
/// # Errors
/// The first that is not.
pub(crate) fn permitted(code: TokenStream) -> Result<(), Refusal> {
    all_permitted(code, false)
}

/// `is_use`: these are the branches of a `use`, all from the root.
fn all_permitted(code: TokenStream, mut is_use: bool) -> Result<(), Refusal> {
    let tokens: Vec<TokenTree> = code.into_iter().collect();
    let is_point = |at: usize, point: char| is_point(tokens.get(at), point);
    let is_path = |at: usize| is_point(at, ':') && is_point(at + 1, ':');
    // Not the next step of a path.
    let is_root = |at: usize| {
        !(at > 2
            && is_path(at - 2)
            && matches!(&tokens[at - 3], TokenTree::Ident(name) if name != "use"))
    };
    let in_group = is_use;
    for (at, token) in tokens.iter().enumerate() {
        let line = token.span().start().line;
        let refused = |what: String| Err((line, what));
        match token {
            TokenTree::Ident(name) => {
                let name = plain(name);
                let name = &*name;
                let (is_declared, before_path) = (is_use && is_root(at), is_path(at + 1));
                let calls_macro = is_point(at + 1, '!')
                    && matches!(
                        tokens.get(at + 2),
                        Some(TokenTree::Group(_) | TokenTree::Ident(_))
                    )
                    && !BEFORE_NOT.contains(&name);
                if name == "use" {
                    is_use = true;
                } else if KEYWORDS.contains(&name) && !(at > 0 && is_point(at - 1, '\'')) {
                    return refused(format!("`{name}` is not permitted"));
                } else if calls_macro && !MACROS.contains(&name) {
                    return refused(format!("the macro `{name}!` is not permitted"));
                } else if OUT_OF_REACH.contains(&name) && (before_path || is_declared) {
                    return refused(format!("the crate `{name}` is not permitted"));
                } else if STANDARD.contains(&name) && before_path {
                    named(tokens.get(at + 3), is_point(at + 4, '!')).or_else(refused)?;
                } else if STANDARD.contains(&name) && is_declared {
                    // Under another name, all of it would be within reach.
                    return refused(format!("`{name}` is not permitted as a whole"));
                }
            }
            TokenTree::Punct(point) => match point.as_char() {
                ';' => is_use = in_group,
                '#' => {
                    let inner = usize::from(is_point(at + 1, '!'));
                    if let Some(TokenTree::Group(group)) = tokens.get(at + 1 + inner)
                        && group.delimiter() == Delimiter::Bracket
                    {
                        attribute(group.stream()).or_else(refused)?;
                    }
                }
                _ => {}
            },
            TokenTree::Group(group) => {
                // Branches go on with the path before them, or begin at the root.
                all_permitted(group.stream(), is_use && is_root(at))?;
            }
            TokenTree::Literal(_) => {}
        }
    }
    Ok(())
}

/// A name without the mark of a raw one.
fn plain(name: &proc_macro2::Ident) -> String {
    let name = name.to_string();
    name.strip_prefix("r#").map_or(name.clone(), str::to_owned)
}

/// Whether what follows `std::` is harmless.
fn named(token: Option<&TokenTree>, is_macro: bool) -> Result<(), String> {
    match token {
        Some(TokenTree::Ident(name)) => {
            let name = plain(name);
            let is_fine = MODULES.contains(&&*name) || is_macro && MACROS.contains(&&*name);
            is_fine.then_some(()).ok_or_else(|| format!("`std::{name}` is not permitted"))
        }
        Some(TokenTree::Group(group)) => {
            let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
            let mut branches = tokens.split(|token| is_point(Some(token), ','));
            branches.try_for_each(|branch| match branch {
                [] => Ok(()),
                [first, ..] => named(Some(first), false),
            })
        }
        _ => Err("`std` is not permitted as a whole".to_owned()),
    }
}

fn attribute(tokens: TokenStream) -> Result<(), String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let name = match tokens.first() {
        Some(TokenTree::Ident(name)) => plain(name),
        _ => String::new(),
    };
    if !ATTRIBUTES.contains(&&*name) || is_point(tokens.get(1), ':') {
        return Err(format!("the attribute `{name}` is not permitted"));
    }
    let Some(TokenTree::Group(group)) = tokens.get(1) else { return Ok(()) };
    for token in group.stream() {
        let refused = match &token {
            TokenTree::Ident(own) => {
                let own = plain(own);
                own == NEVER_ALLOWED || name == "derive" && !DERIVED.contains(&&*own)
            }
            token => name == "derive" && is_point(Some(token), ':'),
        };
        if refused {
            return Err(format!("`{name}({})` is not permitted", group.stream()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &str) -> Option<Refusal> {
        permitted(code.parse().unwrap()).err()
    }

    #[test]
    fn arithmetic_is_permitted() {
        for code in [
            "use std::{fmt::{self, Write as _}, iter::zip, collections::BTreeMap}; use ndarray::{s, Axis};",
            "use core::ops::Range; use super::*; use crate::{Window, window::image_shape};",
            "#[allow(clippy::needless_range_loop)] #[inline(always)] fn f<'a>(x: &'static str) -> &'a str { if !(x != y) { return !(a); } x }",
            "/// Text.\n#[derive(Clone, Copy, Debug)] struct A;",
            "let std = x.std(0.0); let system = std - std * 2; vec![std; 3]; let alloc = f(core)",
            "array![[1.0]].slice(s![.., ..; 2]); azip!((y in &mut y, &x in &x) *y = x); std::println!(\"{x}\")",
            "let f = |x| std::mem::swap(x, y); std::f64::consts::PI; assert!(matches!(x, Some(1)), \"{}\", format!(\"a\"))",
            "match !(x) { _ => !y } std::vec![1]",
        ] {
            assert_eq!(refusal(code), None, "{code}");
        }
    }

    #[test]
    fn what_reaches_further_is_refused_in_every_spelling() {
        let reach = [
            // Ends, files, networks, variables.
            "std::process::exit(0)",
            "::std::process::exit(0)",
            "core::panic::Location::caller()",
            "use std::process as p;",
            "use std::{fmt, process};",
            "use std::{fmt::{self}, process::{exit as format}};",
            "use ::{std::process::exit};",
            "use {std as s};",
            "use {ndarray as n, std as s};",
            "use std as s;",
            "use ::std as s;",
            "use std::{self as s};",
            "use std::*;",
            "use std::{fmt, *};",
            "use std::{{process}};",
            "use std::{r#process};",
            "r#std::r#process::exit(0)",
            "<std::fs::File>::open(x)",
            "let f: fn(i32) = std::process::exit;",
            "vec![std::fs::read(x)]",
            "assert!({ use std::net as fmt; true })",
            "format!(\"{:?}\", std::env::var(x))",
            "std::io::stdout()",
            "std::os::fd::AsRawFd::as_raw_fd(&x)",
            "std::thread::spawn(f)",
            "std::panic::set_hook(f)",
            "std::ptr::read(x)",
            "use system as format;",
            "use {numerics::Scalar, system as format};",
            "system::replace(x, y)",
            "subject::serve(f)",
            "served::Ours",
            // Code that was not handed in, or never was.
            "include!(\"x\")",
            "include_str!(\"/etc/passwd\")",
            "include_bytes!(\"x\")",
            "core::include_str!(\"x\")",
            "use std::include_str as vec;",
            "env!(\"HOME\")",
            "option_env!(\"HOME\")",
            "vec![env!(\"HOME\")]",
            "#[path = \"/etc/passwd\"] struct A;",
            "mod other;",
            "concat!(\"a\")",
            "compile_error!(\"a\")",
            "macro_rules! vec { () => {} }",
            "macro_rules! vec [ () => () ]",
            "thread_local! { static A: u8 = 0; }",
            "layers::state_of!(T)",
            "asm!(\"nop\")",
            "core::arch::asm!(\"nop\")",
            "extern crate std as s;",
            "extern \"C\" fn f() {}",
            "unsafe { f() }",
            "r#unsafe",
            "static mut A: u8 = 0;",
            "static A: u8 = 0;",
            "fn f() { static A: u8 = 0; }",
            // Attributes that change linking or compilation.
            "#[no_mangle] fn main() {}",
            "#[unsafe(no_mangle)] fn main() {}",
            "#[export_name = \"main\"] fn f() {}",
            "#[link(name = \"c\")] struct A;",
            "#[link_section = \".init_array\"] const A: u8 = 0;",
            "#[global_allocator] const A: u8 = 0;",
            "#[panic_handler] fn f() {}",
            "#[derive(Serialize)] struct A;",
            "#[derive(serde::Clone)] struct A;",
            "#[cfg_attr(all(), path = \"x\")] struct A;",
            "#[cfg(any())] struct A;",
            "#[allow(long_running_const_eval)] const A: u8 = 0;",
            "#[test] fn f() {}",
            "#![feature(asm)]",
            "#[doc::path] struct A;",
        ];
        for code in reach {
            assert!(refusal(code).is_some(), "{code}");
        }
        let (line, what) = refusal("fn f() {\n    vec![1];\n    std::fs::read(x)\n}").unwrap();
        assert_eq!((line, &*what), (3, "`std::fs` is not permitted"));
    }

    #[test]
    fn what_is_too_deep_is_found_before_it_is_read() {
        let deep = |code: String| shallow(&code.parse().unwrap()).is_err();
        let nested = |n: usize, open: &str, close: &str| open.repeat(n) + "1" + &close.repeat(n);
        for (open, close) in [
            ("(", ")"),
            ("!", ""),
            ("-", ""),
            ("1+", ""),
            ("{", "}"),
            ("f(x, ", ")"),
            ("", ".f()"),
            ("A<u8, ", ">"),
            ("if x {} else ", ""),
            ("A {} + ", ""),
        ] {
            assert!(deep(nested(100_000, open, close)), "{open}");
            assert!(!deep(nested(100, open, close)), "{open}");
        }
        assert!(!deep(format!("[{}]", "1.0, ".repeat(100_000))));
        assert!(!deep("fn f() { g(1); }\n".repeat(100_000)));
    }
}
