//! How often each table entry is looked up, counted anew from what the leaves will hold.
use assay_circuits::eval::Evaluation;
use assay_prover::witness::Witness;
use assay_verifier::circuit::Op;
use assay_verifier::field::F;
use assay_verifier::sumcheck::layout::{Layout, NodeColumns, TableKind};
use p3_field::{PrimeCharacteristicRing, PrimeField64};

use crate::setting::{Setting, at, parts};

/// Counts of all entries of all tables.
struct Counts<'a> {
    layout: &'a Layout,
    tables: Vec<Vec<u64>>,
}

impl Counts<'_> {
    /// Counts a lookup; one that misses its table counts nowhere.
    fn add(&mut self, tag: u64, entry: u64) {
        let table = self.layout.tables.iter().position(|table| table.tag == tag).unwrap();
        if let Some(count) = usize::try_from(entry).ok().and_then(|entry| self.tables[table].get_mut(entry)) {
            *count += 1;
        }
    }
}

impl Setting {
    /// Counts anew how often each table entry is looked up.
    pub fn recount(&self, witness: &mut Witness, evaluation: &Evaluation) {
        let layout = self.key.layout();
        let tables = layout.tables.iter().map(|table| vec![0; 1 << table.bits]).collect();
        let mut counts = Counts { layout, tables };
        for limb in &layout.limbs {
            let block = &layout.columns[limb.column];
            for cell in 0..block.rows * block.inner {
                counts.add(limb.tag, witness.stack[at(block, cell)].as_canonical_u64());
            }
        }
        for id in 0..self.circuit().nodes.len() {
            self.count_node(id, witness, evaluation, &mut counts);
        }
        for (table, counts) in layout.tables.iter().zip(counts.tables) {
            let start = layout.columns[table.multiplicity].offset;
            for (cell, count) in witness.stack[start..].iter_mut().zip(counts) {
                *cell = F::from_u64(count);
            }
        }
    }

    /// Counts what is looked up for a node apart from limbs.
    fn count_node(&self, id: usize, witness: &Witness, evaluation: &Evaluation, counts: &mut Counts<'_>) {
        let (checked, layout) = (self.key.circuit(), self.key.layout());
        match (&self.circuit().nodes[id].op, &layout.nodes[id]) {
            (Op::Rescale { shift, low, bits, .. }, _) => {
                let width = checked.saturation(id).unwrap().bits;
                for &value in &evaluation.accumulators[id] {
                    let excess = parts(value, *shift, *low, *bits).2;
                    counts.add(layout.tag(TableKind::Saturation(width)), (excess + (1 << (width - 1))) as u64);
                }
            }
            (Op::Lookup { source, table }, _) => {
                let low = self.circuit().tables[*table as usize].low;
                for &argument in &evaluation.nodes[*source as usize] {
                    counts.add(layout.tag(TableKind::Function(*table)), (argument - low) as u64);
                }
            }
            (_, NodeColumns::Bracket { checks, .. }) => {
                let values = evaluation.accumulators[id].chunks(evaluation.nodes[id].len());
                for (check, values) in checks.iter().zip(values) {
                    values.iter().for_each(|value| counts.add(check.tag, (value >> check.shift) as u64));
                }
            }
            (Op::Max { source }, NodeColumns::Max { equal, .. }) => {
                let facts = checked.maximum(id).unwrap();
                let flags = &layout.columns[*equal];
                let cells = &evaluation.nodes[*source as usize];
                let mut equals = vec![F::ZERO; evaluation.nodes[id].len()];
                for (cell, &value) in cells.iter().enumerate() {
                    let row = cell / flags.inner / facts.window;
                    let group = if facts.across { row } else { row * flags.inner + cell % flags.inner };
                    let below = evaluation.nodes[id][group] - value;
                    let flag = witness.stack[at(flags, cell)];
                    equals[group] += flag;
                    if flag == F::from_bool(below == 0) {
                        counts.add(layout.tag(TableKind::Zero(facts.bits)), below as u64);
                    }
                }
                let tag = layout.tag(TableKind::Range(facts.count_bits));
                equals.iter().for_each(|&equals| counts.add(tag, (equals - F::ONE).as_canonical_u64()));
            }
            _ => {}
        }
    }
}
