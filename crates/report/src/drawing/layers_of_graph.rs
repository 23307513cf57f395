//! A directed graph without cycles, arranged in layers.

use std::collections::{BTreeMap, BTreeSet};

/// The nodes that each node leads to.
pub(super) type Edges = BTreeMap<String, BTreeSet<String>>;

/// A place in a layer: a node, twice, or a bend of a line from one to another on its way past the layer.
pub(super) type Slot<'a> = (&'a str, &'a str);

/// The edges that do not follow from others: `a → c` is left out where `a → b → c`.
pub(super) fn reduced(edges: &Edges) -> Edges {
    let implied = |from: &str, to: &str| {
        let others = edges.get(from).into_iter().flatten().filter(|other| *other != to);
        others.into_iter().any(|other| reaches(edges, other, to))
    };
    let kept = |from: &String, targets: &BTreeSet<String>| {
        targets.iter().filter(|to| !implied(from, to)).cloned().collect()
    };
    edges.iter().map(|(from, targets)| (from.clone(), kept(from, targets))).collect()
}

/// Whether a way leads from one node to another, or they are the same.
pub(super) fn reaches(edges: &Edges, from: &str, to: &str) -> bool {
    from == to || edges.get(from).into_iter().flatten().any(|next| reaches(edges, next, to))
}

/// The graph in layers, the lowest first: every node one layer above the highest that it leads to, those
/// without any edge at the top, and the nodes of a layer in an order in which few lines cross.
pub(super) fn in_layers(edges: &Edges) -> Vec<Vec<Slot<'_>>> {
    let depth = edges.keys().map(|node| rank(edges, node) + 1).max().unwrap_or(0);
    let is_alone = |node: &String| {
        edges[node].is_empty() && !edges.values().any(|targets| targets.contains(node))
    };
    let mut layers = vec![Vec::new(); depth];
    for node in edges.keys() {
        let rank = if is_alone(node) { depth - 1 } else { rank(edges, node) };
        layers[rank].push((node.as_str(), node.as_str()));
    }
    for (from, targets) in edges {
        for to in targets {
            for layer in &mut layers[rank(edges, to) + 1..rank(edges, from)] {
                layer.push((from.as_str(), to.as_str()));
            }
        }
    }
    // Whether a part of a line leads from a slot to one in the layer below.
    let joined = |(from, to): Slot<'_>, (below_from, below_to): Slot<'_>| {
        edges[from].contains(below_to)
            && (from == to || to == below_to)
            && (below_from == below_to || below_from == from)
    };
    for _ in 0..12 {
        for step in 1..depth {
            let below = layers[step - 1].clone();
            order(&mut layers[step], &below, |slot, other| joined(slot, other));
        }
        for step in (1..depth).rev() {
            let above = layers[step].clone();
            order(&mut layers[step - 1], &above, |slot, other| joined(other, slot));
        }
    }
    layers
}

/// The longest way down from a node.
fn rank(edges: &Edges, node: &str) -> usize {
    edges[node].iter().map(|next| rank(edges, next) + 1).max().unwrap_or(0)
}

/// Orders a layer by the mean place of what its slots are joined to in a layer next to it.
fn order(layer: &mut [Slot<'_>], next: &[Slot<'_>], joined: impl Fn(Slot<'_>, Slot<'_>) -> bool) {
    let centre = |place: usize, of: usize| (place as f64 + 0.5) * (1.0 / of as f64);
    let place = |(index, slot): (usize, &Slot<'_>)| {
        let neighbours = next.iter().enumerate().filter(|(_, other)| joined(*slot, **other));
        let places: Vec<f64> = neighbours.map(|(place, _)| centre(place, next.len())).collect();
        match places.len() {
            0 => centre(index, layer.len()),
            count => places.iter().sum::<f64>() / count as f64,
        }
    };
    let places: Vec<f64> = layer.iter().enumerate().map(place).collect();
    let mut placed: Vec<(f64, Slot<'_>)> = places.into_iter().zip(layer.iter().copied()).collect();
    placed.sort_by(|a, b| a.0.total_cmp(&b.0));
    layer.iter_mut().zip(placed).for_each(|(slot, (_, placed))| *slot = placed);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(text: &str) -> Edges {
        let mut edges = Edges::new();
        for line in text.split("; ") {
            let (from, targets) = line.split_once(':').unwrap();
            let targets = targets.split_whitespace().map(str::to_owned).collect();
            edges.insert(from.to_owned(), targets);
        }
        edges
    }

    /// The layers from the highest to the lowest, with bends as `from>to`.
    fn shown(edges: &Edges) -> String {
        let slot = |&(from, to): &Slot<'_>| match from == to {
            true => from.to_owned(),
            false => format!("{from}>{to}"),
        };
        let layer = |layer: &Vec<Slot<'_>>| layer.iter().map(slot).collect::<Vec<_>>().join(" ");
        in_layers(edges).iter().rev().map(layer).collect::<Vec<_>>().join(" / ")
    }

    #[test]
    fn edges_that_follow_from_others_are_left_out() {
        let edges = graph("a:b c d; b:c; c:d; d:; e:");
        assert_eq!(reduced(&edges), graph("a:b; b:c; c:d; d:; e:"));
        assert!(reaches(&edges, "a", "d") && !reaches(&edges, "d", "a"));
    }

    #[test]
    fn edges_lead_down_bend_on_the_way_and_do_not_cross_where_they_need_not() {
        for (edges, expected) in [
            ("a:b x; b:c; c:; x:", "a / b a>x / c x"),
            // What has no edge stands at the top.
            ("a:b; b:; x:", "a x / b"),
            ("p:z; q:y; r:x; x:; y:; z:", "r q p / x y z"),
        ] {
            assert_eq!(shown(&graph(edges)), expected);
        }
    }
}
