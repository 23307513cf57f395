//! The items of a Rust file, found by syntax and cut out as they are written, and what each of them uses.

use std::collections::BTreeSet;
use std::ops::Range;

use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, Token};

/// A Rust file and its items, without what is compiled only for tests.
pub(crate) struct RustFile {
    lines: Vec<String>,
    pub(crate) items: Vec<Item>,
}

/// A function, a type, a constant or a method.
pub(crate) struct Item {
    /// `derivative`, `ReLU`, `ReLU::forward`, `Layer for Conv2D::forward`.
    pub(crate) name: String,
    /// Its lines with attributes, documentation and the comments directly above it, from 0.
    pub(crate) lines: Range<usize>,
    /// The lines of the head of the `impl` block that it stands in.
    pub(crate) head: Option<Range<usize>>,
    /// Whether other files may name it.
    pub(crate) is_public: bool,
    uses: Uses,
}

impl Item {
    /// The type of an inherent method: `ReLU` of `ReLU::forward`.
    pub(crate) fn owner(&self) -> Option<&str> {
        self.name.rsplit_once("::").map(|(owner, _)| owner)
    }

    /// Whether its code names the other item, or calls a method of its name on some value. A call does not
    /// say that it is of a trait, so no method of a trait is meant.
    pub(crate) fn uses(&self, other: &Self) -> bool {
        match other.name.rsplit_once("::") {
            Some((owner, _)) if owner.contains(" for ") => false,
            Some((_, method)) => {
                self.uses.methods.contains(method) || self.uses.names.contains(&other.name)
            }
            None => self.uses.names.contains(&other.name),
        }
    }
}

impl RustFile {
    /// Reads the items of a file.
    ///
    /// # Errors
    /// If the text is not Rust, with the line.
    pub(crate) fn parse(text: &str) -> syn::Result<Self> {
        let lines = text.lines().map(str::to_owned).collect();
        let mut file = Self { lines, items: Vec::new() };
        for item in syn::parse_file(text)?.items {
            file.read(&item);
        }
        Ok(file)
    }

    /// The lines that are shown of these: all but the marks of the book's snippets.
    pub(crate) fn shown(&self, lines: Range<usize>) -> impl Iterator<Item = &str> {
        lines.map(|line| self.lines[line].as_str()).filter(|line| !is_mark(line))
    }

    fn read(&mut self, item: &syn::Item) {
        let (attributes, vis, name) = match item {
            syn::Item::Fn(item) => (&item.attrs, &item.vis, &item.sig.ident),
            syn::Item::Struct(item) => (&item.attrs, &item.vis, &item.ident),
            syn::Item::Enum(item) => (&item.attrs, &item.vis, &item.ident),
            syn::Item::Const(item) => (&item.attrs, &item.vis, &item.ident),
            syn::Item::Static(item) => (&item.attrs, &item.vis, &item.ident),
            syn::Item::Type(item) => (&item.attrs, &item.vis, &item.ident),
            syn::Item::Trait(item) => (&item.attrs, &item.vis, &item.ident),
            syn::Item::Impl(block) => return self.read_block(block),
            // Modules are tests, or other files.
            _ => return,
        };
        let mut uses = Uses::default();
        uses.visit_item(item);
        self.add(attributes, vis, name.to_string(), None, item.span(), uses);
    }

    fn read_block(&mut self, block: &syn::ItemImpl) {
        if is_test(&block.attrs) {
            return;
        }
        let ty = last_name(&block.self_ty);
        let owner = match &block.trait_ {
            Some((_, path, _)) => {
                let name = path.segments.last().map(|segment| segment.ident.to_string());
                format!("{} for {ty}", name.unwrap_or_default())
            }
            None => ty.clone(),
        };
        let head = first_line(block.span())..block.brace_token.span.open().start().line;
        for item in &block.items {
            let (attributes, vis, name) = match item {
                syn::ImplItem::Fn(item) => (&item.attrs, &item.vis, &item.sig.ident),
                syn::ImplItem::Const(item) => (&item.attrs, &item.vis, &item.ident),
                syn::ImplItem::Type(item) => (&item.attrs, &item.vis, &item.ident),
                _ => continue,
            };
            let mut uses = Uses { owner: ty.clone(), ..Uses::default() };
            // A method of a trait's block is one of several that the trait joins.
            block.trait_.iter().for_each(|(_, path, _)| uses.visit_path(path));
            uses.visit_impl_item(item);
            let name = format!("{owner}::{name}");
            self.add(attributes, vis, name, Some(head.clone()), item.span(), uses);
        }
    }

