//! What the code of an item names: the functions it calls, the constants and types it mentions.

use std::collections::BTreeSet;

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Expr, Token};

/// The names in the code of an item, by what they can stand for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Uses {
    /// Called by name, or by the last part of a path: `padded(x)`, `Window::new(...)`.
    functions: BTreeSet<String>,
    /// Called on a value: `blocks.im2col(...)`.
    methods: BTreeSet<String>,
    /// Types, and values in capitals.
    others: BTreeSet<String>,
}

impl Uses {
    /// Whether an item of this name is among what is named; for a method, the name after `::`.
    pub(crate) fn may_be(&self, item: &str) -> bool {
        match item.rsplit_once("::") {
            // A call does not say that it is of this trait.
            Some((owner, _)) if owner.contains(" for ") => false,
            Some((_, name)) => self.methods.contains(name) || self.functions.contains(name),
            None => self.functions.contains(item) || self.others.contains(item),
        }
    }
}

pub(crate) fn of_item(item: &syn::Item) -> Uses {
    let mut uses = Uses::default();
    uses.visit_item(item);
    uses
}

pub(crate) fn of_impl_item(item: &syn::ImplItem) -> Uses {
    let mut uses = Uses::default();
    uses.visit_impl_item(item);
    uses
}

impl<'a> Visit<'a> for Uses {
    fn visit_expr_call(&mut self, call: &'a syn::ExprCall) {
        if let Expr::Path(path) = &*call.func
            && let Some(last) = path.path.segments.last()
        {
            // `Self::new` may be any method, `padded` only a function.
            let names =
                if path.path.segments.len() > 1 { &mut self.methods } else { &mut self.functions };
            names.insert(last.ident.to_string());
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'a syn::ExprMethodCall) {
        self.methods.insert(call.method.to_string());
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_path(&mut self, path: &'a syn::ExprPath) {
        // A function that is passed on, `map(Self::one)`; a single small name is a variable.
        if path.path.segments.len() > 1
            && let Some(last) = path.path.segments.last()
        {
            self.methods.insert(last.ident.to_string());
        }
        visit::visit_expr_path(self, path);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        for segment in &path.segments {
            let name = segment.ident.to_string();
            if name.starts_with(|c: char| c.is_uppercase()) {
                self.others.insert(name);
            }
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

    fn uses(code: &str) -> Uses {
        of_item(&syn::parse_str(code).unwrap())
    }

    #[test]
    fn calls_types_and_constants_are_used_and_variables_are_not() {
        let uses = uses(
            "fn f(w: Window) -> Blocks<Cache> { let padded = g(N); padded + x.lines(1) + \
             Self::patch(2) + y.map(T::run) + vec![h(3)].len() }",
        );
        for used in ["g", "h", "N", "Window", "Blocks", "Cache", "B::lines", "B::patch", "B::run"] {
            assert!(uses.may_be(used), "{used}");
        }
        for unused in ["padded", "x", "lines", "Layer for C::lines", "B::g2"] {
            assert!(!uses.may_be(unused), "{unused}");
        }
    }
}
