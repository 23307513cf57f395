//! The items of a Rust file, found by syntax and cut out as they are written, and what each of them uses.

use std::collections::BTreeSet;
use std::ops::Range;

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Token, Visibility};

/// A function, a type, a constant or a method.
pub(crate) struct Item {
    /// The file that it stands in.
    pub(crate) file: &'static str,
    /// `derivative`, `ReLU`, `ReLU::forward`, `Layer for Conv2D::forward`.
    pub(crate) name: String,
    /// Its first and last line, from 1, with attributes, documentation and the comments directly above it.
    pub(crate) lines: (usize, usize),
    /// These lines, without the marks of the book's snippets.
    pub(crate) code: String,
    /// The head of the `impl` block that it stands in: its first line, and its code.
    pub(crate) head: Option<(usize, String)>,
    /// Whether other files may name it.
    pub(crate) is_public: bool,
    /// What can be left to someone else to write.
    pub(crate) body: Option<Body>,
    uses: BTreeSet<String>,
}

/// The block of a function with its braces, or the value of a constant.
pub(crate) struct Body {
    /// Its place in the text, in bytes.
    pub(crate) place: Range<usize>,
    /// Its place with the signature; of a constant the value alone.
    pub(crate) with_signature: Range<usize>,
    /// What others know of it: the signature without the names of parameters, or the type of the constant.
    pub(crate) signature: String,
    /// The names of the function's parameters.
    pub(crate) parameters: Vec<String>,
}

impl Body {
    fn of_function(signature: &syn::Signature, block: &syn::Block) -> Self {
        let name = |argument: &syn::FnArg| match argument {
            syn::FnArg::Typed(argument) => match &*argument.pat {
                syn::Pat::Ident(name) => Some(name.ident.to_string()),
                _ => None,
            },
            syn::FnArg::Receiver(_) => None,
        };
        let parameters = signature.inputs.iter().filter_map(name).collect();
        let place = block.span().byte_range();
        let with_signature = signature.span().byte_range().start..place.end;
        let mut known = signature.clone();
        for argument in &mut known.inputs {
            match argument {
                syn::FnArg::Typed(argument) => *argument.pat = syn::parse_quote!(_),
                syn::FnArg::Receiver(own) if own.reference.is_none() => own.mutability = None,
                syn::FnArg::Receiver(_) => {}
            }
        }
        Self { place, with_signature, signature: written(&known), parameters }
    }

    fn of_constant(ty: &syn::Type, value: &Expr) -> Self {
        let place = value.span().byte_range();
        Self { with_signature: place.clone(), place, signature: written(ty), parameters: vec![] }
    }
}

/// Code as its tokens are, whoever has laid it out.
pub(crate) fn written(code: &impl ToTokens) -> String {
    let text = code.to_token_stream().to_string();
    // Commas that only line breaks ask for.
    let ends = [")", ">", "}", "]"];
    ends.iter().fold(text, |text, end| {
        text.replace(&format!(" {end}"), end)
            .replace(&format!(",{end}"), end)
            .replace(&format!(" {end}"), end)
    })
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
            Some((_, method)) if self.uses.contains(&format!(".{method}")) => true,
            _ => self.uses.contains(&other.name),
        }
    }
}

/// The items of a file, without what is compiled only for tests.
///
/// # Errors
/// If the text is not Rust, with the line.
pub(crate) fn items(file: &'static str, text: &str) -> syn::Result<Vec<Item>> {
    let lines = text.lines().collect();
    let mut reader = Reader { file, lines, items: Vec::new() };
    syn::parse_file(text)?.items.iter().for_each(|item| reader.item(item));
    Ok(reader.items)
}

struct Reader<'a> {
    file: &'static str,
    lines: Vec<&'a str>,
    items: Vec<Item>,
}

/// The attributes, the visibility and the name of an item.
type Declared<'a> = (&'a [Attribute], &'a Visibility, &'a Ident);

