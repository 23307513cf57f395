//! What is taken of a file that a student hands in, and the file of a clean workspace with that in it.
//!
//! The functions of [`GRADED`] are taken, in place of those that are not written, and what the student added beside
//! them. Everything else of the file is as it was handed out, whatever the student has made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::{UseTree, parse2};

use crate::cut::unused;
use crate::graded::GRADED;
use crate::permitted::{Refusal, is_point, permitted, shallow};
use crate::rust_file::{Item, is_test, items, last_name, written};
use crate::starter::REPLACED;

/// A file of which something is to be written, and what a student wrote.
#[derive(Debug)]
pub struct Taken {
    /// The file, relative to the root of the workspace.
    pub file: &'static str,
    /// The graded items, and those beside them.
    pub items: Vec<TakenItem>,
    clean: String,
}

/// A function, constant, type, `impl` block or import of a student.
#[derive(Debug)]
pub struct TakenItem {
    /// The name by which students know a graded function, or that of another item.
    pub name: String,
    /// Why it is not used, with its place.
    pub refused: Option<String>,
    /// The first line in the student's file, from 1.
    line: usize,
    text: String,
    role: Role,
}

#[derive(Debug)]
enum Role {
    /// Replaces a function; what its body is if it is not used.
    Function { whole: Range<usize>, body: Range<usize>, parameters: String },
    /// Replaces the value of a constant.
    Constant(Range<usize>),
    /// Stands at the end.
    Beside,
}

/// The lines of an item in a file of the clean workspace, from 1.
#[derive(Debug)]
pub struct Placed {
    /// Its index in [`Taken::items`].
    pub item: usize,
    lines: Range<usize>,
}

/// The files with graded items, in the order of [`GRADED`].
pub fn graded_files() -> Vec<&'static str> {
    let mut files: Vec<&str> = GRADED.iter().map(|graded| graded.file).collect();
    files.dedup();
    let mut seen = BTreeSet::new();
    files.retain(|file| seen.insert(*file));
    files
}

impl Taken {
    /// Takes what there is to take of a student's text, which may be missing for a reason.
    ///
    /// # Errors
    /// If the clean file is not as a starter has it.
    pub fn new(
        file: &'static str,
        clean: String,
        student: Result<&str, String>,
    ) -> Result<Self, String> {
        let own = items(file, &clean).map_err(|error| format!("{file}: not Rust: {error}"))?;
        let read = student.and_then(|text| Student::read(file, text));
        let mut taken = Vec::new();
        let names = GRADED.iter().filter(|graded| graded.file == file);
        let names = names.map(|graded| (graded.item, graded.name));
        let constants = REPLACED.iter().filter(|(own, _, value)| *own == file && *value == "\"\"");
        let names: Vec<(&str, &str)> =
            names.chain(constants.map(|(_, item, _)| (*item, *item))).collect();
        for (item, name) in &names {
            let clean = own.iter().find(|own| own.name == *item).and_then(|own| own.body.as_ref());
            let clean = clean.ok_or_else(|| format!("{file}: there is no `{item}`"))?;
            let role = match clean.with_signature == clean.place {
                true => Role::Constant(clean.place.clone()),
                false => Role::Function {
                    whole: clean.with_signature.clone(),
                    body: clean.place.clone(),
                    parameters: unused(&clean.parameters),
                },
            };
            let found = read.as_ref().map_err(Clone::clone);
            let found = found.and_then(|read| read.graded(item, &clean.signature));
            let ((line, text), refused) = match found {
                Ok(found) => (found, None),
                Err(refused) => ((1, String::new()), Some(refused)),
            };
            taken.push(TakenItem { name: (*name).to_owned(), refused, line, text, role });
        }
        if let Ok(read) = &read {
            let graded: Vec<&str> = names.iter().map(|(item, _)| *item).collect();
            taken.extend(read.beside(&clean, &own, &graded)?);
        }
        for item in taken.iter_mut().filter(|item| item.refused.is_none()) {
            match item.text.parse::<TokenStream>().map_err(|error| (1, error.to_string())) {
                Ok(tokens) => {
                    if let Err((line, what)) = permitted(tokens) {
                        item.refused = Some(format!("{file}:{}: {what}", item.line + line - 1));
                    }
                }
                Err((_, what)) => item.refused = Some(format!("{file}:{}: {what}", item.line)),
            }
            item.text = to_standard_error(&item.text);
        }
        Ok(Self { file, items: taken, clean })
    }

