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
        let one = self.ones(len, 1);
        // Cells in a row with the same divisor have one product.
        let (mut multiples, mut divisors_sum) = (Vec::new(), Vec::new());
        let mut start = 0;
        for group in divisors.chunk_by(|a, b| a == b) {
            let quotients = (start..).take(group.len()).map(|index| Value::Cell { block: y, index });
            let (left, step) = (group[0], group.len() as u32);
            let [quotients, ones] = [self.run(1, quotients.collect()), self.ones(group.len(), 1)];
            multiples.push(Product { coefficient: 1, left, right: quotients, step });
            divisors_sum.push(Product { coefficient: 1, left, right: ones, step });
            start += step;
        }
        let [multiples, divisors] = [multiples, divisors_sum].map(|products| self.chain(products));
        let mut sum = vec![plus(-1, divisors), plus(1, one)];
        self.add_block(1, above, &mut sum);
        self.add_block(1, lacking, &mut sum);
        self.demand(sum);
        let mut sum = vec![plus(1, multiples), plus(-expression.expr.constant, one)];
        self.add_block(1, above, &mut sum);
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
}
