//! Dependencies have the same features for a program alone as for the workspace.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::{command, problem};

/// Programs that people build alone: `cargo run -p kaggle`.
const ALONE: [&str; 3] = ["einsum", "ffnn", "kaggle"];

/// The dependencies that such a program would have compiled again, with fewer features than the workspace asks for.
pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let together = with_features(root, &["--workspace"])?;
    let mut problems = Vec::new();
    for program in ALONE {
        for built in compiled_again(&with_features(root, &["--package", program])?, &together) {
            let what = format!("`cargo run -p {program}` compiles it again: {built}");
            let remedy =
                "ask for the features that the workspace asks for: see crates/unified/src/lib.rs";
            problems.push(problem::in_file(Path::new("Cargo.toml"), what, remedy));
        }
    }
    Ok(problems)
}

/// What is built alone and not so together; both are lines of [`with_features`].
fn compiled_again<'a>(alone: &'a str, together: &str) -> BTreeSet<&'a str> {
    let together: BTreeSet<_> = together.lines().collect();
    alone.lines().filter(|built| !together.contains(built)).collect()
}

/// The packages that are built for what `selection` selects, each with its features.
fn with_features(root: &Path, selection: &[&str]) -> Result<String> {
    let output = command::cargo("tree")
        .args(["--edges=normal,build", "--prefix=none", "--no-dedupe", "--format={p} [{f}]"])
        .args(selection)
        .current_dir(root)
        .output()
        .context("cannot run cargo tree")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo tree ended with {}: {errors}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_fewer_features_alone_is_compiled_again() {
        let together = "libm v0.2.16 []\nserde v1.0.229 [alloc,std]\nserde v1.0.229 [std,alloc]";
        assert!(compiled_again("serde v1.0.229 [alloc,std]", together).is_empty());
        let alone = "libm v0.2.16 []\nserde v1.0.229 [std]\nserde v1.0.229 [std]";
        assert_eq!(Vec::from_iter(compiled_again(alone, together)), ["serde v1.0.229 [std]"]);
    }
}
