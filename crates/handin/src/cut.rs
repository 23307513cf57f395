//! A Rust file without its solution: bodies to be written, and nothing that shows them.

use std::collections::BTreeSet;
use std::ops::Range;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::{UseTree, Visibility};

use crate::rust_file::{Body, is_test, items, last_name, mark};

/// What is taken out of a file.
pub(crate) struct Cut<'a> {
    /// The functions whose bodies are to be written, and the names that students know them by.
    pub(crate) unwritten: Vec<(&'a str, &'a str)>,
    /// The functions and constants that get another body.
    pub(crate) replaced: Vec<(&'a str, &'a str)>,
    /// The items that are left out.
    pub(crate) items: &'a [&'a str],
    /// The modules that the crate does not have any more.
    pub(crate) modules: &'a BTreeSet<String>,
    /// The items that the crate does not have any more.
    pub(crate) names: &'a BTreeSet<String>,
}

/// The file without what `cut` names, without unit tests, and without the declarations and the paragraphs of
/// documentation that need what is gone.
///
/// # Errors
/// If the text is not Rust, or an item is not in it.
pub(crate) fn cut(text: &str, cut: &Cut<'_>) -> Result<String, String> {
    let not_rust = |error: syn::Error| format!("not Rust: {error}");
    let all = items("", text).map_err(not_rust)?;
    let item = |name: &str| {
        let found = all.iter().find(|item| item.name == name);
        found.ok_or_else(|| format!("there is no item `{name}`"))
    };
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let body = |name: &str| {
        let body = item(name)?.body.as_ref();
        body.ok_or_else(|| format!("`{name}` has no body"))
    };
    for (name, shown) in &cut.unwritten {
        let Body { place, parameters, .. } = body(name)?;
        let unwritten = format!("{shown} is not written yet; `cargo xtask hint {shown}` helps");
        edits.push((place.clone(), format!("{{ {} todo!({unwritten:?}) }}", unused(parameters))));
    }
    for (name, new) in &cut.replaced {
        edits.push((body(name)?.place.clone(), (*new).to_owned()));
    }
    let starts = line_starts(text);
    let lines = |(first, last): (usize, usize)| starts[first - 1]..starts[last];
    for name in cut.items {
        edits.push((lines(item(name)?.lines), String::new()));
    }
    let parsed = syn::parse_file(text).map_err(not_rust)?;
    for item in &parsed.items {
        let whole = || lines((item.span().start().line, item.span().end().line));
        match item {
            syn::Item::Mod(syn::ItemMod { attrs, ident, .. })
                if is_test(attrs) || cut.modules.contains(&ident.to_string()) =>
            {
                edits.push((whole(), String::new()));
            }
            syn::Item::Use(syn::ItemUse { attrs, .. })
            | syn::Item::Fn(syn::ItemFn { attrs, .. })
                if is_test(attrs) =>
            {
                edits.push((whole(), String::new()));
            }
            // What a type that is left out can do.
            syn::Item::Impl(block) if cut.items.contains(&&*last_name(&block.self_ty)) => {
                edits.push((whole(), String::new()));
            }
            syn::Item::Use(used) => edits.extend(narrowed(text, used, &|name, step| match step {
                Step::Way => !cut.modules.contains(&name.to_string()),
                Step::End => !cut.names.contains(&name.to_string()),
            })),
            _ => {}
        }
    }
    let is_cut = !(cut.unwritten.is_empty() && cut.replaced.is_empty() && cut.items.is_empty());
    let text = without_paragraphs(&edited(text, edits), |paragraph| {
        cut.modules.iter().chain(cut.names).any(|name| {
            [format!("[`{name}`]"), format!("@{name}`]")]
                .iter()
                .any(|link| paragraph.contains(link))
        }) || is_cut && spells_gradient(paragraph)
    });
    let text = if is_cut { without_unused(&text).map_err(not_rust)? } else { text };
    Ok(without_lonely_marks(&text))
}

