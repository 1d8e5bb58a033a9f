//! Function tables: wrong rows and wrong counts. And the maximum of pairs, which is a rescale.
use assay_prover::witness::Witness;
use assay_verifier::circuit::Range;
use assay_verifier::field::{F, signed};
use assay_verifier::sumcheck::Step;
use assay_verifier::sumcheck::layout::NodeColumns;
use p3_field::{Field, PrimeCharacteristicRing};

use crate::setting::{Setting, at, changed};

#[test]
fn tables() {
    let setting = Setting::new();
    let NodeColumns::Lookup { value, .. } = &setting.key.layout().nodes[3] else { panic!("no lookup") };
    let block = &setting.key.layout().columns[*value];
    let cells = &setting.evaluation.nodes[3];
    let Range { low, high } = setting.key.circuit().range(3).unwrap();
    for cell in [0, 17, cells.len() - 1] {
        // A neighbour, and a value at the range's other end.
        let neighbour = if cells[cell] < high { cells[cell] + 1 } else { cells[cell] - 1 };
        for value in [neighbour, if cells[cell] == low { high } else { low }] {
            // A wrong row; the next layers follow from it.
            let evaluation = setting.with_cells(3, changed(cells, cell, value));
            let witness = setting.witness(&evaluation);
            setting.refused("table row", &witness, &evaluation, Step::LookupSum);
            // The witness alone.
            let mut witness = setting.witness(&setting.evaluation);
            witness.stack[at(block, cell)] = signed(value);
            setting.refused("table row, witness alone", &witness, &setting.evaluation, Step::LookupSum);
            // The consumers alone.
            let mut witness = setting.witness(&evaluation);
            witness.stack[at(block, cell)] = signed(cells[cell]);
            setting.refused("table row, consumers alone", &witness, &evaluation, Step::Stack);
        }
    }
}

/// Node 7 is half of a pairwise maximum, `max(b - a, 0)`; node 8 adds `a`.
#[test]
fn maximum() {
    let setting = Setting::new();
    let rescale = setting.rescale(7);
    let cells = &setting.evaluation.nodes[7];
    let larger = cells.iter().position(|&cell| cell > 0 && cell < 511).unwrap();
    let smaller = rescale.find(|_, _, excess| excess < 0);
    for (name, cell, value) in [
        ("too large", larger, cells[larger] + 1),
        ("too small", larger, cells[larger] - 1),
        ("the smaller one", larger, 0),
        ("too large where the first is larger", smaller, 1),
    ] {
        let mut evaluation = setting.with_cells(7, changed(cells, cell, value));
        let mut witness = setting.witness(&evaluation);
        rescale.set_sign(&mut witness, cell, 0);
        rescale.set_offset(&mut witness, cell, value);
        setting.recount(&mut witness, &evaluation);
        // Where the sign says that the difference is negative it is no longer in the table; else the relation fails.
        let expected = if cell == smaller { Step::LookupSum } else { Step::Stack };
        setting.refused(name, &witness, &evaluation, expected);
        evaluation.accumulators[7][cell] = value;
        let witness = setting.witness(&evaluation);
        setting.refused(name, &witness, &evaluation, Step::Stack);
    }
}

#[test]
fn multiplicities() {
    let setting = Setting::new();
    let layout = setting.key.layout();
    for table in &layout.tables {
        let entries = 1usize << table.bits;
        let start = layout.columns[table.multiplicity].offset;
        let honest = setting.witness(&setting.evaluation);
        let used = (0..entries).find(|&entry| honest.stack[start + entry] != F::ZERO).unwrap();
        let mut cases: Vec<(&str, Witness)> = Vec::new();
        for (name, count) in [("one more", F::ONE), ("one less", -F::ONE), ("half of one more", F::TWO.inverse())] {
            let mut witness = honest.clone();
            witness.stack[start + used] += count;
            cases.push((name, witness));
        }
        let mut witness = honest.clone();
        witness.stack[start + used] = -witness.stack[start + used];
        cases.push(("negated", witness));
        if entries > 1 {
            let mut witness = honest.clone();
            witness.stack[start + used] -= F::ONE;
            witness.stack[start + (used + 1) % entries] += F::ONE;
            cases.push(("moved", witness));
        }
        let mut witness = honest.clone();
        witness.stack[start..start + entries].fill(F::ZERO);
        cases.push(("none", witness));
        for (name, witness) in cases {
            setting.refused(&format!("{:?}: {name}", table.kind), &witness, &setting.evaluation, Step::LookupSum);
        }
    }
}
