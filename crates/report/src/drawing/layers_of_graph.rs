//! A directed graph without cycles, arranged in layers.

use std::collections::{BTreeMap, BTreeSet};

/// Who leads to whom.
pub(super) type Edges = BTreeMap<String, BTreeSet<String>>;

/// A place in a layer: a node, or a bend of a line on its way past the layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Node(String),
    Bend { from: String, to: String },
}

/// The graph in layers; every edge leads to a lower layer.
pub(super) struct Layered {
    /// The layers from the lowest to the highest.
    pub(super) layers: Vec<Vec<Slot>>,
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

impl Layered {
    /// Puts every node one layer above the highest that it leads to, those without any edge at the
    /// top, and the nodes of a layer in an order in which few lines cross.
    pub(super) fn of(edges: &Edges) -> Self {
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
        let mut layered = Self { layers };
        for _ in 0..12 {
            layered.sweep(edges, true);
            layered.sweep(edges, false);
        }
        layered
    }

    /// Orders each layer by the mean place of what its slots are joined to in the layer before, from
    /// below or from above.
    fn sweep(&mut self, edges: &Edges, upwards: bool) {
        let count = self.layers.len();
        for step in 1..count {
            let (layer, before) = match upwards {
                true => (step, step - 1),
                false => (count - 1 - step, count - step),
            };
            let neighbours = self.layers[before].clone();
            let share = 1.0 / neighbours.len().max(1) as f64;
            let own = 1.0 / self.layers[layer].len().max(1) as f64;
            let mut keyed: Vec<(f64, Slot)> = self.layers[layer]
                .iter()
                .enumerate()
                .map(|(index, slot)| {
                    let places: Vec<f64> = neighbours
                        .iter()
                        .enumerate()
                        .filter(|(_, other)| match upwards {
                            true => joined(edges, slot, other),
                            false => joined(edges, other, slot),
                        })
                        .map(|(place, _)| (place as f64 + 0.5) * share)
                        .collect();
                    let stays = (index as f64 + 0.5) * own;
                    let mean = places.iter().sum::<f64>() / places.len().max(1) as f64;
                    (if places.is_empty() { stays } else { mean }, slot.clone())
                })
                .collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            self.layers[layer] = keyed.into_iter().map(|(_, slot)| slot).collect();
        }
    }
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

    #[test]
    fn edges_that_follow_from_others_are_left_out() {
        let edges = graph("a:b c d; b:c; c:d; d:; e:");
        assert_eq!(reduced(&edges), graph("a:b; b:c; c:d; d:; e:"));
        assert!(reaches(&edges, "a", "d") && !reaches(&edges, "d", "a"));
    }

    #[test]
    fn every_edge_leads_down_and_bends_on_the_way() {
        let edges = graph("a:b x; b:c; c:; x:");
        let layers = Layered::of(&edges).layers;
        assert_eq!(layers.len(), 3);
        assert_eq!(layers[2], [Slot::Node("a".to_owned())]);
        let bend = Slot::Bend { from: "a".to_owned(), to: "x".to_owned() };
        assert!(layers[1].contains(&bend) && layers[1].len() == 2, "{layers:?}");
        assert_eq!(layers[0].len(), 2);
    }

    #[test]
    fn what_has_no_edge_stands_at_the_top() {
        let layers = Layered::of(&graph("a:b; b:; x:")).layers;
        assert!(layers[1].contains(&Slot::Node("x".to_owned())) && layers[0].len() == 1);
    }

    #[test]
    fn lines_that_need_not_cross_do_not() {
        let edges = graph("p:z; q:y; r:x; x:; y:; z:");
        let layers = Layered::of(&edges).layers;
        let names = |layer: &[Slot]| -> Vec<String> {
            layer
                .iter()
                .map(|slot| match slot {
                    Slot::Node(name) => name.clone(),
                    Slot::Bend { .. } => String::new(),
                })
                .collect()
        };
        let (low, high) = (names(&layers[0]), names(&layers[1]));
        let partner = |name: &str| match name {
            "p" => "z",
            "q" => "y",
            _ => "x",
        };
        assert_eq!(high.iter().map(|name| partner(name)).collect::<Vec<_>>(), low);
    }
}