/// A statement that uses the parameters, or the compiler warns of them.
pub(crate) fn unused(parameters: &[String]) -> String {
    match parameters {
        [] => String::new(),
        [one] => format!("let _ = {one};"),
        several => format!("let _ = ({});", several.join(", ")),
    }
}

/// Where each line begins, and the end.
fn line_starts(text: &str) -> Vec<usize> {
    let ends = text.match_indices('\n').map(|(end, _)| end + 1);
    let mut starts: Vec<usize> = std::iter::once(0).chain(ends).collect();
    starts.push(text.len());
    starts
}

fn edited(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    let mut text = text.to_owned();
    edits.into_iter().for_each(|(place, new)| text.replace_range(place, &new));
    text
}

/// The names of a `use` that are to be kept, as it is written; `None` if there are none. `keep` is asked for each
/// name, and whether that is a step on the way or what is declared.
fn kept(tree: &UseTree, keep: &dyn Fn(&Ident, Step) -> bool) -> Option<String> {
    match tree {
        UseTree::Path(path) if !keep(&path.ident, Step::Way) => None,
        UseTree::Path(path) => Some(format!("{}::{}", path.ident, kept(&path.tree, keep)?)),
        UseTree::Name(name) => keep(&name.ident, Step::End).then(|| name.ident.to_string()),
        UseTree::Rename(name) => {
            // Traits, of which only methods are used.
            let is_kept = match name.rename == "_" {
                true => keep(&name.ident, Step::Way),
                false => keep(&name.rename, Step::End),
            };
            is_kept.then(|| format!("{} as {}", name.ident, name.rename))
        }
        UseTree::Glob(_) => Some("*".to_owned()),
        UseTree::Group(group) => {
            let items: Vec<_> = group.items.iter().filter_map(|tree| kept(tree, keep)).collect();
            (!items.is_empty()).then(|| format!("{{{}}}", items.join(", ")))
        }
    }
}

/// A part of the path of a `use`.
#[derive(PartialEq)]
enum Step {
    Way,
    End,
}

/// The edit of a `use` that leaves only the names to be kept.
fn narrowed(
    text: &str,
    used: &syn::ItemUse,
    keep: &dyn Fn(&Ident, Step) -> bool,
) -> Option<(Range<usize>, String)> {
    let kept = kept(&used.tree, keep);
    if kept == self::kept(&used.tree, &|_, _| true) {
        return None;
    }
    let place = used.span().byte_range();
    Some(match kept {
        Some(tree) => (place, format!("{} use {tree};", &text[used.vis.span().byte_range()])),
        // With the end of its line.
        None => (place.start..(place.end + 1).min(text.len()), String::new()),
    })
}

/// Whether a paragraph derives: `dL/dX = ...` is for the student to find.
fn spells_gradient(paragraph: &str) -> bool {
    paragraph.split("dL/d").skip(1).any(|rest| {
        let end = rest.find(|c: char| c.is_whitespace() || c == '`').unwrap_or(rest.len());
        rest[end..].starts_with(" = ")
    })
}

/// The words of a line of documentation.
fn documentation(line: &str) -> Option<&str> {
    let line = line.trim_start();
    line.strip_prefix("//!").or_else(|| line.strip_prefix("///")).map(str::trim)
}

/// The text without the paragraphs of documentation that are `unwanted`.
fn without_paragraphs(text: &str, unwanted: impl Fn(&str) -> bool) -> String {
    let has_words = |line: &str| documentation(line).is_some_and(|words| !words.is_empty());
    let lines: Vec<&str> = text.lines().collect();
    let mut kept: Vec<&str> = Vec::new();
    for paragraph in lines.chunk_by(|one, next| has_words(one) && has_words(next)) {
        if has_words(paragraph[0]) && unwanted(&paragraph.join("\n")) {
            // One of the two empty lines around it.
            kept.pop_if(|line| documentation(line) == Some(""));
        } else {
            kept.extend(paragraph);
        }
    }
    kept.iter().map(|line| format!("{line}\n")).collect()
}

