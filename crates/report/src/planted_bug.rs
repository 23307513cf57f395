//! Deliberate bugs of the harness: their code, and which checks catch them.

use std::path::{Path, PathBuf};

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::code;
use crate::evidence::{Check, Evidence};
use crate::evidence_blocks::{KINDS, cell};
use crate::files::{self, files_with};

/// The folder of the code with the bugs.
const FOLDER: &str = "crates/harness/src";

/// The folder in it with a file, or a folder, for each thing under test.
const ROOMS: &str = "rooms";

/// The functions that have a bug, without what they do for other bugs.
pub(crate) fn listing(
    evidence: &Evidence,
    root: &Path,
    subject: &str,
    id: &str,
) -> Result<String, String> {
    evidence.control(subject, id)?;
    let folder = root.join(FOLDER);
    let in_words = |error: anyhow::Error| format!("{error:#}");
    let mut found = Vec::new();
    for file in files_with(&folder, "rs").map_err(in_words)? {
        let text = files::read(&folder.join(&file)).map_err(in_words)?;
        if !text.contains(&format!("\"{id}\"")) {
            continue;
        }
        let parsed = syn::parse_file(&text);
        let parsed = parsed.map_err(|error| format!("{}: {error}", file.display()))?;
        let id = format!("\"{id}\"");
        let mut functions = Functions { text: &text, id, in_static: false, found: Vec::new() };
        functions.visit_file(&parsed);
        found.extend(functions.found.into_iter().map(|code| (file.clone(), code)));
    }
    let of_subject = |file: &Path| {
        let inside = file.strip_prefix(ROOMS).ok();
        let name = inside.and_then(|inside| inside.iter().next()).unwrap_or_default();
        let name = name.to_string_lossy().trim_end_matches(".rs").replace('_', "");
        name.eq_ignore_ascii_case(subject)
    };
    // Several things under test may have a bug of this name.
    if found.iter().any(|(file, _)| of_subject(file)) {
        found.retain(|(file, _)| of_subject(file));
    }
    if found.is_empty() {
        return Err(format!("no function in {FOLDER} has the bug `{id}`"));
    }
    let figure = |(file, code): (PathBuf, String)| {
        let path = format!("{FOLDER}/{}", file.display());
        code::figure(&path, "without its other bugs", "rust", &code)
    };
    Ok(found.into_iter().map(figure).collect())
}

/// The sentence of a bug, and which kinds of check catch it and which do not.
pub(crate) fn caught(evidence: &Evidence, subject: &str, id: &str) -> Result<String, String> {
    let control = evidence.control(subject, id)?;
    let caught = control.caught_by.join(", ");
    let has = |kind: &&str| {
        let is_one =
            |check: &Check| check.subject.as_deref() == Some(subject) && check.kind == **kind;
        evidence.checks.iter().any(is_one)
    };
    let passes = |kind: &&str| !control.caught_by.iter().any(|caught| caught == kind);
    let passed: Vec<&str> = KINDS.into_iter().filter(has).filter(passes).collect();
    let passed = match &passed[..] {
        [] => "No kind of check lets it pass.".to_owned(),
        passed => format!("These kinds let it pass: {}.", passed.join(", ")),
    };
    let bug = cell(&control.bug);
    Ok(format!("**{subject}: {bug}.** Caught by: {caught}. {passed}\n"))
}

/// The innermost functions and constants of a file that name a bug, or the fields of a room that do.
struct Functions<'a> {
    text: &'a str,
    /// With its quotation marks.
    id: String,
    in_static: bool,
    found: Vec<String>,
}

impl Functions<'_> {
    fn names_bug(&self, span: Span) -> bool {
        self.text[span.byte_range()].contains(&self.id)
    }

    fn found(
        &mut self,
        span: Span,
        within: impl FnOnce(&mut Self),
        others: impl FnOnce(&mut OtherBugs<'_>),
    ) {
        if !self.names_bug(span) {
            return;
        }
        let before = self.found.len();
        within(self);
        if self.found.len() > before {
            return;
        }
        let mut bugs = OtherBugs { text: self.text, id: &self.id, left_out: Vec::new() };
        others(&mut bugs);
        let lines: Vec<&str> = self.text.lines().collect();
        let is_comment = |line: usize| lines[line - 1].trim_start().starts_with("//");
        let (first, last) = (span.start().line, span.end().line);
        let mut shown: Vec<usize> = (first..=last).collect();
        for other in bugs.left_out {
            let (mut from, to) = (other.start().line, other.end().line);
            while from > first && is_comment(from - 1) {
                from -= 1;
            }
            shown.retain(|line| !(from..=to).contains(line));
        }
        let shown: Vec<&str> = shown.into_iter().map(|line| lines[line - 1]).collect();
        self.found.push(code::dedent(&shown));
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let within = |own: &mut Self| visit::visit_item_fn(own, item);
        self.found(item.span(), within, |bugs| bugs.visit_block(&item.block));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let within = |own: &mut Self| visit::visit_impl_item_fn(own, item);
        self.found(item.span(), within, |bugs| bugs.visit_block(&item.block));
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        let within = |own: &mut Self| visit::visit_item_const(own, item);
        self.found(item.span(), within, |bugs| bugs.visit_expr(&item.expr));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.in_static = true;
        visit::visit_item_static(self, item);
        self.in_static = false;
    }

    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        // The table of the bugs is a macro.
        if self.in_static && !matches!(field.expr, syn::Expr::Macro(_)) {
            self.found(field.span(), |_| {}, |bugs| bugs.visit_expr(&field.expr));
        }
    }
}

