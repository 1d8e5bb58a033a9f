//! Which tensors hold whole numbers: inputs of integer types and truth values, and what is computed from them without
//! leaving the whole numbers. They keep scale 0 and exact values.
use crate::graph::{Combine, Graph, Kind, Term, is_whole};

/// For each node whether all its values are whole, whatever the inputs are.
pub fn whole(graph: &Graph) -> Vec<bool> {
    let mut all: Vec<bool> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let sources = node.kind.sources().iter().all(|&source| all[source as usize]);
        all.push(match &node.kind {
            Kind::Input { element, .. } => element.is_whole(),
            Kind::Constant(values) => values.iter().copied().all(is_whole),
            Kind::Combine(combine) => sources && is_whole_sum(combine),
            Kind::Function { function, .. } => {
                function.primitive().is_some_and(|primitive| primitive.is_whole()) || sources && function.keeps_whole()
            }
            Kind::Divide { .. } | Kind::Softmax { .. } | Kind::Normalize { .. } => false,
            Kind::Max(_) | Kind::Reshape(_) | Kind::Transpose { .. } => sources,
        });
    }
    all
}

/// Whether a sum of whole numbers is whole.
fn is_whole_sum(combine: &Combine) -> bool {
    let term = |term: &Term| match term {
        Term::Plain { factor, .. } | Term::Product { factor, .. } => is_whole(*factor),
        Term::Weighted { weights, .. } => weights.iter().copied().all(is_whole),
        // Tables of rows have a scale of their own.
        Term::Selected { .. } => false,
    };
    combine.terms.iter().all(term) && combine.bias.iter().flat_map(|bias| &bias.values).copied().all(is_whole)
}
