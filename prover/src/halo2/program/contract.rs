//! Products with weights, by Freivalds: `sum_s (sum_p M^(P-1-p) x[p, s]) (sum_o beta^(O-1-o) W[o, s])` with `M = beta^O`.
//!
//! Each cell that is read and each weight is touched once, however many products they have. Where what is read depends on the output too
//! (depthwise convolutions), outputs are taken one by one.
use assay_verifier::circuit::{Gather, Node, View, WeightId};

use super::{Builder, Product, Take, Value, plus};

impl Builder<'_> {
    pub(super) fn contract(
        &mut self,
        node: &Node,
        gather: &Gather,
        view: &View,
        weight: WeightId,
        coefficient: i64,
        products: &mut Vec<Product>,
    ) {
        let outputs = node.inner;
        if !gather.uses_inner() {
            for (s, left) in self.summed(node, gather, view, 0).into_iter().enumerate() {
                if left != Value::Constant(0) {
                    let right = self.vector(weight, Take::Outputs(s as u32));
                    products.push(Product { coefficient, left, right, step: 0 });
                }
            }
            return;
        }
        let mut chain = Vec::new();
        for o in 0..outputs {
            let sums = self.summed(node, gather, view, o as usize);
            let summed = sums.len() as u32;
            for (left, s) in sums.into_iter().zip(0u32..) {
                let right = self.vector(weight, Take::One(o * summed + s));
                chain.push(Product { coefficient: 1, left, right, step: u32::from(s == 0) });
            }
        }
        let sum = self.chain(chain);
        products.push(plus(coefficient, sum));
    }

    /// For each summed cell its weighted sum over the rows.
    fn summed(&mut self, node: &Node, gather: &Gather, view: &View, o: usize) -> Vec<Value> {
        let rows: Vec<Vec<Value>> = (0..node.rows as usize).map(|row| self.read(gather, view, row, o)).collect();
        let summed = rows.first().map_or(0, Vec::len);
        (0..summed).map(|s| self.run(node.inner, rows.iter().map(|read| read[s]).collect())).collect()
    }
}
