//! Rescaled nodes: a block with limbs, and one equation.
use super::{Builder, Cells, Kind, ProgramError, Rescale, Source, Value, plus};

/// Logarithm of the largest table for the last limb and the excess above it.
const TOP_BITS_MAX: u8 = 16;

impl Rescale {
    /// Width of the result that is in limbs without excess.
    pub fn low_bits(&self, limb_bits: u8) -> u8 {
        self.bits.min(if self.wide { 3 * limb_bits } else { limb_bits })
    }

    /// Width of the last limb with the excess above it.
    pub fn top_bits(&self, limb_bits: u8) -> u8 {
        self.bits - self.low_bits(limb_bits) + self.excess_bits
    }
}

impl Builder<'_> {
    pub(super) fn rescale(&mut self, id: usize, shift: u8, low: i64, bits: u8) -> Result<Cells, ProgramError> {
        let node = &self.checked.circuit().nodes[id];
        let expression = &self.checked.expressions(id)[0];
        let excess_bits = self.checked.saturation(id).expect("rescaled nodes have a saturation table").bits;
        let limb = self.limb_bits;
        let constant = expression.expr.constant;
        let (len, at) = (node.len() as usize, id as u32);
        let narrow = Rescale { shift, low, bits, excess_bits, constant, wide: false };
        let fits = shift <= 2 * limb && narrow.top_bits(limb) <= TOP_BITS_MAX;
        let rescale = Rescale { wide: !fits, ..narrow };
        if rescale.top_bits(limb) > TOP_BITS_MAX {
            return Err(ProgramError::Limbs { node: id, limb_bits: limb });
        }
        let wide = rescale.wide;
        let block = self.block(Kind::Rescale(rescale), len, Source::Node(at));
        let mut sum = vec![plus(1, Value::Equation(block))];
        if wide && shift > 0 {
            self.check_limbs(id, shift)?;
            let kind = Kind::Number { low: 0, bits: shift, equation: true };
            let remainder = self.block(kind, len, Source::Remainder(at));
            sum.push(plus(1, Value::Equation(remainder)));
        }
        let terms = expression.expr.terms.len();
        self.demand_expression(id, expression, terms, sum);
        Ok(Cells::Block(block))
    }
}
