//! Rescaled nodes: a block with limbs, and one equation.
use assay_verifier::halo2::shape::{TOP_BITS_MAX, is_wide};

use super::{Block, Builder, Cells, Kind, ProgramError, Rescale, Source, Value, plus};

impl Rescale {
    /// Width of the result that is in limbs without excess.
    pub fn low_bits(&self, limb_bits: u8) -> u8 {
        self.bits.min(if self.wide { 3 * limb_bits } else { limb_bits })
    }

    /// Width of the constant's own excess: the constant is the accumulator of cells that fill up a row, whether or not values come near it.
    fn filler_bits(&self) -> u8 {
        let half = if self.shift == 0 { 0 } else { 1i128 << (self.shift - 1) };
        let quotient = ((i128::from(self.constant) + half) >> self.shift) - i128::from(self.low);
        let excess = quotient >> self.bits;
        (i128::BITS - excess.max(!excess).leading_zeros() + 1) as u8
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
        let wide = is_wide(shift, bits, excess_bits, limb);
        let rescale = Rescale { shift, low, bits, excess_bits, constant, wide };
        let rescale = Rescale { excess_bits: excess_bits.max(rescale.filler_bits()), ..rescale };
        if rescale.top_bits(limb) > TOP_BITS_MAX {
            return Err(ProgramError::Limbs { node: id, limb_bits: limb });
        }
        let block = self.block(Kind::Rescale(rescale), len, Source::Node(at));
        let mut sum = vec![plus(1, Value::Equation(block))];
        if wide && shift > 0 {
            self.check_limbs(id, shift)?;
            let kind = Kind::Number { low: 0, bits: shift, flagged: 0 };
            let remainder = self.block(kind, len, Source::Remainder(at));
            sum.push(plus(1, Value::Equation(remainder)));
        }
        let terms = expression.expr.terms.len();
        self.demand_expression(id, expression, terms, sum);
        Ok(Cells::Block(block))
    }
}

impl Builder<'_> {
    /// Gives all rescaled blocks the same widest excess where tables allow it, so that they share tables: a larger excess than a value can
    /// have leaves its limbs as they are.
    pub(super) fn share_excess(&mut self) {
        let rescaled = |block: &Block| match block.kind {
            Kind::Rescale(rescale) => Some(rescale.excess_bits),
            _ => None,
        };
        let Some(widest) = self.program.blocks.iter().filter_map(rescaled).max() else { return };
        for block in &mut self.program.blocks {
            if let Kind::Rescale(rescale) = &mut block.kind {
                let shared = Rescale { excess_bits: widest, ..*rescale };
                if shared.top_bits(self.limb_bits) <= TOP_BITS_MAX {
                    *rescale = shared;
                }
            }
        }
    }
}