    fn add(
        &mut self,
        attributes: &[syn::Attribute],
        vis: &syn::Visibility,
        name: String,
        head: Option<Range<usize>>,
        span: Span,
        uses: Uses,
    ) {
        if !is_test(attributes) {
            let is_public = !matches!(vis, syn::Visibility::Inherited);
            let lines = self.with_comments(span);
            self.items.push(Item { name, lines, head, is_public, uses });
        }
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

/// The names in the code of an item.
#[derive(Default)]
struct Uses {
    /// The type that is `Self`.
    owner: String,
    /// Functions that are called, types, values in capitals, and `Window::new`.
    names: BTreeSet<String>,
    /// Called on a value: `blocks.im2col(...)`.
    methods: BTreeSet<String>,
}

impl<'a> Visit<'a> for Uses {
    fn visit_expr_call(&mut self, call: &'a syn::ExprCall) {
        // A single small name is a variable where it is not called.
        if let Expr::Path(path) = &*call.func
            && let [name] = &path.path.segments.iter().collect::<Vec<_>>()[..]
        {
            self.names.insert(name.ident.to_string());
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'a syn::ExprMethodCall) {
        self.methods.insert(call.method.to_string());
        visit::visit_expr_method_call(self, call);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let is_type = |name: &str| name.starts_with(|c: char| c.is_uppercase());
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.names.extend(names.iter().filter(|name| is_type(name)).cloned());
        if let [.., before, last] = &names[..] {
            self.names.insert(match before.as_str() {
                "Self" => format!("{}::{last}", self.owner),
                before if is_type(before) => format!("{before}::{last}"),
                _ => last.clone(),
            });
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        // The arguments of most macros are expressions; of others nothing is known.
        let arguments = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
        for argument in arguments.iter().flatten() {
            self.visit_expr(argument);
        }
        visit::visit_macro(self, call);
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

    pub fn two(&self) {
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
        RustFile::parse(&FILE.replace('@', "")).unwrap()
    }

    #[test]
    fn items_are_named_and_tests_are_not_among_them() {
        let items = file().items;
        let names = ["Layer", "N", "forward", "Layer::one", "Layer::two", "Named for Layer::NAME"];
        assert_eq!(items.iter().map(|item| item.name.as_str()).collect::<Vec<_>>(), names);
        let is_public: Vec<_> = items.iter().map(|item| item.is_public).collect();
        assert_eq!(is_public, [true, false, false, false, true, false]);
        assert!(RustFile::parse("fn (").is_err());
    }

    #[test]
    fn an_item_is_cut_out_as_it_is_written_with_its_comments() {
        let file = file();
        let text = |lines: &Range<usize>| -> String {
            file.shown(lines.clone()).map(|line| format!("{line}\n")).collect()
        };
        for (index, expected) in [
            "/// The layer.\n#[derive(Debug)]\npub struct Layer<T> {\n    t: T, // the number\n}\n",
            "const N: usize = 3;\n",
            "// Why it is so.\n/// Forward.\nfn forward() -> &'static str {\n    \"}\" // not the end \
             {\n}\n",
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(text(&file.items[index].lines), expected);
        }
        let head = "impl<T: Scalar> Layer<T>\nwhere\n    T: Copy,\n{\n";
        assert_eq!(text(file.items[4].head.as_ref().unwrap()), head);
    }

    #[test]
    fn calls_types_and_constants_are_used_and_variables_are_not() {
        let user = "impl B { fn f(w: Window) -> Blocks<Cache> { let padded = g(N); padded + x.lines(1) + \
                    Self::patch(2) + y.map(T::run) + vec![h::<T>(3)].len() + kernel::sum(1) } }";
        let user = &RustFile::parse(user).unwrap().items[0];
        let used = "fn g() {} fn h() {} fn sum() {} const N: u8 = 0; struct Window; struct Blocks; struct Cache; \
                    impl B { fn lines() {} fn patch() {} } impl T { fn run() {} }";
        let unused = "fn padded() {} fn x() {} fn lines() {} impl Layer for C { fn lines() {} } \
                      impl B { fn run() {} fn g() {} }";
        for (items, expected) in [(used, true), (unused, false)] {
            for other in RustFile::parse(items).unwrap().items {
                assert_eq!(user.uses(&other), expected, "{}", other.name);
            }
        }
    }
}
