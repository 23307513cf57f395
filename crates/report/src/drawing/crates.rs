//! The crates of the workspace and how they depend on each other, as Cargo tells.

use std::collections::{BTreeMap, BTreeSet};

use experiment::canvas::{Anchor, Canvas, Font, Pen, Point};
use experiment::palette::{SERIES, TEXT};
use serde_json::Value;

use super::layers_of_graph::{Edges, Slot, in_layers, reduced};
use crate::expand::Inputs;

/// Cargo's arguments.
const METADATA: [&str; 4] = ["metadata", "--no-deps", "--format-version", "1"];

pub(super) fn draw(inputs: &Inputs) -> Result<String, String> {
    let json = (inputs.cargo)(&METADATA).map_err(|error| format!("{error:#}"))?;
    let (svg, _) = picture(&dependencies(&json)?);
    Ok(svg)
}

/// Which crate uses which, tests aside.
fn dependencies(json: &str) -> Result<Edges, String> {
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

const BOX: Point = (102.0, 30.0);
const ROW: f64 = 78.0;
const GAP: f64 = 16.0;
/// The width that a line takes on its way past a layer.
const BEND: f64 = 14.0;

/// The drawing, and the edges that are drawn.
fn picture(edges: &Edges) -> (String, Edges) {
    let edges = reduced(edges);
    let layers = in_layers(&edges);
    let slot_width = |(from, to): &Slot<'_>| if from == to { BOX.0 } else { BEND };
    let widths: Vec<f64> = layers
        .iter()
        .map(|layer| layer.iter().map(|slot| slot_width(slot) + GAP).sum::<f64>() - GAP)
        .collect();
    let width = widths.iter().fold(0.0_f64, |width, other| width.max(*other)) + 2.0 * GAP;
    let height = ROW * layers.len() as f64;
    // The middles of each slot, from the top.
    let mut places: BTreeMap<Slot<'_>, Vec<Point>> = BTreeMap::new();
    for (number, layer) in layers.iter().enumerate().rev() {
        let y = height - ROW * (number as f64 + 0.5);
        let mut x = 0.5 * (width - widths[number]);
        for slot in layer {
            places.entry(*slot).or_default().push((x + 0.5 * slot_width(slot), y));
            x += slot_width(slot) + GAP;
        }
    }
    let node = |name| places[&(name, name)][0];
    let mut canvas = Canvas::themed();
    for (from, targets) in &edges {
        for to in targets {
            let (start, end) = (node(from.as_str()), node(to.as_str()));
            let mut points = vec![(start.0, start.1 + 0.5 * BOX.1)];
            for (x, y) in places.get(&(from.as_str(), to.as_str())).into_iter().flatten() {
                points.extend([(*x, y - 0.5 * BOX.1), (*x, y + 0.5 * BOX.1)]);
            }
            points.push((end.0, end.1 - 0.5 * BOX.1 - 1.0));
            canvas.curve(&points, Pen::of(TEXT, 1.1).arrow());
        }
    }
    for name in edges.keys() {
        let (x, y) = node(name.as_str());
        canvas.rect(
            (x - 0.5 * BOX.0, y - 0.5 * BOX.1),
            BOX,
            Some(SERIES[0]),
            Pen::of(SERIES[0], 1.3),
        );
        canvas.text((x, y + 5.0), Font::of(14.0), Anchor::Middle, name);
    }
    (canvas.finish(width, height), edges)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::layers_of_graph::reaches;
    use super::*;
    use crate::programs::cargo;

    #[test]
    fn each_edge_of_cargos_metadata_is_drawn_or_follows_from_drawn_ones() {
        let json = cargo(Path::new(env!("CARGO_MANIFEST_DIR")), &METADATA).unwrap();
        let edges = dependencies(&json).unwrap();
        assert!(edges.len() > 10 && edges["layers"].contains("numerics"), "{edges:?}");
        let (svg, drawn) = picture(&edges);
        for (from, targets) in &edges {
            assert!(svg.contains(&format!(">{from}<")), "{from}");
            assert!(targets.iter().all(|to| reaches(&drawn, from, to)), "{from}: one is missing");
            assert!(drawn[from].is_subset(targets), "{from}: one is made up");
        }
        let arrows: usize = drawn.values().map(BTreeSet::len).sum();
        assert_eq!(svg.matches("marker-end").count(), arrows);
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
