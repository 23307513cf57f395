//! Origin and licence of all that is linked into the programs.

use std::path::Path;

use anyhow::Result;

use super::packages::{Metadata, Package};
use crate::problem;

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

pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    // The dependencies of this platform alone: others were never fetched.
    let tree: Metadata = system::cargo_metadata(root, &["--filter-platform=host-tuple"])?;
    Ok(tree.packages.iter().flat_map(|package| problems(package, root)).collect())
}

fn problems(package: &Package, root: &Path) -> Vec<String> {
    let Package { name, version, license, source, manifest_path, .. } = package;
    let mut problems = Vec::new();
    let mut problem = |what: String, remedy: &str| {
        let what = format!("{name} {version} {what}");
        problems.push(problem::in_file(Path::new("Cargo.lock"), what, remedy));
    };
    let license = license.as_deref().unwrap_or_default();
    if !is_allowed(license) {
        let remedy = "do without it, or add the licence in xtask/src/check/licences.rs";
        problem(format!("has the licence {license:?}, which is not allowed"), remedy);
    }
    let ours = source.is_none() && manifest_path.starts_with(root);
    if !ours && source.as_deref() != Some(REGISTRY) {
        let from = source.clone().unwrap_or_else(|| manifest_path.display().to_string());
        problem(format!("comes from {from}"), "take it from crates.io");
    }
    problems
}

/// Whether an SPDX expression, whose OR older packages write as a slash, leaves a choice that is allowed.
///
/// It is read as alternatives joined by AND, as nearly all are written. Where that is wrong, too little is
/// allowed and never too much: raising an OR above an AND only adds demands.
fn is_allowed(expression: &str) -> bool {
    let is_listed = |licence: &str| ALLOWED.contains(&licence.trim_matches(['(', ')', ' ']));
    let expression = expression.replace('/', " OR ");
    expression.split(" AND ").all(|choices| choices.split(" OR ").any(is_listed))
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
            ("MIT AND GPL-3.0-only", false),
            ("GPL-3.0-only / MIT", true),
            ("(MIT OR Apache-2.0) AND GPL-3.0-only", false),
            ("GPL-3.0-only OR MIT AND GPL-2.0-only", false),
            ("(MIT OR ISC) AND (GPL-3.0-only OR Zlib)", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("GPL-3.0-only WITH Classpath-exception-2.0", false),
        ] {
            assert_eq!(is_allowed(expression), allowed, "{expression}");
        }
    }

    #[test]
    fn other_licences_and_other_sources_are_found() {
        for (license, source, folder, expected) in [
            (Some("MIT"), Some(REGISTRY), "/registry/a", None),
            (Some("MIT"), None, "/here/crates/a", None),
            (Some("AGPL-3.0"), Some(REGISTRY), "/registry/a", Some("licence \"AGPL-3.0\"")),
            (None, Some(REGISTRY), "/registry/a", Some("licence \"\"")),
            (Some("MIT"), Some("git+https://a.org/a"), "/git/a", Some("from git+https")),
            (Some("MIT"), None, "/elsewhere/a", Some("from /elsewhere/a")),
        ] {
            let package = json!({ "name": "a", "version": "1.0.0", "dependencies": [],
                "license": license, "source": source, "manifest_path": format!("{folder}/Cargo.toml") });
            let found = problems(&serde_json::from_value(package).unwrap(), Path::new("/here"));
            assert_eq!(found.len(), usize::from(expected.is_some()), "{folder}: {license:?}");
            assert!(found.iter().all(|problem| problem.contains(expected.unwrap_or_default())));
        }
    }
}