    /// The file with all that is not refused, and where it stands.
    pub fn text(&self) -> (String, Vec<Placed>) {
        let mut edits: Vec<(Range<usize>, String, Option<usize>)> = Vec::new();
        for (index, item) in self.items.iter().enumerate() {
            edits.extend(match (&item.role, &item.refused) {
                (Role::Function { whole, .. }, None) => {
                    Some((whole.clone(), item.text.clone(), Some(index)))
                }
                (Role::Function { body, parameters, .. }, Some(why)) => {
                    let why = format!("{} is not used: {why}", item.name);
                    Some((
                        body.clone(),
                        format!("{{ {parameters} panic!(\"{{}}\", {why:?}) }}"),
                        None,
                    ))
                }
                (Role::Constant(place), None) => {
                    Some((place.clone(), item.text.clone(), Some(index)))
                }
                (Role::Beside, None) => {
                    let end = self.clean.len();
                    Some((end..end, format!("{}\n", item.text), Some(index)))
                }
                (Role::Constant(_) | Role::Beside, Some(_)) => None,
            });
        }
        edits.sort_by_key(|(place, ..)| place.start);
        let (mut text, mut placed, mut from) = (String::new(), Vec::new(), 0);
        for (place, new, item) in edits {
            text += &self.clean[from..place.start];
            let first = text.matches('\n').count() + 1;
            text += &new;
            let last = text.trim_end_matches('\n').matches('\n').count() + 1;
            placed.extend(item.map(|item| Placed { item, lines: first..last + 1 }));
            from = place.end;
        }
        (text + &self.clean[from..], placed)
    }

    /// The item in a line of [`text`](Self::text), and that line in the student's file.
    pub fn find(&self, placed: &[Placed], line: usize) -> Option<(usize, usize)> {
        let found = placed.iter().find(|placed| placed.lines.contains(&line))?;
        Some((found.item, self.items[found.item].line + line - found.lines.start))
    }
}

/// A student's file, read.
struct Student<'a> {
    file: &'static str,
    text: &'a str,
    parsed: syn::File,
    items: Vec<Item>,
}

impl<'a> Student<'a> {
    fn read(file: &'static str, text: &'a str) -> Result<Self, String> {
        let refused = |(line, what): Refusal| format!("{file}:{line}: {what}");
        let not_rust = |line: usize, error: String| refused((line, format!("not Rust: {error}")));
        let tokens: TokenStream = text.parse().map_err(|error: proc_macro2::LexError| {
            not_rust(error.span().start().line, error.to_string())
        })?;
        shallow(&tokens).map_err(refused)?;
        let of_syntax = |error: syn::Error| not_rust(error.span().start().line, error.to_string());
        let parsed = parse2(tokens).map_err(of_syntax)?;
        Ok(Self { file, text, parsed, items: items(file, text).map_err(of_syntax)? })
    }

    /// The place and the text of a graded item.
    fn graded(&self, name: &str, signature: &str) -> Result<(usize, String), String> {
        let file = self.file;
        let mut found = self.items.iter().filter(|item| item.name == name);
        let Some(item) = found.next() else {
            return Err(format!("{file}: there is no `{name}`"));
        };
        if let Some(second) = found.next() {
            return Err(format!("{file}:{}: `{name}` is there twice", second.lines.1));
        }
        let body = item.body.as_ref().ok_or_else(|| format!("{file}: `{name}` has no body"))?;
        let place = body.with_signature.clone();
        let line = self.line(place.start);
        if body.signature != signature {
            return Err(format!(
                "{file}:{line}: expected `{name}` with the signature `{signature}`, got `{}`",
                body.signature
            ));
        }
        Ok((line, self.text[place].to_owned()))
    }

