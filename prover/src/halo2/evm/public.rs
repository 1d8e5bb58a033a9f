//! What public values a contract takes, and which of them are in range.
//!
//! A proof shows relations modulo the field's order among integers that are small. That those of the statement are small is
//! for the verifier to check, before it believes that a relation holds among integers.
use assay_verifier::circuit::Range;
use assay_verifier::halo2::field;

use super::EvmError;
use super::assembler::{Assembler, Op};

/// The public values of a statement.
#[derive(Clone, Debug, Default)]
pub struct Public {
    /// How many each instance column has.
    pub columns: Vec<usize>,
    /// What they are, in the same order.
    pub ports: Vec<Port>,
}

/// Public values that belong together.
#[derive(Clone, Debug)]
pub struct Port {
    /// What they are, for people.
    pub name: String,
    /// How many there are.
    pub values: usize,
    /// Which values they may have; all field elements, if nothing is said.
    pub range: Option<Range>,
}

impl Public {
    /// Refuses ports that are not as many values as the columns have.
    pub(super) fn fits(&self) -> Result<(), EvmError> {
        let (instances, expected) = (self.ports.iter().map(|port| port.values).sum(), self.columns.iter().sum());
        if instances == expected { Ok(()) } else { Err(EvmError::Instances { instances, expected }) }
    }

    /// Refuses values out of range; they lie in memory from `start` on, and are scalars.
    pub(super) fn check(&self, asm: &mut Assembler, start: usize) {
        let mut start = start;
        for port in &self.ports {
            let end = start + 32 * port.values;
            if let Some(range) = port.range {
                let size = i128::from(range.high) - i128::from(range.low) + 1;
                asm.each(start, end, 32, |asm, at| {
                    asm.push_bytes(&size.to_be_bytes());
                    asm.modulus();
                    asm.constant(&-field(range.low));
                    asm.dup(at);
                    asm.ops(&[Op::MLoad, Op::AddMod, Op::Lt]);
                    asm.require();
                });
            }
            start = end;
        }
    }

    /// A line for each port.
    pub(super) fn text(&self) -> String {
        let lines = self.ports.iter().map(|port| {
            let range = port.range.map_or("any scalar".to_owned(), |range| format!("{} to {}", range.low, range.high));
            format!("  {} words   {}: {range}\n", port.values, port.name)
        });
        lines.collect()
    }
}
