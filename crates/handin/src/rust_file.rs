//! The items of a Rust file, found by syntax and cut out as they are written.

use std::ops::Range;

use proc_macro2::Span;
use syn::spanned::Spanned;

use crate::uses::{self, Uses};

/// A Rust file and its items, without what is compiled only for tests.
pub(crate) struct RustFile {
    /// Its path, as messages and captions name it.
    path: String,
    lines: Vec<String>,
    items: Vec<Item>,
}

/// An item: a function, a type, a constant or a method.
pub(crate) struct Item {
    /// `derivative`, `ReLU`, `ReLU::forward`, `Layer for Conv2D::forward`.
    pub(crate) name: String,
    /// Its lines with attributes, documentation and the comments directly above it, from 0.
    pub(crate) lines: Range<usize>,
    /// The lines of the head of the `impl` block that it stands in.
    pub(crate) head: Option<Range<usize>>,
    /// What its body names.
    pub(crate) uses: Uses,
}

impl RustFile {
    /// Reads the items of a file.
    ///
    /// # Errors
    /// If the text is not Rust, with the line.
    pub(crate) fn parse(path: &str, text: &str) -> syn::Result<Self> {
        let file = syn::parse_file(text)?;
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut found = Self { path: path.to_owned(), lines, items: Vec::new() };
        for item in &file.items {
            found.read(item);
        }
        Ok(found)
    }

    /// The path that it was read under.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The item of this name; `None` if there is none.
    pub(crate) fn item(&self, name: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.name == name)
    }

    /// The names of all items, in the order of the file.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(|item| item.name.as_str())
    }

    /// Those of these lines that are shown: all but the marks of the book's snippets.
    pub(crate) fn shown(&self, lines: Range<usize>) -> impl Iterator<Item = &str> {
        lines.map(|line| self.lines[line].as_str()).filter(|line| !is_mark(line))
    }

    fn read(&mut self, item: &syn::Item) {
        let (attributes, name) = match item {
            syn::Item::Fn(item) => (&item.attrs, item.sig.ident.to_string()),
            syn::Item::Struct(item) => (&item.attrs, item.ident.to_string()),
            syn::Item::Enum(item) => (&item.attrs, item.ident.to_string()),
            syn::Item::Const(item) => (&item.attrs, item.ident.to_string()),
            syn::Item::Static(item) => (&item.attrs, item.ident.to_string()),
            syn::Item::Type(item) => (&item.attrs, item.ident.to_string()),
            syn::Item::Trait(item) => (&item.attrs, item.ident.to_string()),
            syn::Item::Impl(block) => return self.read_block(block),
            // Modules are tests, or other files.
            _ => return,
        };
        if !is_test(attributes) {
            let uses = uses::of_item(item);
            self.add(name, item.span(), None, uses);
        }
    }

    fn read_block(&mut self, block: &syn::ItemImpl) {
        if is_test(&block.attrs) {
            return;
        }
        let owner = last_name(&block.self_ty);
        let owner = match &block.trait_ {
            Some((_, path, _)) => {
                let name = path.segments.last().map(|segment| segment.ident.to_string());
                format!("{} for {owner}", name.unwrap_or_default())
            }
            None => owner,
        };
        let head = first_line(block.span())..block.brace_token.span.open().start().line;
        for item in &block.items {
            let (attributes, name) = match item {
                syn::ImplItem::Fn(item) => (&item.attrs, &item.sig.ident),
                syn::ImplItem::Const(item) => (&item.attrs, &item.ident),
                syn::ImplItem::Type(item) => (&item.attrs, &item.ident),
                _ => continue,
            };
            if !is_test(attributes) {
                let name = format!("{owner}::{name}");
                self.add(name, item.span(), Some(head.clone()), uses::of_impl_item(item));
            }
        }
    }

    fn add(&mut self, name: String, span: Span, head: Option<Range<usize>>, uses: Uses) {
        let lines = self.with_comments(span);
        self.items.push(Item { name, lines, head, uses });
    }

    /// The lines of an item and of the comments directly above it.
    fn with_comments(&self, span: Span) -> Range<usize> {
        let mut first = first_line(span);
        while first > 0 {
            let above = self.lines[first - 1].trim_start();
            if !above.starts_with("//") || above.starts_with("//!") {
                break;
            }
            first -= 1;
        }
        first..span.end().line
    }
}

/// The line in which something begins, from 0.
fn first_line(span: Span) -> usize {
    span.start().line - 1
}

/// Whether a line is `// ANCHOR: name` or `// ANCHOR_END: name`.
fn is_mark(line: &str) -> bool {
    let comment = line.trim_start().strip_prefix("//").map(str::trim_start);
    comment.is_some_and(|c| c.starts_with("ANCHOR:") || c.starts_with("ANCHOR_END:"))
}

/// Whether something exists only in a test: `#[cfg(test)]` or `#[test]`.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        syn::Meta::NameValue(_) => false,
    })
}

/// The name of a type without its path and its parameters.
fn last_name(ty: &syn::Type) -> String {
    match ty {
        syn::Type::Path(path) => {
            path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
        }
        syn::Type::Reference(reference) => last_name(&reference.elem),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With `@` before each mark, lest they be marks of this file too.
    const FILE: &str = "\
//! A layer.

use x::Y;

/// The layer.
#[derive(Debug)]
pub struct Layer<T> {
    t: T, // the number
}

const N: usize = 3;

// Why it is so.
// @ANCHOR: forward
/// Forward.
fn forward() -> &'static str {
    \"}\" // not the end {
}
// @ANCHOR_END: forward

impl<T: Scalar> Layer<T>
where
    T: Copy,
{
    /// One.
    fn one(&self) -> usize {
        N
    }

    #[cfg(test)]
    fn hidden(&self) {}

    fn two(&self) {
        self.one();
    }
}

impl<T> crate::Named for Layer<T> {
    const NAME: &'static str = \"layer\";
}

#[cfg(test)]
mod tests {
    fn test() {}
}
";

    fn file() -> RustFile {
        RustFile::parse("a.rs", &FILE.replace('@', "")).unwrap()
    }

    fn text(name: &str) -> String {
        let file = file();
        let item = file.item(name).unwrap_or_else(|| panic!("{name}"));
        file.shown(item.lines.clone()).map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn items_are_named_and_tests_are_not_among_them() {
        let names = ["Layer", "N", "forward", "Layer::one", "Layer::two", "Named for Layer::NAME"];
        assert_eq!(file().names().collect::<Vec<_>>(), names);
    }

    #[test]
    fn an_item_is_cut_out_as_it_is_written_with_its_comments() {
        assert_eq!(
            text("Layer"),
            "/// The layer.\n#[derive(Debug)]\npub struct Layer<T> {\n    t: T, // the number\n}\n"
        );
        assert_eq!(
            text("forward"),
            "// Why it is so.\n/// Forward.\nfn forward() -> &'static str {\n    \"}\" // not the end \
             {\n}\n"
        );
        assert_eq!(text("N"), "const N: usize = 3;\n");
    }

    #[test]
    fn a_method_knows_the_head_of_its_block() {
        let file = file();
        let head = file.item("Layer::two").unwrap().head.clone().unwrap();
        let head: Vec<_> = file.shown(head).collect();
        assert_eq!(head, ["impl<T: Scalar> Layer<T>", "where", "    T: Copy,", "{"]);
    }

    #[test]
    fn what_is_no_rust_is_refused() {
        assert!(RustFile::parse("a.rs", "fn (").is_err());
    }
}