    /// The line of a place, from 1.
    fn line(&self, place: usize) -> usize {
        self.text[..place].matches('\n').count() + 1
    }

    /// What the student added, and what is changed of that which is not to be written.
    fn beside(&self, clean: &str, own: &[Item], graded: &[&str]) -> Result<Vec<TakenItem>, String> {
        let clean = syn::parse_file(clean).map_err(|error| error.to_string())?;
        let is_there = |name: &str| own.iter().any(|item| item.name == name);
        let blocks: BTreeSet<&str> = own.iter().filter_map(Item::owner).collect();
        let mut given = BTreeMap::new();
        let mut imported = BTreeSet::new();
        for item in &clean.items {
            if let syn::Item::Use(used) = item {
                leaves(&used.tree, "", &mut |leaf, _| {
                    imported.insert(leaf);
                });
            } else if let Some(name) = declared(item) {
                given.insert(name, code(item));
            }
        }
        let mut taken = Vec::new();
        let mut add = |name: String, line: usize, text: String, refused: Option<&str>| {
            let refused = refused.map(|what| format!("{}:{line}: `{name}` {what}", self.file));
            taken.push(TakenItem { name, refused, line, text, role: Role::Beside });
        };
        let unchanged = Some("is used as it was handed out, without changes");
        for item in &self.parsed.items {
            let place = item.span().byte_range();
            let (line, text) = (self.line(place.start), self.text[place].to_owned());
            match item {
                syn::Item::Mod(module) if is_test(&module.attrs) => {}
                syn::Item::Fn(function) if is_test(&function.attrs) => {}
                syn::Item::Use(used) if is_test(&used.attrs) => {}
                syn::Item::Use(used) => leaves(&used.tree, "", &mut |leaf, line| {
                    if !imported.contains(&leaf) {
                        add(leaf.clone(), line, format!("use {leaf};"), None);
                    }
                }),
                syn::Item::Impl(block) if is_test(&block.attrs) => {}
                syn::Item::Impl(block) => {
                    let ty = last_name(&block.self_ty);
                    let of_trait =
                        block.trait_.as_ref().and_then(|(_, path, _)| path.segments.last());
                    let owner = of_trait
                        .map_or_else(|| ty.clone(), |name| format!("{} for {ty}", name.ident));
                    if !(blocks.contains(&*owner) || of_trait.is_none() && is_there(&ty)) {
                        add(owner, line, text, None);
                        continue;
                    }
                    let open = block.brace_token.span.open().byte_range().end;
                    let head = block.impl_token.span.byte_range().start..open;
                    // In one line, so that the lines of the method stay what they are.
                    let head = self.text[head].replace('\n', " ");
                    for item in &block.items {
                        let name = match item {
                            syn::ImplItem::Fn(item) => &item.sig.ident,
                            syn::ImplItem::Const(item) => &item.ident,
                            _ => continue,
                        };
                        let name = format!("{owner}::{name}");
                        let place = item.span().byte_range();
                        let (line, text) = (self.line(place.start), &self.text[place]);
                        let refused = of_trait.map(|_| "is not to be written");
                        if !is_there(&name) {
                            add(name, line, format!("{head} {text} }}"), refused);
                        }
                    }
                }
                item => match declared(item) {
                    Some(name) if graded.contains(&&*name) => {}
                    Some(name) if given.contains_key(&name) => {
                        if given[&name] != code(item) {
                            add(name, line, text, unchanged);
                        }
                    }
                    Some(name) => add(name, line, text, None),
                    None => add(
                        text.split_whitespace().take(2).collect::<Vec<_>>().join(" "),
                        line,
                        text,
                        Some(
                            "is none of those that are used: functions, constants, types, `impl`, `use`",
                        ),
                    ),
                },
            }
        }
        Ok(taken)
    }
}

