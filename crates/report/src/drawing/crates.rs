//! The crates of the workspace and how they depend on each other, as Cargo tells.

use std::collections::{BTreeMap, BTreeSet};

use experiment::canvas::{Anchor, Canvas, Font, Pen};
use experiment::palette::{GRID, SERIES};
use serde_json::Value;

use crate::expand::Inputs;

/// Cargo's arguments.
const METADATA: [&str; 4] = ["metadata", "--no-deps", "--format-version", "1"];

/// The crates that each crate uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

pub(super) fn draw(inputs: &Inputs) -> Result<String, String> {
    let json = (inputs.cargo)(&METADATA).map_err(|error| format!("{error:#}"))?;
    Ok(picture(&dependencies(&json)?))
}

/// Which crate uses which, tests aside.
fn dependencies(json: &str) -> Result<Uses, String> {
    let metadata: Value = serde_json::from_str(json).unwrap_or_default();
    let packages = metadata["packages"].as_array().ok_or("cargo metadata is not understood")?;
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let uses = |package: &Value| -> BTreeSet<String> {
        let all = package["dependencies"].as_array().into_iter().flatten();
        // A crate of the workspace has a path; an ordinary dependency has no kind.
        all.filter(|d| d["path"].is_string() && d["kind"].is_null()).map(name).collect()
    };
    Ok(packages.iter().map(|package| (name(package), uses(package))).collect())
}

/// The distance of two rows, and of two columns.
const STEP: f64 = 23.0;

/// The crates on a diagonal, each below all that it uses: a dot in its row, in the column that begins with
/// the name of the other, for each of these.
fn picture(uses: &Uses) -> String {
    let mut names: Vec<&String> = uses.keys().collect();
    names.sort_by_key(|name| rank(uses, name));
    let place = |index: usize| STEP * (index as f64 + 1.0);
    let end = place(names.len());
    let mut canvas = Canvas::themed();
    for (row, name) in names.iter().enumerate() {
        let at = place(row);
        canvas.line(&[(STEP, at), (at - 9.0, at)], Pen::of(GRID, 1.0));
        canvas.line(&[(at, at + 9.0), (at, end)], Pen::of(GRID, 1.0));
        canvas.text((at - 5.0, at + 5.0), Font::of(14.0), Anchor::Start, name);
    }
    for (row, name) in names.iter().enumerate() {
        for (column, _) in
            names.iter().enumerate().filter(|(_, other)| uses[*name].contains(**other))
        {
            let at = (place(column), place(row));
            canvas.circle(at, 4.5, Some(SERIES[0]), Pen::of(SERIES[0], 1.6));
        }
    }
    canvas.finish(end + 90.0, end)
}

/// The longest way down from a crate.
fn rank(uses: &Uses, name: &str) -> usize {
    uses[name].iter().map(|other| rank(uses, other) + 1).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::programs::cargo;

    #[test]
    fn each_crate_and_each_of_its_uses_is_drawn() {
        let json = cargo(Path::new(env!("CARGO_MANIFEST_DIR")), &METADATA).unwrap();
        let uses = dependencies(&json).unwrap();
        assert!(uses.len() > 10 && uses["layers"].contains("numerics"), "{uses:?}");
        let svg = picture(&uses);
        assert!(uses.keys().all(|name| svg.contains(&format!(">{name}<"))), "{svg}");
        assert_eq!(svg.matches("<circle").count(), uses.values().map(BTreeSet::len).sum::<usize>());
    }

    #[test]
    fn a_crate_stands_below_what_it_uses() {
        let uses = ["a", "b", "c"].map(str::to_owned);
        let [a, b, c] = uses.clone();
        let svg = picture(&Uses::from([
            (a, BTreeSet::from([b.clone(), c.clone()])),
            (b, BTreeSet::from([c.clone()])),
            (c, BTreeSet::new()),
        ]));
        let places = uses.map(|name| svg.find(&format!(">{name}<")).unwrap());
        assert!(places[2] < places[1] && places[1] < places[0], "{svg}");
    }

    #[test]
    fn tests_and_other_peoples_crates_are_no_edges() {
        let json = r#"{"packages": [{"name": "a", "dependencies": [
            {"name": "b", "kind": null, "path": "/b"}, {"name": "c", "kind": "dev", "path": "/c"},
            {"name": "serde", "kind": null}]}]}"#;
        assert_eq!(dependencies(json).unwrap()["a"], BTreeSet::from(["b".to_owned()]));
        assert!(dependencies("[]").unwrap_err().contains("not understood"));
    }
}
