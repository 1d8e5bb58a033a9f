//! Constraints evaluated row by row, which is much faster than the library's mock prover. That both say the same is a test.
use std::collections::BTreeSet;

use assay_prover::halo2::circuit::Setting;
use assay_prover::halo2::copies::copies;
use assay_prover::halo2::field;
use assay_prover::halo2::fixed::Filler;
use assay_prover::halo2::layout::{Line, Place};
use assay_prover::halo2::witness::{Challenges, First, Second};
use assay_verifier::halo2::curve::Fr;
use assay_verifier::halo2::key::constraint_system;
use halo2_proofs::arithmetic::Field;
use halo2_proofs::plonk::{ConstraintSystem, Expression};
use rand_core::OsRng;
use rayon::prelude::*;

/// Names of the gates that a witness fails; `copy` if cells differ that are copies.
pub fn failures(setting: &Setting, first: &First) -> BTreeSet<String> {
    let (second, drawn) = second(setting, first);
    let (cs, table) = table(setting, first, &second, drawn);
    let rows = (0..table.usable(&cs)).into_par_iter();
    let mut failed: BTreeSet<String> = rows.flat_map_iter(|row| table.failed(&cs, row)).collect();
    if differs(setting, first, &second) {
        failed.insert("copy".to_owned());
    }
    failed
}

/// Whether a witness fails any gate or copy.
pub fn refused(setting: &Setting, first: &First) -> bool {
    let (second, drawn) = second(setting, first);
    refused_second(setting, first, &second, drawn)
}

/// The same with a second phase that need not follow from the first.
pub fn refused_second(setting: &Setting, first: &First, second: &Second, drawn: Challenges) -> bool {
    differs(setting, first, second) || {
        let (cs, table) = table(setting, first, second, drawn);
        (0..table.usable(&cs)).into_par_iter().any(|row| !table.failed(&cs, row).is_empty())
    }
}

fn second(setting: &Setting, first: &First) -> (Second, Challenges) {
    let drawn = Challenges { beta: Fr::random(OsRng), eta: Fr::random(OsRng), theta: Fr::random(OsRng) };
    let Setting { checked, program, layout, .. } = setting;
    (Second::new(checked, program, layout, first, drawn), drawn)
}

/// Whether cells differ that are copies.
fn differs(setting: &Setting, first: &First, second: &Second) -> bool {
    let Setting { checked, program, layout, .. } = setting;
    let value = |place: Place| match place.line {
        Line::Equation => second.equation[place.row],
        Line::Power => second.power[place.row],
        Line::Left => second.left[place.row],
        Line::Right => second.right[place.row],
        Line::Dot => second.dot[place.row],
        _ => field(first.at(layout, place)),
    };
    let mut differ = false;
    copies(program, layout, checked.circuit(), &mut |from, to| differ |= value(from) != value(to));
    differ
}

fn table(setting: &Setting, first: &First, second: &Second, drawn: Challenges) -> (ConstraintSystem<Fr>, Table) {
    let Setting { checked, weights, visibility, program, layout } = setting;
    let (cs, columns) = constraint_system(checked, layout.shape, *visibility).unwrap();
    let rows = 1usize << layout.shape.k;
    let mut fixed = vec![vec![Fr::ZERO; rows]; cs.num_fixed_columns()];
    let set = |column: halo2_proofs::plonk::Column<_>, row: usize, value| fixed[column.index()][row] = value;
    Filler { program, layout, circuit: checked.circuit(), columns: &columns, set }.fill(weights);
    let small = first.columns(*visibility).into_iter();
    let mut advice: Vec<Vec<Fr>> = small
        .map(|column| column.iter().map(|&value| field(value)).collect())
        .chain(second.clone().columns(&layout.shape))
        .collect();
    advice.iter_mut().for_each(|column| column.resize(rows, Fr::ZERO));
    (cs, Table { fixed, advice, challenges: [drawn.beta, drawn.eta, drawn.theta] })
}

/// All columns.
struct Table {
    fixed: Vec<Vec<Fr>>,
    advice: Vec<Vec<Fr>>,
    challenges: [Fr; 3],
}

impl Table {
    /// Rows that constraints hold on.
    fn usable(&self, cs: &ConstraintSystem<Fr>) -> usize {
        self.advice[0].len() - cs.blinding_factors() - 1
    }

    /// Gates that fail on a row.
    fn failed(&self, cs: &ConstraintSystem<Fr>, row: usize) -> Vec<String> {
        let fails = |polynomial: &Expression<Fr>| self.value(polynomial, row) != Fr::ZERO;
        let gates = cs.gates().iter().filter(|gate| gate.polynomials().iter().any(fails));
        gates.map(|gate| gate.name().to_owned()).collect()
    }

    fn value(&self, polynomial: &Expression<Fr>, row: usize) -> Fr {
        let turned =
            |rotation: i32| (row + self.advice[0].len()).wrapping_add_signed(rotation as isize) % self.advice[0].len();
        polynomial.evaluate(
            &|constant| constant,
            &|_| unreachable!("there are no virtual selectors"),
            &|query| self.fixed[query.column_index()][turned(query.rotation().0)],
            &|query| self.advice[query.column_index()][turned(query.rotation().0)],
            &|_| unreachable!("no gate reads public values"),
            &|challenge| self.challenges[challenge.index()],
            &|value| -value,
            &|left, right| left + right,
            &|left, right| left * right,
            &|value, by| value * by,
        )
    }
}