/// The name of an item that may stand beside a graded one.
fn declared(item: &syn::Item) -> Option<String> {
    Some(match item {
        syn::Item::Fn(item) => item.sig.ident.to_string(),
        syn::Item::Struct(item) => item.ident.to_string(),
        syn::Item::Enum(item) => item.ident.to_string(),
        syn::Item::Const(item) => item.ident.to_string(),
        syn::Item::Type(item) => item.ident.to_string(),
        syn::Item::Trait(item) => item.ident.to_string(),
        _ => return None,
    })
}

/// An item without documentation.
fn code(item: &syn::Item) -> String {
    let mut item = item.clone();
    let is_code = |attribute: &syn::Attribute| !attribute.path().is_ident("doc");
    match &mut item {
        syn::Item::Struct(item) => {
            item.attrs.retain(is_code);
            item.fields.iter_mut().for_each(|field| field.attrs.retain(is_code));
        }
        syn::Item::Enum(item) => {
            item.attrs.retain(is_code);
            item.variants.iter_mut().for_each(|variant| variant.attrs.retain(is_code));
        }
        syn::Item::Fn(item) => item.attrs.retain(is_code),
        syn::Item::Const(item) => item.attrs.retain(is_code),
        syn::Item::Type(item) => item.attrs.retain(is_code),
        syn::Item::Trait(item) => item.attrs.retain(is_code),
        _ => {}
    }
    written(&item)
}

/// Calls `visit` with each path that a `use` declares, as `a::b` or `a::b as c`, and its line.
fn leaves(tree: &UseTree, before: &str, visit: &mut dyn FnMut(String, usize)) {
    let line = tree.span().start().line;
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &format!("{before}{}::", path.ident), visit),
        UseTree::Name(name) if name.ident == "self" => {
            visit(format!("{before}{{self}}"), line);
        }
        UseTree::Name(name) => visit(format!("{before}{}", name.ident), line),
        UseTree::Rename(name) if name.ident == "self" => {
            visit(format!("{before}{{self as {}}}", name.rename), line);
        }
        UseTree::Rename(name) => visit(format!("{before}{} as {}", name.ident, name.rename), line),
        UseTree::Glob(_) => visit(format!("{before}*"), line),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, before, visit)),
    }
}

/// The text with messages on standard error: standard output is for answers alone.
fn to_standard_error(text: &str) -> String {
    let Ok(tokens) = text.parse::<TokenStream>() else { return text.to_owned() };
    let mut places = Vec::new();
    printing(tokens, &mut places);
    let mut text = text.to_owned();
    places.sort_unstable();
    places.into_iter().rev().for_each(|place| text.insert(place, 'e'));
    text
}

