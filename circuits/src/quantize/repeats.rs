//! One scale for what an unrolled loop repeats.
//!
//! A recurrent layer applies the same weights and functions at every step, on values whose ranges differ a little from step
//! to step. Each step with scales of its own would have weights and tables of its own; with the ranges of all steps put
//! together they share them, which is most of what such a circuit holds.
use std::collections::BTreeMap;

use super::{Interval, Ranges};
use crate::graph::{Graph, Kind, Node, Term};

/// Gives nodes that do the same, for the same node of the model, the ranges of all of them together.
pub fn share(graph: &Graph, ranges: &mut Ranges) {
    let mut groups: BTreeMap<(&str, &[u32], String), Vec<usize>> = BTreeMap::new();
    for (id, node) in graph.nodes.iter().enumerate() {
        if let Some(doing) = doing(node) {
            groups.entry((&node.name, &node.dims, doing)).or_default().push(id);
        }
    }
    for members in groups.into_values().filter(|members| members.len() > 1) {
        for ranges in [&mut ranges.values, &mut ranges.within] {
            let all = members.iter().fold(Interval::EMPTY, |all, &id| all.with(ranges[id].low).with(ranges[id].high));
            members.iter().for_each(|&id| ranges[id] = all);
        }
    }
}

/// What a node does, whatever it reads; nothing for kinds that have no scale of their own.
fn doing(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Function { function, .. } => Some(format!("{function:?}")),
        Kind::Combine(combine) => {
            let bias = combine.bias.as_ref().map(|bias| (&bias.over, fingerprint(&bias.values)));
            Some(format!("{:?} {bias:?}", combine.terms.iter().map(term).collect::<Vec<_>>()))
        }
        _ => None,
    }
}

fn term(term: &Term) -> String {
    match term {
        Term::Plain { factor, .. } => format!("plain {factor:?}"),
        Term::Weighted { over, weights, .. } => format!("weighted {over:?} {:x}", fingerprint(weights)),
        Term::Selected { over, table, .. } => format!("selected {over:?} {:x}", fingerprint(table)),
        Term::Product { factor, .. } => format!("product {factor:?}"),
    }
}

/// Tells lists of numbers apart (FNV-1a). Should two be taken for one, they share a range that is wider than it need be.
fn fingerprint(values: &[f64]) -> u64 {
    let step = |hash: u64, bits: u64| (hash ^ bits).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
    values.iter().fold(0xcbf2_9ce4_8422_2325, |hash, value| step(hash, value.to_bits()))
}
