//! Sums over cells, which relations are made of.
use super::{Block, Builder, Kind, Product, Run, Value, plus};

impl Builder<'_> {
    /// A run, or the cell itself where there is only one, or zero where all are.
    pub(super) fn run(&mut self, exponent: u32, cells: Vec<Value>) -> Value {
        if cells.iter().all(|cell| *cell == Value::Constant(0)) {
            return Value::Constant(0);
        }
        if let [only] = cells[..] {
            return only;
        }
        self.push_run(Run { exponent, cells, pairs: false })
    }

    /// The run of products of pairs. Nothing if a factor is no cell of the first phase.
    pub(super) fn pairs(&mut self, exponent: u32, pairs: impl IntoIterator<Item = (Value, Value)>) -> Option<Value> {
        let cells: Vec<Value> = pairs.into_iter().flat_map(|(left, right)| [left, right]).collect();
        let committed = |cell: &Value| {
            matches!(cell, Value::Cell { .. } | Value::Flag { .. } | Value::Input(_) | Value::Constant(_))
        };
        cells.iter().all(committed).then(|| self.push_run(Run { exponent, cells, pairs: true }))
    }

    fn push_run(&mut self, run: Run) -> Value {
        self.program.runs.push(run);
        Value::Run(self.program.runs.len() as u32 - 1)
    }

    /// Adds a multiple of `sum_i beta^(n-1-i) y_i` over the cells of a block to products.
    pub(super) fn add_block(&mut self, coefficient: i64, block: u32, products: &mut Vec<Product>) {
        let Block { kind, len, .. } = &self.program.blocks[block as usize];
        let len = *len;
        if let Kind::Number { low, .. } = *kind {
            products.push(plus(coefficient, Value::Equation(block)));
            if low != 0 {
                let ones = self.ones(len, 1);
                products.push(plus(coefficient * low, ones));
            }
        } else {
            let run = self.run_of(block, 1);
            products.push(plus(coefficient, run));
        }
    }

    /// The run of all cells of a block.
    pub(super) fn run_of(&mut self, block: u32, exponent: u32) -> Value {
        let len = self.program.blocks[block as usize].len as u32;
        self.run(exponent, (0..len).map(|index| Value::Cell { block, index }).collect())
    }

    /// `sum_i beta^(exponent i)` for `i = 0..len`.
    pub(super) fn ones(&mut self, len: usize, exponent: u32) -> Value {
        if let Some(&value) = self.ones.get(&(len, exponent)) {
            return value;
        }
        let value = self.run(exponent, vec![Value::Constant(1); len]);
        self.ones.insert((len, exponent), value);
        value
    }
}
