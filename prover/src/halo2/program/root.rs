//! Roots: `radicand = y^2 + above` and `above + lacking = 2 y`, with `y`, `above` and `lacking` in their ranges.
use super::{Builder, Cells, ProgramError, Value, plus};

impl Builder<'_> {
    pub(super) fn root(&mut self, id: usize) -> Result<Cells, ProgramError> {
        let node = &self.checked.circuit().nodes[id];
        let expression = &self.checked.expressions(id)[0];
        let own = node.op.expr().map_or(0, |expr| expr.terms.len());
        let len = node.len() as usize;
        let [y, above, lacking] = self.bracket(id)?;
        let roots: Vec<Value> = (0..len as u32).map(|index| Value::Cell { block: y, index }).collect();
        let squares = self.elementwise(&roots, y);
        let [roots, above, lacking] = [y, above, lacking].map(|block| self.run_of(block, 1));
        self.demand(vec![plus(1, above), plus(1, lacking), plus(-2, roots)]);
        let one = self.ones(len, 1);
        let sum = vec![plus(1, squares), plus(1, above), plus(-expression.expr.constant, one)];
        self.demand_expression(id, expression, own, sum);
        Ok(Cells::Block(y))
    }
}