/// The file without private imports of names that nothing uses.
fn without_unused(text: &str) -> syn::Result<String> {
    let parsed = syn::parse_file(text)?;
    let imports = || {
        parsed.items.iter().filter_map(|item| match item {
            syn::Item::Use(used) => Some(used),
            _ => None,
        })
    };
    let rest = imports().map(|used| (used.span().byte_range(), String::new())).collect();
    let mut used = BTreeSet::new();
    names(syn::parse_str(&edited(text, rest))?, &mut used);
    let keep = |name: &Ident, step| step == Step::Way || used.contains(&name.to_string());
    let private = imports().filter(|used| matches!(used.vis, Visibility::Inherited));
    Ok(edited(text, private.filter_map(|used| narrowed(text, used, &keep)).collect()))
}

/// Adds every name in the code; documentation has none.
fn names(code: TokenStream, into: &mut BTreeSet<String>) {
    for token in code {
        match token {
            TokenTree::Ident(name) => drop(into.insert(name.to_string())),
            TokenTree::Group(group) => names(group.stream(), into),
            _ => {}
        }
    }
}

/// The text without marks of snippets of which one end was cut away.
fn without_lonely_marks(text: &str) -> String {
    let marks: Vec<&str> = text.lines().filter_map(mark).collect();
    let is_lonely = |name: &str| marks.iter().filter(|other| **other == name).count() == 1;
    let lines = text.lines().filter(|line| !mark(line).is_some_and(is_lonely));
    lines.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With `@` in each mark, lest they be marks of this file too.
    const FILE: &str = "\
//! Layers: [`sum`] adds.
//!
//! [`slow`] does so by loops; [`mod@reference`] has both.

use std::fmt;
use std::fmt::Write as _;

use crate::reference::slow;
use numerics::{matmul, Scalar};
mod reference;
pub use reference::{a, b};

/// `y = Σ x`.
///
/// `dL/dx = dL/dy`, as ∂y/∂x = 1.
///
/// # Panics
/// Never.
// @ANCHOR: sum
fn sum<T: Scalar>(x: &[T], window: Window) -> T {
    helped(x, matmul(x))
}
// @ANCHOR_END: sum

// @ANCHOR: helped
/// Helps.
fn helped() {}
// @ANCHOR_END: helped
const STRING: &str = \"ij->\";
struct Gone;
impl fmt::Display for Gone {
    fn fmt(&self) {}
}
impl Layer for A {
    fn forward(&self) -> T { self.x }
}
#[cfg(test)]
mod tests {
    fn test() {}
}
";

    #[test]
    fn bodies_go_with_all_that_only_they_need() {
        let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let (modules, names) = (set(&["reference"]), set(&["slow", "helped"]));
        let cut = |items: &[&str]| {
            let own = Cut {
                unwritten: vec![("sum", "a::sum"), ("Layer for A::forward", "A::forward")],
                replaced: vec![("STRING", "\"\"")],
                items,
                modules: &modules,
                names: &names,
            };
            super::cut(&FILE.replace("// @", "// "), &own)
        };
        let expected = "\
//! Layers: [`sum`] adds.

use std::fmt::Write as _;

 use numerics::{Scalar};

/// `y = Σ x`.
///
/// # Panics
/// Never.
// @ANCHOR: sum
fn sum<T: Scalar>(x: &[T], window: Window) -> T { let _ = (x, window); todo!(\"a::sum is not written yet; `cargo \
xtask hint a::sum` helps\") }
// @ANCHOR_END: sum

const STRING: &str = \"\";
impl Layer for A {
    fn forward(&self) -> T {  todo!(\"A::forward is not written yet; `cargo xtask hint A::forward` helps\") }
}
";
        assert_eq!(cut(&["helped", "Gone"]).unwrap(), expected.replace("// @", "// "));
        assert_eq!(cut(&["help"]).unwrap_err(), "there is no item `help`");
    }
}
