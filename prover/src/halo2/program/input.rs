//! Inputs: public ones are in the instance; private ones are numbers in their range, equal to committed cells.
use assay_verifier::circuit::{Op, Range};

use super::{Builder, Cells, Kind, ProgramError, Source, Value, plus};

impl Builder<'_> {
    /// Counts the public inputs, in the order of the ports.
    pub(super) fn inputs(&mut self) {
        let nodes = &self.checked.circuit().nodes;
        let len: u64 = nodes.iter().filter(|node| matches!(node.op, Op::Input(_))).map(|node| node.len()).sum();
        self.program.inputs = if self.visibility.private_input { 0 } else { len as usize };
    }

    pub(super) fn input(&mut self, id: usize, range: Range) -> Result<Cells, ProgramError> {
        let circuit = self.checked.circuit();
        let before = circuit.inputs.iter().take_while(|port| port.node as usize != id);
        let first: u64 = before.map(|port| circuit.nodes[port.node as usize].len()).sum();
        if !self.visibility.private_input {
            return Ok(Cells::Inputs(first as u32));
        }
        let len = circuit.nodes[id].len() as usize;
        let bits = (64 - (range.high - range.low).leading_zeros()).max(1) as u8;
        let node = id as u32;
        let block = self.number(id, range.low, bits, len, Source::Node(node))?;
        if range.high - range.low != (1i64 << bits) - 1 {
            let below = self.number(id, 0, bits, len, Source::Below { node, high: range.high })?;
            let one = self.ones(len, 1);
            let mut sum = vec![plus(-range.high, one)];
            self.add_block(1, block, &mut sum);
            self.add_block(1, below, &mut sum);
            self.demand(sum);
        }
        let end = (first as usize + len).max(self.program.private.len());
        self.program.private.resize(end, Value::Constant(0));
        for index in 0..len {
            self.program.private[first as usize + index] = Value::Cell { block, index: index as u32 };
        }
        Ok(Cells::Block(block))
    }
}

impl Builder<'_> {
    /// A block of numbers `low .. low + 2^bits`.
    pub(super) fn number(
        &mut self,
        id: usize,
        low: i64,
        bits: u8,
        len: usize,
        source: Source,
    ) -> Result<u32, ProgramError> {
        let block = self.block(Kind::Number { low, bits, flagged: 0 }, len, source);
        self.check_limbs(id, bits)?;
        Ok(block)
    }
}
