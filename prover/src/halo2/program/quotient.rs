//! Quotients: `numerator = denominator * y + above` and `above + lacking = denominator - 1`, with `y`, `above` and `lacking` in their ranges.
use assay_verifier::circuit::View;

use super::{Builder, Cells, Product, ProgramError, Source, Value, plus};

impl Builder<'_> {
    pub(super) fn quotient(&mut self, id: usize, denominator: &View) -> Result<Cells, ProgramError> {
        let node = &self.checked.circuit().nodes[id];
        let expression = &self.checked.expressions(id)[0];
        let own = node.op.expr().map_or(0, |expr| expr.terms.len());
        let gather = &expression.gathers(own)[0];
        let inner = node.inner as usize;
        let len = node.len() as usize;
        let divisors: Vec<Value> =
            (0..len).map(|cell| self.read(gather, denominator, cell / inner, cell % inner)[0]).collect();
        let [y, above, lacking] = self.bracket(id)?;
        let multiples = self.elementwise(&divisors, y);
        let [above, lacking, one] = [self.run_of(above, 1), self.run_of(lacking, 1), self.ones(len, 1)];
        let divisors = self.run(1, divisors);
        self.demand(vec![plus(1, above), plus(1, lacking), plus(-1, divisors), plus(1, one)]);
        let sum = vec![plus(1, multiples), plus(1, above), plus(-expression.expr.constant, one)];
        self.demand_expression(id, expression, own, sum);
        Ok(Cells::Block(y))
    }

    /// The blocks of a bracket: result, what is above, what is lacking.
    pub(super) fn bracket(&mut self, id: usize) -> Result<[u32; 3], ProgramError> {
        let len = self.checked.circuit().nodes[id].len() as usize;
        let bracket = self.checked.bracket(id).expect("quotients and roots have a bracket");
        let at = id as u32;
        Ok([
            self.number(id, bracket.low, bracket.bits, len, Source::Node(at))?,
            self.number(id, 0, bracket.check_bits, len, Source::Above(at))?,
            self.number(id, 0, bracket.check_bits, len, Source::Lacking(at))?,
        ])
    }

    /// `sum_i beta^(n-1-i) values[i] * block[i]`.
    pub(super) fn elementwise(&mut self, values: &[Value], block: u32) -> Value {
        let product = |(index, &left): (usize, &Value)| Product {
            coefficient: 1,
            left,
            right: Value::Cell { block, index: index as u32 },
            step: 1,
        };
        let products = values.iter().enumerate().map(product).collect();
        self.chain(products)
    }
}
