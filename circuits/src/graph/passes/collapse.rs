//! Finds regions that compute one function of one tensor cell by cell (`x * sigmoid(x)`, a Gelu written out) and
//! replaces each by a single function, which becomes a single table.
use std::collections::BTreeSet;

use crate::graph::{Bias, Combine, Function, Graph, Kind, NodeId, Term, is_identity};

/// Ways to see a node as a function of another that are kept; nearest first.
const WAYS_MAX: usize = 12;
/// Largest tree that is kept.
const TREE_MAX: usize = 64;

/// A node as a function of another.
type Way = (NodeId, Function);

pub(super) fn run(graph: &mut Graph) -> usize {
    let mut ways: Vec<Vec<Way>> = Vec::with_capacity(graph.nodes.len());
    for id in 0..graph.nodes.len() {
        let mut all = vec![(id as NodeId, Function::Argument)];
        all.extend(derived(graph, id, &ways));
        all.truncate(WAYS_MAX);
        ways.push(all);
    }
    let readers = graph.readers();
    let mut gone = BTreeSet::new();
    let mut changes = 0;
    for id in (0..graph.nodes.len() as NodeId).rev() {
        if gone.contains(&id) {
            continue;
        }
        let best = ways[id as usize].iter().skip(1).rev().find_map(|(root, function)| {
            let region = region(graph, id, *root);
            let closed = region
                .iter()
                .filter(|&&node| node != id)
                .all(|node| readers[*node as usize].iter().all(|reader| region.contains(reader)));
            let whole = region.len() > 1 && closed && function.needs_table() && !adds_argument(function);
            whole.then(|| (*root, function.clone(), region))
        });
        if let Some((source, function, region)) = best {
            graph.nodes[id as usize].kind = Kind::Function { source, function };
            gone.extend(region.into_iter().filter(|&node| node != id));
            changes += 1;
        }
    }
    changes
}

/// Whether it is `x + f(x)`, which stays a sum: a table would give `x` itself the table's coarse steps.
fn adds_argument(function: &Function) -> bool {
    let scaled = |part: &Function| match part {
        Function::Product(factors) => {
            let argument = |factor: &&Function| **factor == Function::Argument;
            let constant = |factor: &&Function| matches!(factor, Function::Constant(_));
            factors.iter().filter(argument).count() == 1
                && factors.iter().all(|factor| argument(&factor) || constant(&factor))
        }
        part => *part == Function::Argument,
    };
    matches!(function, Function::Sum(parts) if parts.len() > 1 && parts.iter().any(scaled))
}

/// Nodes between a node and a root that it is a function of: itself included, the root not.
fn region(graph: &Graph, id: NodeId, root: NodeId) -> BTreeSet<NodeId> {
    let mut region = BTreeSet::new();
    let mut open = vec![id];
    while let Some(node) = open.pop() {
        if node != root && region.insert(node) {
            open.extend(graph.node(node).kind.sources());
        }
    }
    region
}

/// The ways in which a node is a function of earlier ones.
fn derived(graph: &Graph, id: usize, ways: &[Vec<Way>]) -> Vec<Way> {
    match &graph.nodes[id].kind {
        // A jump is computed exactly where it stands; rounding its argument to a table's steps would move it.
        Kind::Function { function, .. } if function.jumps() => Vec::new(),
        Kind::Function { source, function } => ways[*source as usize]
            .iter()
            .map(|(root, inner)| (*root, function.after(inner)))
            .filter(|(_, function)| function.size() <= TREE_MAX)
            .collect(),
        Kind::Combine(combine) => combined(combine, ways),
        _ => Vec::new(),
    }
}

/// The ways for a sum: roots that all its sources are functions of.
fn combined(combine: &Combine, ways: &[Vec<Way>]) -> Vec<Way> {
    let views: Vec<_> = combine.terms.iter().flat_map(Term::views).collect();
    if !views.iter().all(|view| is_identity(view)) {
        return Vec::new();
    }
    let constant = match &combine.bias {
        None => 0.0,
        Some(Bias { values, .. }) => match values[..] {
            [value] => value,
            _ => return Vec::new(),
        },
    };
    let roots = views.first().map_or(&[][..], |view| &ways[view.source as usize]);
    let trees = roots.iter().filter_map(|(root, _)| Some((*root, tree(combine, constant, *root, ways)?)));
    trees.filter(|(_, function)| function.size() <= TREE_MAX).collect()
}

/// The sum as a function of the root.
fn tree(combine: &Combine, constant: f64, root: NodeId, ways: &[Vec<Way>]) -> Option<Function> {
    let of = |source: NodeId| {
        ways[source as usize].iter().find(|(other, _)| *other == root).map(|(_, function)| function.clone())
    };
    let mut parts = Vec::new();
    for term in &combine.terms {
        let (factor, mut factors) = match term {
            Term::Plain { factor, view } => (*factor, vec![of(view.source)?]),
            Term::Product { factor, left, right } => (*factor, vec![of(left.source)?, of(right.source)?]),
            Term::Weighted { .. } | Term::Selected { .. } => return None,
        };
        if factor != 1.0 {
            factors.push(Function::Constant(factor));
        }
        parts.push(Function::Product(factors));
    }
    if constant != 0.0 {
        parts.push(Function::Constant(constant));
    }
    Some(Function::Sum(parts))
}