impl Reader<'_> {
    fn item(&mut self, item: &syn::Item) {
        let declared: Declared<'_> = match item {
            syn::Item::Fn(item) => (&item.attrs, &item.vis, &item.sig.ident),
            syn::Item::Struct(item) => (&item.attrs, &item.vis, &item.ident),
            syn::Item::Enum(item) => (&item.attrs, &item.vis, &item.ident),
            syn::Item::Const(item) => (&item.attrs, &item.vis, &item.ident),
            syn::Item::Static(item) => (&item.attrs, &item.vis, &item.ident),
            syn::Item::Type(item) => (&item.attrs, &item.vis, &item.ident),
            syn::Item::Trait(item) => (&item.attrs, &item.vis, &item.ident),
            syn::Item::Impl(block) => return self.block(block),
            // Modules are tests, or other files.
            _ => return,
        };
        let body = match item {
            syn::Item::Fn(item) => Some(Body::of_function(&item.sig, &item.block)),
            syn::Item::Const(item) => Some(Body::of_constant(&item.ty, &item.expr)),
            _ => None,
        };
        let mut uses = Uses::default();
        uses.visit_item(item);
        self.add(declared, None, item.span(), body, uses);
    }

    fn block(&mut self, block: &syn::ItemImpl) {
        if is_test(&block.attrs) {
            return;
        }
        let ty = last_name(&block.self_ty);
        let of_trait = block.trait_.as_ref().and_then(|(_, path, _)| path.segments.last());
        let owner = of_trait.map_or_else(|| ty.clone(), |name| format!("{} for {ty}", name.ident));
        let first = block.span().start().line;
        let head = (first, self.code(first, block.brace_token.span.open().start().line));
        for item in &block.items {
            let declared: Declared<'_> = match item {
                syn::ImplItem::Fn(item) => (&item.attrs, &item.vis, &item.sig.ident),
                syn::ImplItem::Const(item) => (&item.attrs, &item.vis, &item.ident),
                syn::ImplItem::Type(item) => (&item.attrs, &item.vis, &item.ident),
                _ => continue,
            };
            let mut uses = Uses { owner: ty.clone(), ..Uses::default() };
            // A method of a trait's block is one of several that the trait joins.
            block.trait_.iter().for_each(|(_, path, _)| uses.visit_path(path));
            uses.visit_impl_item(item);
            let body = match item {
                syn::ImplItem::Fn(item) => Some(Body::of_function(&item.sig, &item.block)),
                _ => None,
            };
            self.add(declared, Some((&owner, head.clone())), item.span(), body, uses);
        }
    }

    fn add(
        &mut self,
        (attributes, vis, name): Declared<'_>,
        block: Option<(&str, (usize, String))>,
        span: Span,
        body: Option<Body>,
        Uses { names: uses, .. }: Uses,
    ) {
        if is_test(attributes) {
            return;
        }
        let is_comment = |line: &str| {
            line.trim_start().starts_with("//") && !line.trim_start().starts_with("//!")
        };
        let (mut first, last) = (span.start().line, span.end().line);
        while first > 1 && is_comment(self.lines[first - 2]) {
            first -= 1;
        }
        self.items.push(Item {
            file: self.file,
            name: block.as_ref().map_or(name.to_string(), |(owner, _)| format!("{owner}::{name}")),
            lines: (first, last),
            code: self.code(first, last),
            head: block.map(|(_, head)| head),
            is_public: !matches!(vis, Visibility::Inherited),
            body,
            uses,
        });
    }

    /// These lines, from 1, without the marks of the book's snippets.
    fn code(&self, first: usize, last: usize) -> String {
        let lines = self.lines[first - 1..last].iter().filter(|line| !is_mark(line));
        lines.map(|line| format!("{line}\n")).collect()
    }
}

/// Whether a line is `// ANCHOR: name` or `// ANCHOR_END: name`.
fn is_mark(line: &str) -> bool {
    mark(line).is_some()
}

/// The name of the mark that a line is.
pub(crate) fn mark(line: &str) -> Option<&str> {
    let comment = line.trim_start().strip_prefix("//")?.trim_start();
    let name = comment.strip_prefix("ANCHOR:").or_else(|| comment.strip_prefix("ANCHOR_END:"))?;
    Some(name.trim())
}

/// Whether something exists only in a test: `#[cfg(test)]` or `#[test]`.
pub(crate) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        syn::Meta::NameValue(_) => false,
    })
}

/// The name of a type without its path and its parameters.
pub(crate) fn last_name(ty: &syn::Type) -> String {
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
    /// Functions that are called, types, values in capitals, `Window::new`, and `.im2col` of
    /// `blocks.im2col(...)`.
    names: BTreeSet<String>,
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
        self.names.insert(format!(".{}", call.method));
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
    fn one(&self) -> usize {}
    #[cfg(test)]
    fn hidden(&self) {}
    pub fn two(&self) {}
}
impl<T> crate::Named for Layer<T> {
    const NAME: &'static str = \"layer\";
}
#[cfg(test)]
mod tests {
    fn test() {}
}
";

    #[test]
    fn items_are_cut_out_as_they_are_written_with_their_comments_and_without_tests() {
        let items = items("a.rs", &FILE.replace('@', "")).unwrap();
        let names = ["Layer", "N", "forward", "Layer::one", "Layer::two", "Named for Layer::NAME"];
        assert_eq!(items.iter().map(|item| item.name.as_str()).collect::<Vec<_>>(), names);
        let is_public: Vec<_> = items.iter().map(|item| item.is_public).collect();
        assert_eq!(is_public, [true, false, false, false, true, false]);
        let layer =
            "/// The layer.\n#[derive(Debug)]\npub struct Layer<T> {\n    t: T, // the number\n}\n";
        assert_eq!((items[0].code.as_str(), items[0].lines), (layer, (3, 7)));
        let forward = "// Why it is so.\n/// Forward.\nfn forward() -> &'static str {\n    \"}\" // not the \
                       end {\n}\n";
        assert_eq!((items[2].code.as_str(), items[2].lines), (forward, (9, 14)));
        let head = "impl<T: Scalar> Layer<T>\nwhere\n    T: Copy,\n{\n".to_owned();
        assert_eq!(items[4].head, Some((16, head)));
    }

    #[test]
    fn calls_types_and_constants_are_used_and_variables_are_not() {
        let user = "impl B { fn f(w: Window) -> Blocks<Cache> { let padded = g(N); padded + x.lines(1) + \
                    Self::patch(2) + y.map(T::run) + vec![h::<T>(3)].len() + kernel::sum(1) } }";
        let user = &items("a.rs", user).unwrap()[0];
        let used = "fn g() {} fn h() {} fn sum() {} const N: u8 = 0; struct Window; struct Blocks; struct Cache; \
                    impl B { fn lines() {} fn patch() {} } impl T { fn run() {} }";
        let unused = "fn padded() {} fn x() {} fn lines() {} impl Layer for C { fn lines() {} } \
                      impl B { fn run() {} fn g() {} }";
        for (others, expected) in [(used, true), (unused, false)] {
            for other in items("a.rs", others).unwrap() {
                assert_eq!(user.uses(&other), expected, "{}", other.name);
            }
        }
    }
}
