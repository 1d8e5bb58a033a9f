//! Maxima: members that are not the largest, values that are no members, and wrong flags.
use assay_verifier::field::F;
use assay_verifier::sumcheck::Step;
use assay_verifier::sumcheck::layout::{Block, NodeColumns};
use p3_field::{Field, PrimeCharacteristicRing};

use crate::common::attention::{LARGEST, NORMALISED, POOLED, SCORES};
use crate::setting::{Setting, at, changed};

/// Maxima with what they compare: over the inner axis, and over rows.
const MAXIMA: [(usize, usize); 2] = [(LARGEST, SCORES), (POOLED, NORMALISED)];

/// A maximum's columns, and the cells of its source that each of its cells compares.
struct Columns {
    value: Block,
    equal: Block,
    groups: Vec<Vec<usize>>,
}

impl Setting {
    fn maximum(&self, node: usize) -> Columns {
        let layout = self.key.layout();
        let NodeColumns::Max { value, equal, .. } = &layout.nodes[node] else { panic!("no maximum") };
        let (value, equal) = (layout.columns[*value].clone(), layout.columns[*equal].clone());
        let facts = self.key.circuit().maximum(node).unwrap();
        let mut groups = vec![Vec::new(); value.rows * value.inner];
        for cell in 0..equal.rows * equal.inner {
            let (row, o) = (cell / equal.inner / facts.window, cell % equal.inner);
            groups[if facts.across { row } else { row * equal.inner + o }].push(cell);
        }
        Columns { value, equal, groups }
    }
}

#[test]
fn other_values() {
    let setting = Setting::attention();
    let mut smaller = 0;
    for (node, source) in MAXIMA {
        let columns = setting.maximum(node);
        let (cells, compared) = (&setting.evaluation.nodes[node], &setting.evaluation.nodes[source]);
        let range = setting.key.circuit().range(node as u32).unwrap();
        for (cell, group) in columns.groups.iter().enumerate() {
            let members: Vec<i64> = group.iter().map(|&at| compared[at]).collect();
            let (largest, least) = (cells[cell], *members.iter().min().unwrap());
            assert_eq!(Some(&largest), members.iter().max());
            let second = members.iter().copied().filter(|&member| member < largest).max();
            smaller += usize::from(second.is_some());
            let others = [Some(largest + 1), Some(largest - 1), Some(least), second, Some(range.low), Some(range.high)];
            for value in others.into_iter().flatten() {
                if value == largest || !range.contains(value) {
                    continue;
                }
                // All follows from it: flags where it is equal, consumers, counts.
                let evaluation = setting.with_cells(node, changed(cells, cell, value));
                let mut witness = setting.witness(&evaluation);
                setting.recount(&mut witness, &evaluation);
                setting.refused("another value", &witness, &evaluation, Step::LookupSum);
                // The flags of the largest.
                for &at_source in group {
                    let flag = F::from_bool(compared[at_source] == largest);
                    witness.stack[at(&columns.equal, at_source)] = flag;
                }
                setting.recount(&mut witness, &evaluation);
                setting.refused("another value, flags of the largest", &witness, &evaluation, Step::LookupSum);
                // The column alone, and the consumers alone.
                let mut witness = setting.witness(&setting.evaluation);
                witness.stack[at(&columns.value, cell)] = F::from_i64(value);
                setting.refused("column alone", &witness, &setting.evaluation, Step::Stack);
                let mut evaluation = evaluation;
                evaluation.nodes[node] = cells.clone();
                // Not every cell of the last maximum is read.
                if evaluation != setting.evaluation {
                    let witness = setting.witness(&evaluation);
                    assert!(setting.run(&witness, &evaluation).is_err(), "consumers alone");
                }
            }
        }
    }
    assert!(smaller >= 8, "only {smaller} groups have a smaller member");
}

#[test]
fn flags() {
    let setting = Setting::attention();
    for (node, source) in MAXIMA {
        let columns = setting.maximum(node);
        let (cells, compared) = (&setting.evaluation.nodes[node], &setting.evaluation.nodes[source]);
        for (cell, group) in columns.groups.iter().enumerate() {
            let (equal, less): (Vec<usize>, Vec<usize>) =
                group.iter().partition(|&&source| compared[source] == cells[cell]);
            let mut cases = vec![("no flag", equal.iter().map(|&at| (at, F::ZERO)).collect::<Vec<_>>())];
            cases.push(("a flag of two", vec![(equal[0], F::TWO)]));
            cases.push(("all flags of a half", group.iter().map(|&at| (at, F::TWO.inverse())).collect()));
            if let Some(&other) = less.first() {
                cases.push(("one flag too many", vec![(other, F::ONE)]));
                cases.push(("the flag of another", vec![(equal[0], F::ZERO), (other, F::ONE)]));
                cases.push(("a flag taken back", vec![(equal[0], F::TWO), (other, F::NEG_ONE)]));
            }
            if equal.len() > 1 {
                cases.push(("one of two equal", vec![(equal[1], F::ZERO)]));
            }
            for (name, flags) in cases {
                let mut witness = setting.witness(&setting.evaluation);
                flags.iter().for_each(|&(source, flag)| witness.stack[at(&columns.equal, source)] = flag);
                setting.refused(name, &witness, &setting.evaluation, Step::LookupSum);
                setting.recount(&mut witness, &setting.evaluation);
                setting.refused(name, &witness, &setting.evaluation, Step::LookupSum);
            }
        }
    }
}

/// The cells that are compared are not those that the maximum's source has.
#[test]
fn other_members() {
    let setting = Setting::attention();
    for (node, source) in MAXIMA {
        let cells = &setting.evaluation.nodes[source];
        let columns = setting.maximum(node);
        let largest = columns.groups[0].iter().copied().max_by_key(|&cell| cells[cell]).unwrap();
        let mut evaluation = setting.evaluation.clone();
        // The largest is hidden: as small as the least of its group, where the maximum reads it.
        let least = columns.groups[0].iter().map(|&cell| cells[cell]).min().unwrap();
        let hidden = setting.with_cells(source, changed(cells, largest, least));
        evaluation.nodes[source] = hidden.nodes[source].clone();
        evaluation.nodes[node] = hidden.nodes[node].clone();
        let forced = setting.with_cells(node, hidden.nodes[node].clone());
        for later in node + 1..evaluation.nodes.len() {
            evaluation.nodes[later] = forced.nodes[later].clone();
            evaluation.accumulators[later] = forced.accumulators[later].clone();
        }
        let witness = setting.witness(&evaluation);
        assert!(setting.run(&witness, &evaluation).is_err(), "a member hidden from node {node}");
    }
}
