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
    pub offsets: Vec<u64>,
}

impl Witness {
    /// Makes the witness of an evaluation.
    pub fn new(checked: &CheckedCircuit, layout: &Layout, evaluation: &Evaluation) -> Self {
        let mut filling = Filling {
            layout,
            limb_bits: checked.circuit().limb_bits,
            stack: F::zero_vec(layout.stack_len()),
            counts: layout.tables.iter().map(|table| vec![0; 1 << table.bits]).collect(),
        };
        let mut signs = vec![0; layout.lanes_len()];
        let mut offsets = vec![0; layout.lanes_len()];
        let circuit = checked.circuit();
        for (id, (node, columns)) in circuit.nodes.iter().zip(&layout.nodes).enumerate() {
            match (&node.op, columns) {
                (Op::Rescale { shift, low, bits, .. }, NodeColumns::Rescale { sign, offset, remainder, lanes, .. }) => {
                    let table = checked.saturation(id).expect("rescale nodes have one");
                    let parts = split(&evaluation.accumulators[id], *shift, *low, *bits);
                    for (cell, part) in parts.iter().enumerate() {
                        let at = at(lanes, cell);
                        signs[at] = part.excess.signum() as i8;
                        offsets[at] = part.offset;
                    }
                    filling.count(
                        TableKind::Saturation(table.bits),
                        parts.iter().map(|part| part.excess + (1 << (table.bits - 1))),
                    );
                    filling.column(*sign, parts.iter().map(|part| signed(part.excess.signum())));
                    filling.limbs(offset, *bits, parts.iter().map(|part| part.offset));
                    filling.limbs(remainder, *shift, parts.iter().map(|part| part.remainder));
                }
                (Op::Lookup { source, table }, NodeColumns::Lookup { value, .. }) => {
                    let low = circuit.tables[*table as usize].low;
                    let arguments = evaluation.nodes[*source as usize].iter();
                    filling.count(TableKind::Function(*table), arguments.map(|argument| argument - low));
                    filling.column(*value, evaluation.nodes[id].iter().map(|&result| signed(result)));
                }
                (_, NodeColumns::Bracket { value, checks }) => {
                    let facts = checked.bracket(id).expect("checked brackets have one");
                    let cells = &evaluation.nodes[id];
                    filling.limbs(value, facts.bits, cells.iter().map(|&cell| (cell - facts.low) as u64));
                    let values = evaluation.accumulators[id].chunks_exact(cells.len());
                    for (check, values) in checks.iter().zip(values) {
                        filling.limbs(&check.lower, facts.check_bits, values.iter().map(|&value| value as u64));
                        let top = TableKind::Range(facts.check_bits - check.shift as u8);
                        filling.count(top, values.iter().map(|value| value >> check.shift));
                    }
                }
                (Op::Max { source }, NodeColumns::Max { value, equal, .. }) => {
                    let facts = checked.maximum(id).expect("checked maxima have one");
                    let inner = circuit.nodes[*source as usize].inner as usize;
                    let (compared, largest) = (&evaluation.nodes[*source as usize], &evaluation.nodes[id]);
                    let group = |cell: usize| {
                        let row = cell / inner / facts.window;
                        if facts.across { row } else { row * inner + cell % inner }
                    };
                    let below: Vec<i64> =
                        compared.iter().enumerate().map(|(cell, &value)| largest[group(cell)] - value).collect();
                    let mut equals = vec![0i64; largest.len()];
                    below.iter().enumerate().for_each(|(cell, &below)| equals[group(cell)] += i64::from(below == 0));
                    filling.column(*value, largest.iter().map(|&value| signed(value)));
                    filling.column(*equal, below.iter().map(|&below| F::from_bool(below == 0)));
                    filling.count(TableKind::Zero(facts.bits), below.iter().copied());
                    filling.count(TableKind::Range(facts.count_bits), equals.iter().map(|equals| equals - 1));
                }
                _ => {}
            }
        }
        let Filling { mut stack, counts, .. } = filling;
        for (table, counts) in layout.tables.iter().zip(&counts) {
            let start = layout.columns[table.multiplicity].offset;
            for (cell, &count) in stack[start..].iter_mut().zip(counts) {
                *cell = F::from_u32(count);
            }
        }
        Self { stack, signs, offsets }
    }
}

/// A witness while it is made.
struct Filling<'a> {
    layout: &'a Layout,
    limb_bits: u8,
    stack: Vec<F>,
    /// For each table how often each entry was looked up.
    counts: Vec<Vec<u32>>,
}

impl Filling<'_> {
    /// Counts lookups by index in the table. What a wrong evaluation looks up outside of it is counted nowhere.
    fn count(&mut self, kind: TableKind, entries: impl Iterator<Item = i64>) {
        let table = self.layout.tables.iter().position(|table| table.kind == kind).expect("laid out");
        for entry in entries {
            if let Some(count) = usize::try_from(entry).ok().and_then(|entry| self.counts[table].get_mut(entry)) {
                *count += 1;
            }
        }
    }

    /// Writes a column.
    fn column(&mut self, column: usize, values: impl Iterator<Item = F>) {
        let block = &self.layout.columns[column];
        for (cell, value) in values.enumerate() {
            self.stack[at(block, cell)] = value;
        }
    }

    /// Writes limbs of values of some width, and counts them.
    fn limbs(&mut self, limbs: &[Limb], width: u8, values: impl Iterator<Item = u64> + Clone) {
        for (limb, bits) in limbs.iter().zip(limb_widths(width, self.limb_bits)) {
            let digits = values.clone().map(|value| (value >> limb.shift) & ((1 << bits) - 1));
            self.count(TableKind::Range(bits), digits.clone().map(|digit| digit as i64));
            self.column(limb.column, digits.map(F::from_u64));
        }
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

/// Where a cell of a tensor lies in a block.
fn at(block: &Block, cell: usize) -> usize {
    block.offset + ((cell / block.inner) << block.log_inner) + cell % block.inner
}
