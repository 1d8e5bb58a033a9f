//! Rows of weights: `sum_p M^(P-1-p) (sum_o beta^(O-1-o) W[i_p, o])` with `M = beta^O`.
//!
//! Indices of the description name vectors. Where an input selects, the selected rows are committed, and each row's sum with its index is a
//! member of the weight's rows.
use assay_verifier::circuit::{Indices, Node, WeightId};

use super::{Builder, Kind, Product, Source, Take, Value, plus};

impl Builder<'_> {
    pub(super) fn select(
        &mut self,
        node: &Node,
        weight: WeightId,
        indices: &Indices,
        coefficient: i64,
        products: &mut Vec<Product>,
    ) {
        let sums: Vec<Value> = match indices {
            Indices::Constant(indices) => indices.iter().map(|&index| self.vector(weight, Take::Row(index))).collect(),
            Indices::Input(input) => self.selected(node, weight, *input),
        };
        let product = |left| Product { coefficient: 1, left, right: Value::Constant(1), step: node.inner };
        let sum = self.chain(sums.into_iter().map(product).collect());
        products.push(plus(coefficient, sum));
    }

    fn selected(&mut self, node: &Node, weight: WeightId, input: u32) -> Vec<Value> {
        let block = self.block(Kind::Free, node.len() as usize, Source::Selected { weight, input });
        let outputs = self.checked.circuit().weights[weight as usize].outputs;
        for output in 0..outputs {
            self.vector(weight, Take::Row(output));
        }
        (0..node.rows)
            .map(|row| {
                let cells = (0..node.inner).map(|o| Value::Cell { block, index: row * node.inner + o }).collect();
                let sum = self.run(1, cells);
                let index = self.cell(input, row as usize);
                self.program.members.entry(weight).or_default().selected.push((index, sum));
                sum
            })
            .collect()
    }
}
