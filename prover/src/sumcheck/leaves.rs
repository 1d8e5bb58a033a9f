//! The leaves of the lookup argument, as fractions.
use assay_circuits::eval::Evaluation;
use assay_verifier::circuit::{CheckedCircuit, Circuit, Op};
use assay_verifier::field::{EF, F, signed};
use assay_verifier::sumcheck::layout::{Block, Layout, NodeColumns, TableKind};
use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;

use super::lookup::Fractions;
use crate::witness::Witness;

/// The leaves of the lookup argument.
pub fn fractions(
    checked: &CheckedCircuit,
    layout: &Layout,
    witness: &Witness,
    evaluation: &Evaluation,
    alpha: EF,
    beta: EF,
) -> Fractions {
    let len = layout.leaves_len();
    let mut leaves = Fractions { numerators: EF::zero_vec(len), denominators: vec![alpha; len] };
    let tag = |tag: u64| beta.square() * F::from_u64(tag);
    let column = |index: usize| {
        let block = &layout.columns[index];
        &witness.stack[block.offset..block.offset + block.len()]
    };
    let mut write = |block: &Block, value: &(dyn Fn(usize, usize) -> EF + Sync)| {
        let range = block.offset..block.offset + block.len();
        let rows = leaves.numerators[range.clone()]
            .par_chunks_mut(block.row_len())
            .zip(leaves.denominators[range].par_chunks_mut(block.row_len()));
        rows.enumerate().with_min_len(16).for_each(|(row, (numerators, denominators))| {
            for o in 0..block.inner {
                numerators[o] = EF::ONE;
                denominators[o] = alpha - value(row, o);
            }
        });
    };
    for limb in &layout.limbs {
        let (cells, tag, row_len) = (column(limb.column), tag(limb.tag), limb.leaves.row_len());
        write(&limb.leaves, &|row, o| tag + cells[row * row_len + o]);
    }
    for (id, (node, columns)) in checked.circuit().nodes.iter().zip(&layout.nodes).enumerate() {
        match (&node.op, columns) {
            (Op::Rescale { shift, low, bits, .. }, NodeColumns::Rescale { sign, excess, .. }) => {
                let width = checked.saturation(id).expect("rescale nodes have one").bits;
                let tag = tag(layout.tag(TableKind::Saturation(width)));
                let (signs, row_len) = (column(*sign), excess.row_len());
                let half = if *shift == 0 { 0 } else { 1i64 << (shift - 1) };
                let accumulators = &evaluation.accumulators[id];
                // The verifier's table is indexed from zero; the excess itself is signed, and so is its fingerprint.
                write(excess, &|row, o| {
                    let rounded = (accumulators[row * excess.inner + o] + half) >> shift;
                    tag + signed((rounded - low) >> bits) + beta * signs[row * row_len + o]
                });
            }
            (Op::Lookup { source, table }, NodeColumns::Lookup { value, leaves }) => {
                let tag = tag(layout.tag(TableKind::Function(*table)));
                let (values, row_len) = (column(*value), leaves.row_len());
                let arguments = &evaluation.nodes[*source as usize];
                write(leaves, &|row, o| {
                    tag + signed(arguments[row * leaves.inner + o]) + beta * values[row * row_len + o]
                });
            }
            (_, NodeColumns::Bracket { checks, .. }) => {
                let values = evaluation.accumulators[id].chunks_exact(evaluation.nodes[id].len());
                for (check, values) in checks.iter().zip(values) {
                    let tag = tag(check.tag);
                    write(&check.leaves, &|row, o| tag + signed(values[row * check.leaves.inner + o] >> check.shift));
                }
            }
            (Op::Max { source }, NodeColumns::Max { equal, pairs, counts, .. }) => {
                let facts = checked.maximum(id).expect("checked maxima have one");
                let (compared, largest) = (&evaluation.nodes[*source as usize], &evaluation.nodes[id]);
                let (flags, row_len) = (column(*equal), pairs.row_len());
                let zero = tag(layout.tag(TableKind::Zero(facts.bits)));
                write(pairs, &|row, o| {
                    let group = row / facts.window * counts.inner + if facts.across { 0 } else { o };
                    let below = largest[group] - compared[row * pairs.inner + o];
                    zero + signed(below) + beta * flags[row * row_len + o]
                });
                let range = tag(layout.tag(TableKind::Range(facts.count_bits)));
                write(counts, &|row, o| {
                    let rows = row * facts.window..(row + 1) * facts.window;
                    let across = if facts.across { 0..pairs.inner } else { o..o + 1 };
                    let cells = rows.flat_map(|row| across.clone().map(move |o| row * row_len + o));
                    range + cells.map(|cell| flags[cell]).sum::<F>() - F::ONE
                });
            }
            _ => {}
        }
    }
    for table in &layout.tables {
        let base = alpha - tag(table.tag);
        let start = table.leaves.offset;
        for (entry, &count) in column(table.multiplicity).iter().enumerate() {
            let (first, second) = table_entry(checked.circuit(), table.kind, table.bits, entry);
            leaves.numerators[start + entry] = EF::from(-count);
            leaves.denominators[start + entry] = base - signed(first) - beta * signed(second);
        }
    }
    leaves
}

/// The pair at an index of a table.
fn table_entry(circuit: &Circuit, kind: TableKind, bits: u8, entry: usize) -> (i64, i64) {
    match kind {
        TableKind::Range(_) => (entry as i64, 0),
        TableKind::Saturation(_) => {
            let excess = entry as i64 - (1 << (bits - 1));
            (excess, excess.signum())
        }
        TableKind::Zero(_) => (entry as i64, i64::from(entry == 0)),
        TableKind::Function(id) => {
            let table = &circuit.tables[id as usize];
            (table.low + entry as i64, table.values[entry].into())
        }
    }
}