/// Adds where `print!` and `println!` begin.
fn printing(code: TokenStream, places: &mut Vec<usize>) {
    let mut tokens = code.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => printing(group.stream(), places),
            TokenTree::Ident(name)
                if (name == "print" || name == "println") && is_point(tokens.peek(), '!') =>
            {
                places.push(name.span().byte_range().start);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "crates/activations/src/relu.rs";

    const CLEAN: &str = "\
use numerics::Scalar;
pub struct ReLU;
impl ElementWise for ReLU {
    #[inline(always)]
    fn value<T: Scalar>(z: T) -> T { let _ = z; todo!() }
    fn gradient<T: Scalar>(z: T, dl_dy: T) -> T { let _ = (z, dl_dy); todo!() }
}
";

    fn taken(student: &str) -> Taken {
        Taken::new(FILE, CLEAN.to_owned(), Ok(student)).unwrap()
    }

    /// Why items are not used, without the name of the file.
    fn refused(student: &str) -> Vec<String> {
        let items = taken(student).items;
        let all = items.into_iter().filter_map(|item| item.refused);
        all.map(|why| why.replace(FILE, "FILE")).collect()
    }

    #[test]
    fn bodies_and_what_stands_beside_them_are_taken_and_nothing_else() {
        let student = "\
#![feature(asm)]
use std::fs;
use numerics::{Scalar, column_sums as sums};
static mut KEPT: u8 = 0;
/// Mine.
pub struct ReLU { kept: u8 }
impl ElementWise for ReLU {
    #[no_mangle]
    fn value<T: Scalar>(
        mut z: T,
    ) -> T {
        println!(\"{z}\");
        help(z)
    }
    fn gradient<T: Scalar>(z: T, dl_dy: T) -> T { std::process::exit(0) }
    fn forward() {}
}
impl ReLU { fn two() {} }
fn help<T>(z: T) -> T {
    z }
#[cfg(test)]
mod tests { use std::fs; }
";
        let mut own = taken(student);
        let expected = "\
use numerics::Scalar;
pub struct ReLU;
impl ElementWise for ReLU {
    #[inline(always)]
    fn value<T: Scalar>(
        mut z: T,
    ) -> T {
        eprintln!(\"{z}\");
        help(z)
    }
    fn gradient<T: Scalar>(z: T, dl_dy: T) -> T { let _ = (z, dl_dy); panic!(\"{}\", \"ReLU::gradient is not used: \
                        FILE:15: `std::process` is not permitted\") }
}
use numerics::column_sums as sums;
impl ReLU { fn two() {} }
fn help<T>(z: T) -> T {
    z }
";
        let (text, placed) = own.text();
        assert_eq!(text.replace(FILE, "FILE"), expected);
        assert_eq!(
            refused(student),
            [
                "FILE:15: `std::process` is not permitted",
                "FILE:2: `std::fs` is not permitted",
                "FILE:4: `static mut` is none of those that are used: functions, constants, types, `impl`, `use`",
                "FILE:5: `ReLU` is used as it was handed out, without changes",
                "FILE:16: `ElementWise for ReLU::forward` is not to be written",
            ]
        );
        // A place in the file that is compiled is one in the student's.
        let found = |line| {
            let (item, line) = own.find(&placed, line)?;
            Some((&*own.items[item].name, line))
        };
        let help = text.lines().position(|line| line.starts_with("fn help")).unwrap() + 1;
        assert_eq!(found(8), Some(("ReLU::value", 12)));
        assert_eq!(found(help + 1), Some(("help", 20)));
        assert_eq!((found(1), found(11)), (None, None));
        // What the compiler refuses becomes unwritten, too.
        own.items.iter_mut().for_each(|item| item.refused = Some("x".to_owned()));
        assert!(own.text().0.contains("panic!(\"{}\", \"ReLU::value is not used: x\")"));
        assert!(!own.text().0.contains("help"));
    }

    #[test]
    fn an_item_that_is_missing_twice_there_or_another_has_a_remark_of_its_own() {
        let value = "fn value<T: Scalar>(z: T) -> T { z }";
        let gradient = "fn gradient<T: Scalar>(a: T, b: T,) -> T { a }";
        let block =
            |items: &[&str]| format!("impl ElementWise for ReLU {{\n{}\n}}", items.join("\n"));
        assert!(refused(&block(&[value, gradient])).is_empty());
        let all = |why: &str| vec![why.to_owned(); 2];
        for (student, expected) in [
            (block(&[value]), vec!["FILE: there is no `ElementWise for ReLU::gradient`".to_owned()]),
            (
                block(&[gradient, value, value]),
                vec!["FILE:4: `ElementWise for ReLU::value` is there twice".to_owned()],
            ),
            (
                block(&["fn value(z: f64) -> f64 { z }", gradient]),
                vec![
                    "FILE:2: expected `ElementWise for ReLU::value` with the signature `fn value < T : Scalar> (_ : T) \
                     -> T`, got `fn value (_ : f64) -> f64`"
                        .to_owned(),
                ],
            ),
            ("fn value( {".to_owned(), all("FILE:1: not Rust: cannot parse string into token stream")),
            ("fn fn".to_owned(), all("FILE:1: not Rust: expected identifier, found keyword `fn`")),
            (format!("\nconst A: u8 = {}1;", "-".repeat(9999)), all("FILE:2: it is nested too deeply to be read")),
        ] {
            assert_eq!(refused(&student), expected, "{student}");
        }
        let missing = Taken::new(FILE, CLEAN.to_owned(), Err("it is a link".to_owned())).unwrap();
        assert!(missing.items.iter().all(|item| item.refused.as_deref() == Some("it is a link")));
    }
}
