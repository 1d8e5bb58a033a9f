//! Removes nodes that no output depends on. Inputs stay: they are part of the model's interface.
use crate::graph::{Graph, Kind, NodeId};

pub(super) fn run(graph: &mut Graph) -> usize {
    let mut needed = vec![false; graph.nodes.len()];
    for (_, node) in &graph.outputs {
        needed[*node as usize] = true;
    }
    for id in (0..graph.nodes.len()).rev() {
        if matches!(graph.nodes[id].kind, Kind::Input { .. }) {
            needed[id] = true;
        }
        if needed[id] {
            graph.nodes[id].kind.sources().into_iter().for_each(|source| needed[source as usize] = true);
        }
    }
    let mut place = 0;
    let places: Vec<NodeId> = needed
        .iter()
        .map(|&needed| {
            let this = place;
            place += NodeId::from(needed);
            this
        })
        .collect();
    let before = graph.nodes.len();
    let mut keep = needed.iter();
    graph.nodes.retain(|_| *keep.next().unwrap_or(&true));
    for node in &mut graph.nodes {
        node.kind.map_sources(&|source| places[source as usize]);
    }
    for (_, node) in &mut graph.outputs {
        *node = places[*node as usize];
    }
    before - graph.nodes.len()
}
