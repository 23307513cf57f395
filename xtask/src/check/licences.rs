//! What may be linked into the programs: where it comes from, and under which licence.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;

use crate::problem::Problem;

/// The licences that a program under the MIT licence may be combined with and passed on.
const ALLOWED: [&str; 13] = [
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC-BY-4.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// The only place that packages come from, besides the workspace.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The packages of the workspace and all that they depend on.
#[derive(Deserialize)]
struct Tree {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
    manifest_path: PathBuf,
}

pub(super) fn check(root: &Path) -> Result<Vec<Problem>> {
    // Those of this platform alone: others were never fetched.
    let tree: Tree = metadata::read(root, &["--filter-platform=host-tuple"])?;
    Ok(problems(&tree, root))
}

fn problems(tree: &Tree, root: &Path) -> Vec<Problem> {
    let mut problems = Vec::new();
    for Package { name, version, license, source, manifest_path } in &tree.packages {
        let mut problem = |what: String, remedy: &str| {
            let what = format!("{name} {version} {what}");
            problems.push(Problem::in_file(Path::new("Cargo.lock"), what, remedy));
        };
        let license = license.as_deref().unwrap_or_default();
        if !is_allowed(license) {
            let remedy = "do without it, or add the licence in xtask/src/check/licences.rs";
            problem(format!("has the licence {license:?}, which is not allowed"), remedy);
        }
        let ours = source.is_none() && manifest_path.starts_with(root);
        if !ours && source.as_deref() != Some(REGISTRY) {
            let from = source
                .as_deref()
                .map_or_else(|| manifest_path.display().to_string(), str::to_owned);
            problem(format!("comes from {from}"), "take it from crates.io");
        }
    }
    problems
}

/// Whether an SPDX expression, whose OR older packages write as a slash, leaves a choice that is allowed.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    let terms = |operator| split(expression.trim(), operator);
    match (terms(" OR "), terms(" AND ")) {
        (any, _) if any.len() > 1 => any.into_iter().any(is_allowed),
        (_, all) if all.len() > 1 => all.into_iter().all(is_allowed),
        _ => match expression.trim().strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
            Some(inner) => is_allowed(inner),
            None => ALLOWED.contains(&expression.trim()),
        },
    }
}

/// Splits at an operator that is not inside parentheses.
fn split<'a>(expression: &'a str, operator: &str) -> Vec<&'a str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    for (at, _) in expression.match_indices(operator) {
        let count = |c| expression[..at].matches(c).count();
        if count('(') == count(')') {
            parts.push(&expression[start..at]);
            start = at + operator.len();
        }
    }
    parts.push(&expression[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn expressions_are_read_by_their_operators() {
        for (expression, allowed) in [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("", false),
            ("MIT OR GPL-3.0-only", true),
            ("MIT AND GPL-3.0-only", false),
            ("GPL-3.0-only / MIT", true),
            ("(MIT OR GPL-3.0-only) AND Unicode-3.0", true),
            ("(MIT OR Apache-2.0) AND GPL-3.0-only", false),
            ("GPL-3.0-only OR MIT AND ISC", true),
            ("(MIT OR ISC) AND (GPL-3.0-only OR Zlib)", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("GPL-3.0-only WITH Classpath-exception-2.0", false),
        ] {
            assert_eq!(is_allowed(expression), allowed, "{expression}");
        }
    }

    #[test]
    fn other_licences_and_other_sources_are_found() {
        let package = |license: Option<&str>, source: Option<&str>, folder: &str| {
            json!({ "name": "a", "version": "1.0.0", "license": license, "source": source,
                    "manifest_path": format!("{folder}/Cargo.toml") })
        };
        for (package, expected) in [
            (package(Some("MIT"), Some(REGISTRY), "/registry/a"), None),
            (package(Some("MIT"), None, "/here/crates/a"), None),
            (
                package(Some("AGPL-3.0"), Some(REGISTRY), "/registry/a"),
                Some("licence \"AGPL-3.0\""),
            ),
            (package(None, Some(REGISTRY), "/registry/a"), Some("licence \"\"")),
            (package(Some("MIT"), Some("git+https://a.org/a"), "/git/a"), Some("from git+https")),
            (package(Some("MIT"), None, "/elsewhere/a"), Some("from /elsewhere/a")),
        ] {
            let tree: Tree = serde_json::from_value(json!({ "packages": [package] })).unwrap();
            let found = problems(&tree, Path::new("/here"));
            assert_eq!(found.len(), usize::from(expected.is_some()), "{package}");
            assert!(found.iter().all(|p| p.to_string().contains(expected.unwrap_or_default())));
        }
    }
}
