//! Affine nodes: what only moves cells is not committed again; sums are committed and proven like any other expression.
use assay_verifier::circuit::Term;

use super::{Builder, Cells, Kind, Source, Value, plus};

impl Builder<'_> {
    pub(super) fn affine(&mut self, id: usize) -> Cells {
        if let Some(values) = self.moved(id) {
            return Cells::Alias(values);
        }
        let node = &self.checked.circuit().nodes[id];
        let expression = &self.checked.expressions(id)[0];
        let kind = Kind::Plain { constant: expression.expr.constant };
        let block = self.block(kind, node.len() as usize, Source::Node(id as u32));
        let terms = expression.expr.terms.len();
        self.demand_expression(id, expression, terms, vec![plus(1, Value::Equation(block))]);
        Cells::Block(block)
    }

    /// For each cell the one that it equals, if every cell equals one other or a constant.
    fn moved(&self, id: usize) -> Option<Vec<Value>> {
        let node = &self.checked.circuit().nodes[id];
        let expression = &self.checked.expressions(id)[0];
        let constant = expression.expr.constant;
        let mut moved = vec![Value::Constant(constant); node.len() as usize];
        for (index, term) in expression.expr.terms.iter().enumerate() {
            let Term::Linear { coefficient, view } = term else { return None };
            for (cell, target) in moved.iter_mut().enumerate() {
                let (row, o) = (cell / node.inner as usize, cell % node.inner as usize);
                for value in self.read(&expression.gathers(index)[0], view, row, o) {
                    *target = match (value, *target) {
                        (Value::Constant(read), Value::Constant(so_far)) => {
                            Value::Constant(so_far + coefficient * read)
                        }
                        (value, Value::Constant(0)) if *coefficient == 1 => value,
                        (Value::Constant(0), so_far) => so_far,
                        _ => return None,
                    };
                }
            }
        }
        Some(moved)
    }
}
