//! Rewrites of the float graph, in a fixed order. Each keeps what the graph computes and returns how much it changed.
mod collapse;
mod fold;
mod masks;
mod pattern;
mod prune;
mod recognise;
mod slices;

use super::Graph;

pub(crate) use fold::{places, sum, summed_values, union};

/// A named rewrite.
pub struct Pass {
    /// Its name.
    pub name: &'static str,
    /// Rewrites the graph and returns the number of changes.
    pub run: fn(&mut Graph) -> usize,
}

/// All passes in the order in which they run.
pub const PASSES: &[Pass] = &[
    Pass { name: "recognise normalisations and softmax that are written out", run: recognise::run },
    Pass { name: "make masks of scores summands", run: masks::run },
    // Before sums are merged, so that written-out activation functions are found whole.
    Pass { name: "collapse functions of one tensor into one", run: collapse::run },
    Pass { name: "fold scales and sums into the linear layers before them", run: fold::into_source },
    Pass { name: "compute layers in the parts that are read", run: slices::run },
    Pass { name: "fold scales and shifts into the linear layers after them", run: fold::into_reader },
    Pass { name: "remove what no output needs", run: prune::run },
];

/// Runs all passes and returns how much each changed.
pub fn run(graph: &mut Graph) -> Vec<(&'static str, usize)> {
    PASSES.iter().map(|pass| (pass.name, (pass.run)(graph))).collect()
}
