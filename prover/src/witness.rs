//! The witness: limbs, signs, looked-up values and multiplicities, laid out as the verifier expects them.
use assay_circuits::eval::Evaluation;
use assay_verifier::circuit::{CheckedCircuit, Op};
use assay_verifier::field::{F, signed};
use assay_verifier::sumcheck::layout::{Block, Layout, Limb, NodeColumns, TableKind, limb_widths};
use p3_field::PrimeCharacteristicRing;

/// The committed columns as one stack, and signs and offsets by lane.
#[derive(Clone, Debug)]
pub struct Witness {
    /// Cells of the stack that are in use.
    pub stack: Vec<F>,
    /// Sign of the excess for each lane.
    pub signs: Vec<i8>,
    /// Offset above the range's low end for each lane.
    pub offsets: Vec<u32>,
}

impl Witness {
    /// Makes the witness of an evaluation.
    pub fn new(checked: &CheckedCircuit, layout: &Layout, evaluation: &Evaluation) -> Self {
        let mut witness = Self {
            stack: F::zero_vec(layout.stack_len()),
            signs: vec![0; layout.lanes_len()],
            offsets: vec![0; layout.lanes_len()],
        };
        let mut counts: Vec<Vec<u32>> = layout.tables.iter().map(|table| vec![0; 1 << table.bits]).collect();
        let position = |kind| layout.tables.iter().position(|table| table.kind == kind).expect("laid out");
        let circuit = checked.circuit();
        for (id, (node, columns)) in circuit.nodes.iter().zip(&layout.nodes).enumerate() {
            match (&node.op, columns) {
                (Op::Rescale { shift, low, bits, .. }, NodeColumns::Rescale { sign, offset, remainder, lanes, .. }) => {
                    let table = checked.saturation(id).expect("rescale nodes have one");
                    let parts = split(&evaluation.accumulators[id], *shift, *low, *bits);
                    let blocks = [&layout.columns[*sign], lanes];
                    let counted = &mut counts[position(TableKind::Saturation(table.bits))];
                    for (cell, part) in parts.iter().enumerate() {
                        let (row, o) = (cell / blocks[0].inner, cell % blocks[0].inner);
                        let sign = part.excess.signum();
                        witness.stack[at(blocks[0], row, o)] = signed(sign);
                        witness.signs[at(lanes, row, o)] = sign as i8;
                        witness.offsets[at(lanes, row, o)] = part.offset as u32;
                        counted[(part.excess + (1 << (table.bits - 1))) as usize] += 1;
                    }
                    let limbs = circuit.limb_bits;
                    let mut cut = |columns: &[Limb], width: u8, value: &dyn Fn(&Parts) -> u64| {
                        for (limb, bits) in columns.iter().zip(limb_widths(width, limbs)) {
                            let counted = &mut counts[position(TableKind::Range(bits))];
                            let block = &layout.columns[limb.column];
                            for (cell, part) in parts.iter().enumerate() {
                                let digit = (value(part) >> limb.shift) & ((1 << bits) - 1);
                                counted[digit as usize] += 1;
                                witness.stack[at(block, cell / block.inner, cell % block.inner)] = F::from_u64(digit);
                            }
                        }
                    };
                    cut(offset, *bits, &|part| part.offset);
                    cut(remainder, *shift, &|part| part.remainder);
                }
                (Op::Lookup { source, table }, NodeColumns::Lookup { value, .. }) => {
                    let counted = &mut counts[position(TableKind::Function(*table))];
                    let low = circuit.tables[*table as usize].low;
                    let block = &layout.columns[*value];
                    let pairs = evaluation.nodes[*source as usize].iter().zip(&evaluation.nodes[id]);
                    for (cell, (&argument, &result)) in pairs.enumerate() {
                        counted[(argument - low) as usize] += 1;
                        witness.stack[at(block, cell / block.inner, cell % block.inner)] = signed(result);
                    }
                }
                _ => {}
            }
        }
        for (table, counts) in layout.tables.iter().zip(&counts) {
            let start = layout.columns[table.multiplicity].offset;
            for (cell, &count) in witness.stack[start..].iter_mut().zip(counts) {
                *cell = F::from_u32(count);
            }
        }
        witness
    }
}

/// A rescaled value taken apart.
struct Parts {
    remainder: u64,
    offset: u64,
    excess: i64,
}

fn split(accumulators: &[i64], shift: u8, low: i64, bits: u8) -> Vec<Parts> {
    let half = if shift == 0 { 0 } else { 1i64 << (shift - 1) };
    let part = |&value: &i64| {
        let rounded = value + half;
        let above = (rounded >> shift) - low;
        Parts {
            remainder: (rounded & ((1 << shift) - 1)) as u64,
            offset: (above & ((1 << bits) - 1)) as u64,
            excess: above >> bits,
        }
    };
    accumulators.iter().map(part).collect()
}

fn at(block: &Block, row: usize, o: usize) -> usize {
    block.offset + (row << block.log_inner) + o
}
