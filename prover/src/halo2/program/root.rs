//! Roots: `radicand = y^2 + above` and `above + lacking = 2 y`, with `y`, `above` and `lacking` in their ranges.
use super::{Builder, Cells, ProgramError, Value, plus};

impl Builder<'_> {
    pub(super) fn root(&mut self, id: usize) -> Result<Cells, ProgramError> {
        let node = &self.checked.circuit().nodes[id];
        let expression = &self.checked.expressions(id)[0];
        let own = node.op.expr().map_or(0, |expr| expr.terms.len());
        let len = node.len() as usize;
        let [y, above, lacking] = self.bracket(id)?;
        let roots = (0..len as u32).map(|index| Value::Cell { block: y, index });
        let squares = self.pairs(1, roots.map(|root| (root, root))).expect("roots are committed");
        let mut sum = Vec::new();
        self.add_block(1, above, &mut sum);
        self.add_block(1, lacking, &mut sum);
        self.add_block(-2, y, &mut sum);
        self.demand(sum);
        let one = self.ones(len, 1);
        let mut sum = vec![plus(1, squares), plus(-expression.expr.constant, one)];
        self.add_block(1, above, &mut sum);
        self.demand_expression(id, expression, own, sum);
        Ok(Cells::Block(y))
    }
}
