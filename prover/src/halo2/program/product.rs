//! Products of two tensors, by Freivalds over the indices that only one of them depends on.
//!
//! For each index that both share (and each summed one), each factor is one value: its cell, or where the factor takes the weights the sum of
//! its cells over the indices that the other does not depend on. What is left of the weights is a multiplier between shared indices.
use assay_verifier::circuit::{Gather, Node, Pairing, Sharing, Side, View};

use super::{Builder, Product, Value, plus};

impl Builder<'_> {
    pub(super) fn product(
        &mut self,
        node: &Node,
        factors: [(&Gather, &View); 2],
        pairing: &Pairing,
        coefficient: i64,
        products: &mut Vec<Product>,
    ) {
        let (rows, inner) = (groups(&pairing.rows, node.rows), groups(&pairing.inner, node.inner));
        // By the last cell of the result that each shared index takes part in, first to last.
        let mut shared: Vec<(u64, usize, usize)> = Vec::new();
        for (i, row_group) in rows.iter().enumerate() {
            for (j, inner_group) in inner.iter().enumerate() {
                let (Some(&p), Some(&o)) = (row_group.last(), inner_group.last()) else { continue };
                shared.push((u64::from(p) * u64::from(node.inner) + u64::from(o), i, j));
            }
        }
        shared.sort_unstable();
        let end = node.len() - 1;
        let mut groups: Vec<(u32, Vec<(Value, Value)>)> = Vec::new();
        let mut position = 0;
        for (last, i, j) in shared {
            let [left, right] = [Side::Left, Side::Right].map(|side| {
                let (gather, view) = factors[usize::from(side == Side::Right)];
                let p = if pairing.rows.weighted == side { &rows[i][..] } else { &rows[i][..1] };
                let o = if pairing.inner.weighted == side { &inner[j][..] } else { &inner[j][..1] };
                self.factor(gather, view, node.inner, p, o)
            });
            groups.push(((last - position) as u32, left.into_iter().zip(right).collect()));
            position = last;
        }
        let mut chain = self.chained(groups);
        if position < end && !chain.is_empty() {
            let nothing = Value::Constant(0);
            chain.push(Product { coefficient: 0, left: nothing, right: nothing, step: (end - position) as u32 });
        }
        let sum = self.chain(chain);
        products.push(plus(coefficient, sum));
    }

    /// The products of each group, with what the sum before it is multiplied by: as pairs that are read, where all factors are cells.
    fn chained(&mut self, groups: Vec<(u32, Vec<(Value, Value)>)>) -> Vec<Product> {
        let one = Value::Constant(1);
        let single = groups.iter().all(|(_, pairs)| pairs.len() == 1);
        let step = groups.get(1).map_or(1, |(step, _)| *step);
        if single && groups.len() > 1 && groups.iter().skip(1).all(|(other, _)| *other == step) {
            let pairs = groups.iter().flat_map(|(_, pairs)| pairs.iter().copied());
            if let Some(run) = self.pairs(step, pairs) {
                return vec![Product { coefficient: 1, left: run, right: one, step: 0 }];
            }
        }
        let mut chain = Vec::new();
        for (step, pairs) in groups {
            let read = if pairs.len() > 1 { self.pairs(0, pairs.iter().copied()) } else { None };
            let products = match read {
                Some(run) => vec![(run, one)],
                None => pairs,
            };
            for (s, (left, right)) in products.into_iter().enumerate() {
                let step = if s == 0 && !chain.is_empty() { step } else { 0 };
                chain.push(Product { coefficient: 1, left, right, step });
            }
        }
        chain
    }

    /// A factor's values for all summed cells: weighted sums over rows and inner indices, the last of which have weight one.
    fn factor(&mut self, gather: &Gather, view: &View, inner: u32, rows: &[u32], inners: &[u32]) -> Vec<Value> {
        let (Some(&last_row), Some(&last_inner)) = (rows.last(), inners.last()) else { return Vec::new() };
        let mut exponents: Vec<u32> = Vec::new();
        let mut reads: Vec<Vec<Value>> = Vec::new();
        for &p in rows {
            for &o in inners {
                exponents.push((last_row - p) * inner + (last_inner - o));
                reads.push(self.read(gather, view, p as usize, o as usize));
            }
        }
        let stride = exponents.iter().fold(0, |all, &exponent| gcd(all, exponent)).max(1);
        let length = exponents.iter().max().map_or(0, |&exponent| exponent / stride) as usize + 1;
        let summed = reads.first().map_or(0, Vec::len);
        (0..summed)
            .map(|s| {
                let mut cells = vec![Value::Constant(0); length];
                for (exponent, read) in exponents.iter().zip(&reads) {
                    cells[length - 1 - (exponent / stride) as usize] = read[s];
                }
                self.run(stride, cells)
            })
            .collect()
    }
}

/// For each shared index the indices of the result that have it.
fn groups(sharing: &Sharing, length: u32) -> Vec<Vec<u32>> {
    let mut groups = vec![Vec::new(); sharing.len()];
    for index in 0..length {
        groups[sharing.shared(index as usize)].push(index);
    }
    groups
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