/// The arms and conditions of other bugs.
struct OtherBugs<'a> {
    text: &'a str,
    id: &'a str,
    left_out: Vec<Span>,
}

impl OtherBugs<'_> {
    /// Whether this names bugs, and not the one that is shown.
    fn names_others(&self, span: Span) -> bool {
        let text = &self.text[span.byte_range()];
        text.contains('"') && !text.contains(self.id)
    }
}

impl<'ast> Visit<'ast> for OtherBugs<'_> {
    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        match self.names_others(arm.pat.span()) {
            true => self.left_out.push(arm.span()),
            false => visit::visit_arm(self, arm),
        }
    }

    fn visit_stmt(&mut self, statement: &'ast syn::Stmt) {
        match statement {
            syn::Stmt::Expr(syn::Expr::If(condition), _)
                if condition.else_branch.is_none() && self.names_others(condition.cond.span()) =>
            {
                self.left_out.push(statement.span());
            }
            statement => visit::visit_stmt(self, statement),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tests::evidence;

    /// The function with the bug, and another of the same name in a room of something else.
    #[test]
    fn a_bug_is_shown_without_the_others_of_its_function() {
        let room = "pub static ROOM: R = bugs! { \"relu-sign\" [Course] \"x\" };\n\nimpl A {\n    /// Doc.\n    \
            fn a(bug: &str) -> f64 {\n        if bug == \"relu-leak\" {\n            return 0.0;\n        }\n        \
            match bug {\n            // Else.\n            \"relu-leak\" | \"relu-kink\" => 1.0,\n            \
            \"relu-sign\" => -1.0,\n            _ => 2.0,\n        }\n    }\n}\n";
        let root = system::for_tests::folder(&[
            ("crates/harness/src/rooms/relu.rs", room),
            ("crates/harness/src/rooms/gelu.rs", "const B: F = || { \"relu-sign\"; };"),
            (
                "crates/harness/src/rooms/tanh.rs",
                "static R: R = R {\n    bugs: bugs! { \"relu-sign\" },\n    faulty: |bug| match bug {\n        \
                 \"relu-leak\" => 1,\n        \"relu-sign\" => 2,\n    },\n};\n",
            ),
        ]);
        let shown = listing(&evidence("ok"), root.path(), "ReLU", "relu-sign").unwrap();
        let code = "/// Doc.\nfn a(bug: &str) -> f64 {\n    match bug {\n        \"relu-sign\" => -1.0,\n        \
            _ => 2.0,\n    }\n}\n";
        assert!(shown.contains(code), "{shown}");
        assert!(shown.contains("rooms/relu.rs</code>, without its") && !shown.contains("gelu.rs"));
        let mut of_constant = evidence("ok");
        of_constant.controls[0].subject = "GELU".to_owned();
        let shown = listing(&of_constant, root.path(), "GELU", "relu-sign").unwrap();
        assert!(shown.contains("const B: F = || { \"relu-sign\"; };"), "{shown}");
        let mut of_field = evidence("ok");
        of_field.controls[0].subject = "TanH".to_owned();
        let shown = listing(&of_field, root.path(), "TanH", "relu-sign").unwrap();
        let code = "```rust\nfaulty: |bug| match bug {\n    \"relu-sign\" => 2,\n},\n```";
        assert!(shown.contains(code), "{shown}");
        let caught = caught(&evidence("ok"), "ReLU", "relu-sign").unwrap();
        assert!(
            caught.ends_with("Caught by: course, gradient. These kinds let it pass: formula.\n")
        );
        let error = listing(&evidence("ok"), root.path(), "ReLU", "relu-leak").unwrap_err();
        assert!(error.contains("`ReLU` has no deliberate bug `relu-leak`; it has: relu-sign"));
    }
}
