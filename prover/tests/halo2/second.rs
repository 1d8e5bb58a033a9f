//! A prover whose second phase does not follow from the first: one cell that differs, or a running sum that is another from a row on.
use std::collections::BTreeSet;

use assay_prover::halo2::circuit::Setting;
use assay_prover::halo2::field;
use assay_prover::halo2::plonk::{Plonk, Small};
use assay_prover::halo2::witness::{Challenges, First, Second};
use assay_verifier::halo2::curve::Fr;
use assay_verifier::halo2::transcript::Writer;
use assay_verifier::halo2::{VerifyError, instance_columns, prefix};
use halo2_proofs::arithmetic::Field;
use rand_core::OsRng;

use crate::common::attention::{EMBEDDED, QUERIES, attention};
use crate::common::{Numbers, inputs_of, kitchen_sink, weights_of};
use crate::gates::refused_second;
use crate::real::Made;
use crate::samples::{Form, USUAL, evaluated, lay_out, up_to, witness};

/// What is done to a second phase.
type Change<'a> = Box<dyn Fn(&mut Second) + 'a>;

/// Cells of the second phase that something depends on: a column, and its rows.
fn used(setting: &Setting) -> Vec<(&'static str, BTreeSet<usize>)> {
    let layout = &setting.layout;
    let runs: BTreeSet<usize> = layout.runs.iter().copied().collect();
    let vectors = layout.vectors.iter().copied().collect();
    let chains: BTreeSet<usize> = layout.chains.iter().copied().collect();
    let members: BTreeSet<usize> = layout.members.iter().copied().collect();
    let powers = layout.powers.values().map(|row| row + 1);
    let dots: BTreeSet<usize> = chains.union(&members).copied().collect();
    vec![
        ("equation", layout.blocks.iter().copied().collect()),
        ("power", runs.iter().copied().chain(powers).collect()),
        ("squared", runs.clone()),
        ("left", runs.union(&dots).copied().collect()),
        ("right", dots.union(&vectors).copied().collect()),
        ("dot", dots),
        ("sums", BTreeSet::from([0, 1, layout.rows / 2, layout.rows])),
    ]
}

/// The columns of that name.
fn columns<'a>(second: &'a mut Second, name: &str) -> Vec<&'a mut Vec<Fr>> {
    match name {
        "equation" => vec![&mut second.equation],
        "power" => vec![&mut second.power],
        "squared" => vec![&mut second.squared],
        "left" => vec![&mut second.left],
        "right" => vec![&mut second.right],
        "dot" => vec![&mut second.dot],
        _ => second.sums.iter_mut().collect(),
    }
}

fn drawn() -> Challenges {
    Challenges { beta: Fr::random(OsRng), eta: Fr::random(OsRng), theta: Fr::random(OsRng) }
}

/// Every column, in every row where something begins, by one cell and from there on.
#[test]
fn one_cell_each() {
    let squares = Form { reads: 6, degree: 5, ..USUAL };
    for (circuit, node, form) in
        [(attention(7), EMBEDDED, USUAL), (attention(7), QUERIES, squares), (kitchen_sink(7), 2, USUAL)]
    {
        let circuit = up_to(circuit, node);
        let mut numbers = Numbers(11);
        let weights = weights_of(&circuit, &mut numbers);
        let setting = lay_out(&circuit, &weights, form);
        let first = witness(&setting, &evaluated(&setting, &inputs_of(&circuit, &mut numbers)));
        let drawn = drawn();
        let honest = Second::new(&setting.checked, &setting.program, &setting.layout, &first, drawn);
        let refused = |second: &Second| refused_second(&setting, &first, second, drawn);
        assert!(!refused(&honest));
        for (name, rows) in used(&setting) {
            if name == "squared" && !setting.layout.shape.squares() {
                continue;
            }
            // A few rows of each column.
            for &row in rows.iter().step_by(rows.len() / 2 + 1).chain(rows.last()) {
                for index in 0..columns(&mut honest.clone(), name).len() {
                    let mut alone = honest.clone();
                    columns(&mut alone, name)[index][row] += Fr::ONE;
                    assert!(refused(&alone), "{name} {index}, row {row}");
                    let mut onwards = honest.clone();
                    columns(&mut onwards, name)[index][row..].iter_mut().for_each(|cell| *cell += Fr::ONE);
                    assert!(refused(&onwards), "{name} {index}, from row {row} on");
                }
            }
        }
    }
}

/// Proofs of such second phases are refused.
#[test]
fn proofs() {
    let made = Made::new(USUAL);
    let tools = made.prover.tools();
    let setting = tools.setting;
    let Setting { checked, visibility, program, layout, .. } = setting;
    let inputs = inputs_of(made.key().circuit().circuit(), &mut Numbers(5));
    let first: First = witness(setting, &made.prover.evaluate(&inputs).unwrap());
    let prove = |change: &Change<'_>| {
        let instance: Vec<Fr> = first.instance.iter().map(|&value| field(value)).collect();
        let rows = Plonk::blinding_rows(tools.pk);
        let small = |values| Small { values, blinding: (0..rows).map(|_| Fr::random(OsRng)).collect() };
        let columns: Vec<Small<'_>> = first.columns(*visibility).into_iter().map(small).collect();
        let second = |challenges: &[Fr]| {
            let mut second = Second::new(checked, program, layout, &first, Challenges::new(challenges));
            change(&mut second);
            second.columns(&layout.shape)
        };
        let mut transcript = Writer::new(&prefix(made.key(), b"context", &[]));
        tools.plonk.prove(tools.pk, &instance_columns(&instance), &columns, second, &mut transcript).unwrap();
        made.verdict(&transcript.proof())
    };
    assert_eq!(prove(&(Box::new(|_: &mut Second| {}) as Change<'_>)), Ok(()));
    for (name, rows) in used(setting).into_iter().filter(|(name, _)| *name != "squared") {
        let row = *rows.last().expect("all are used");
        let change: Change<'_> = Box::new(move |second| columns(second, name)[0][row] += Fr::ONE);
        assert_eq!(prove(&change), Err(VerifyError::Argument), "{name}");
    }
}
