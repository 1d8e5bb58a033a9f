//! Sums of cells.
use assay_verifier::circuit::{Gather, Node, View};

use super::{Builder, Product, Value, plus};

impl Builder<'_> {
    pub(super) fn linear(
        &mut self,
        node: &Node,
        gather: &Gather,
        view: &View,
        coefficient: i64,
        products: &mut Vec<Product>,
    ) {
        let inner = node.inner as usize;
        let cells: Vec<Vec<Value>> =
            (0..node.len() as usize).map(|cell| self.read(gather, view, cell / inner, cell % inner)).collect();
        self.add_sums(coefficient, cells, products);
    }

    /// Adds a multiple of `sum_i beta^(n-1-i) sum_s cells[i][s]` to products.
    pub(super) fn add_sums(&mut self, coefficient: i64, cells: Vec<Vec<Value>>, products: &mut Vec<Product>) {
        let summed = cells.first().map_or(0, Vec::len);
        if summed > cells.len() {
            // Few results of many cells each: sum each result's cells, then weight the results.
            let sums: Vec<Value> = cells.into_iter().map(|read| self.run(0, read)).collect();
            let product = |left| Product { coefficient: 1, left, right: Value::Constant(1), step: 1 };
            let sum = self.chain(sums.into_iter().map(product).collect());
            products.push(plus(coefficient, sum));
            return;
        }
        for s in 0..summed {
            let run = self.run(1, cells.iter().map(|read| read[s]).collect());
            if run != Value::Constant(0) {
                products.push(plus(coefficient, run));
            }
        }
    }
}
