//! A directed graph without cycles, arranged in layers.

use std::collections::{BTreeMap, BTreeSet};

/// The nodes that each node leads to.
pub(super) type Edges = BTreeMap<String, BTreeSet<String>>;

/// A place in a layer: a node, or a bend of a line on its way past the layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Node(String),
    Bend { from: String, to: String },
}

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
pub(super) fn in_layers(edges: &Edges) -> Vec<Vec<Slot>> {
    let mut ranks: BTreeMap<&str, usize> = BTreeMap::new();
    for node in edges.keys() {
        rank(edges, node, &mut ranks);
    }
    let depth = ranks.values().max().map_or(0, |highest| highest + 1);
    for (node, rank) in &mut ranks {
        let used = edges.values().any(|targets| targets.contains(*node));
        if !used && edges.get(*node).is_none_or(BTreeSet::is_empty) {
            *rank = depth - 1;
        }
    }
    let mut layers = vec![Vec::new(); depth];
    for (node, rank) in &ranks {
        layers[*rank].push(Slot::Node((*node).to_owned()));
    }
    for (from, targets) in edges {
        for to in targets {
            for layer in &mut layers[ranks[to.as_str()] + 1..ranks[from.as_str()]] {
                layer.push(Slot::Bend { from: from.clone(), to: to.clone() });
            }
        }
    }
    for _ in 0..12 {
        for step in 1..depth {
            let below = layers[step - 1].clone();
            order(&mut layers[step], &below, |slot, other| joined(edges, slot, other));
        }
        for step in (1..depth).rev() {
            let above = layers[step].clone();
            order(&mut layers[step - 1], &above, |slot, other| joined(edges, other, slot));
        }
    }
    layers
}

/// Orders a layer by the mean place of what its slots are joined to in a layer next to it.
fn order(layer: &mut Vec<Slot>, next: &[Slot], joined: impl Fn(&Slot, &Slot) -> bool) {
    let centre = |place: usize, of: usize| (place as f64 + 0.5) * (1.0 / of.max(1) as f64);
    let count = layer.len();
    let keyed = layer.drain(..).enumerate().map(|(index, slot)| {
        let neighbours = next.iter().enumerate().filter(|(_, other)| joined(&slot, other));
        let places: Vec<f64> = neighbours.map(|(place, _)| centre(place, next.len())).collect();
        let mean = places.iter().sum::<f64>() / places.len().max(1) as f64;
        (if places.is_empty() { centre(index, count) } else { mean }, slot)
    });
    let mut keyed: Vec<(f64, Slot)> = keyed.collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    layer.extend(keyed.into_iter().map(|(_, slot)| slot));
}

/// Whether a part of a line leads from a slot to one in the layer below.
fn joined(edges: &Edges, above: &Slot, below: &Slot) -> bool {
    match (above, below) {
        (Slot::Node(from), Slot::Node(to)) => edges.get(from).is_some_and(|t| t.contains(to)),
        (Slot::Node(node), Slot::Bend { from, .. }) => node == from,
        (Slot::Bend { to, .. }, Slot::Node(node)) => node == to,
        (Slot::Bend { .. }, Slot::Bend { .. }) => above == below,
    }
}

fn rank<'a>(edges: &'a Edges, node: &'a str, ranks: &mut BTreeMap<&'a str, usize>) -> usize {
    if let Some(rank) = ranks.get(node) {
        return *rank;
    }
    let below = edges.get(node).into_iter().flatten();
    let rank = below.map(|next| rank(edges, next, ranks) + 1).max().unwrap_or(0);
    ranks.insert(node, rank);
    rank
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
        let slot = |slot: &Slot| match slot {
            Slot::Node(name) => name.clone(),
            Slot::Bend { from, to } => format!("{from}>{to}"),
        };
        let layer = |layer: &Vec<Slot>| layer.iter().map(slot).collect::<Vec<_>>().join(" ");
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
