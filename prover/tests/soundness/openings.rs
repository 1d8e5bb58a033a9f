//! Every part of an opening, each with a change.
use super::*;

/// A named change of an opening.
pub type OpeningChange = (String, Box<dyn Fn(&mut Opening)>);

/// Every part of an opening, each with a change.
pub fn opening_changes(opening: &Opening) -> Vec<OpeningChange> {
    use assay_verifier::field::F;
    use p3_whir::QueryOpenings;
    type Change = Box<dyn Fn(&mut Opening)>;
    fn rows(
        name: &str,
        count: usize,
        find: impl Fn(&mut Opening) -> &mut QueryOpenings<F, EF, multi::Proof> + Copy + 'static,
    ) -> Vec<(String, Change)> {
        let at = [0, count / 2, count - 1];
        let mut all: Vec<(String, Change)> = Vec::new();
        for index in at {
            all.push((
                format!("{name}, row {index}"),
                Box::new(move |opening| match find(opening) {
                    QueryOpenings::Base(shared) => shared.rows[index][1] += F::ONE,
                    QueryOpenings::Extension(shared) => shared.rows[index][1] += EF::ONE,
                }),
            ));
            all.push((
                format!("{name}, row {index} longer"),
                Box::new(move |opening| match find(opening) {
                    QueryOpenings::Base(shared) => shared.rows[index].push(F::ZERO),
                    QueryOpenings::Extension(shared) => shared.rows[index].push(EF::ZERO),
                }),
            ));
            all.push((
                format!("{name}, row {index} empty"),
                Box::new(move |opening| match find(opening) {
                    QueryOpenings::Base(shared) => shared.rows[index].clear(),
                    QueryOpenings::Extension(shared) => shared.rows[index].clear(),
                }),
            ));
        }
        all.push((
            format!("{name}, a row dropped"),
            Box::new(move |opening| match find(opening) {
                QueryOpenings::Base(shared) => shorten(&mut shared.rows),
                QueryOpenings::Extension(shared) => shorten(&mut shared.rows),
            }),
        ));
        all.push((
            format!("{name}, all rows dropped"),
            Box::new(move |opening| match find(opening) {
                QueryOpenings::Base(shared) => shared.rows.clear(),
                QueryOpenings::Extension(shared) => shared.rows.clear(),
            }),
        ));
        let siblings = move |opening: &mut Opening, change: &dyn Fn(&mut Vec<[u8; 32]>)| match find(opening) {
            QueryOpenings::Base(shared) => change(&mut shared.proof.sibling_hashes),
            QueryOpenings::Extension(shared) => change(&mut shared.proof.sibling_hashes),
        };
        all.push((
            format!("{name}, a sibling more"),
            Box::new(move |opening| siblings(opening, &|hashes| hashes.push([0; 32]))),
        ));
        all.push((
            format!("{name}, siblings dropped or made up"),
            Box::new(move |opening| {
                siblings(opening, &|hashes| {
                    if hashes.pop().is_none() {
                        hashes.push([1; 32])
                    }
                });
            }),
        ));
        all.push((
            format!("{name}, rows of the other field"),
            Box::new(move |opening| {
                let found = find(opening);
                *found = match found.clone() {
                    QueryOpenings::Base(shared) => QueryOpenings::Extension(p3_whir::SharedProofOpening {
                        rows: shared.rows.iter().map(|row| row.iter().map(|&cell| cell.into()).collect()).collect(),
                        proof: shared.proof,
                    }),
                    QueryOpenings::Extension(shared) => {
                        QueryOpenings::Base(p3_whir::SharedProofOpening { rows: Vec::new(), proof: shared.proof })
                    }
                };
            }),
        ));
        all
    }
    let mut all: Vec<(String, Change)> = Vec::new();
    let mut add = |name: String, change: Change| all.push((name, change));
    add("initial answers, one more".into(), Box::new(|opening| opening.whir.initial_ood_answers.push(EF::ZERO)));
    for index in 0..opening.whir.initial_ood_answers.len() {
        add(
            format!("initial answer {index}"),
            Box::new(move |opening| opening.whir.initial_ood_answers[index] += EF::ONE),
        );
    }
    for round in 0..opening.whir.initial_sumcheck.polynomial_evaluations.len() {
        for part in 0..2 {
            add(
                format!("initial sumcheck, round {round}, {part}"),
                Box::new(move |opening| {
                    opening.whir.initial_sumcheck.polynomial_evaluations[round][part] += EF::ONE;
                }),
            );
        }
    }
    add(
        "initial sumcheck, a round less".into(),
        Box::new(|opening| shorten(&mut opening.whir.initial_sumcheck.polynomial_evaluations)),
    );
    add(
        "initial sumcheck, a nonce more".into(),
        Box::new(|opening| opening.whir.initial_sumcheck.pow_witnesses.push(F::ZERO)),
    );
    for round in 0..opening.whir.rounds.len() {
        add(
            format!("round {round}, no commitment"),
            Box::new(move |opening| opening.whir.rounds[round].commitment = None),
        );
        add(
            format!("round {round}, answers, one more"),
            Box::new(move |opening| opening.whir.rounds[round].ood_answers.push(EF::ONE)),
        );
        for index in 0..opening.whir.rounds[round].ood_answers.len() {
            add(
                format!("round {round}, answer {index}"),
                Box::new(move |opening| opening.whir.rounds[round].ood_answers[index] += EF::ONE),
            );
        }
        add(
            format!("round {round}, nonce"),
            Box::new(move |opening| opening.whir.rounds[round].pow_witness += F::from_u64(1 << 40)),
        );
        for at in 0..opening.whir.rounds[round].sumcheck.polynomial_evaluations.len() {
            add(
                format!("round {round}, sumcheck {at}"),
                Box::new(move |opening| {
                    opening.whir.rounds[round].sumcheck.polynomial_evaluations[at][0] += EF::ONE;
                }),
            );
        }
        add(
            format!("round {round} repeated"),
            Box::new(move |opening| opening.whir.rounds.push(opening.whir.rounds[round].clone())),
        );
    }
    if !opening.whir.rounds.is_empty() {
        add("rounds dropped".into(), Box::new(|opening| opening.whir.rounds.clear()));
    }
    add("final polynomial missing".into(), Box::new(|opening| opening.whir.final_poly = None));
    add(
        "final polynomial".into(),
        Box::new(|opening| {
            let poly = opening.whir.final_poly.as_mut().unwrap();
            *poly =
                p3_multilinear_util::poly::Poly::new(poly.as_slice().iter().map(|&value| value + EF::ONE).collect());
        }),
    );
    add(
        "final polynomial twice as long".into(),
        Box::new(|opening| {
            let poly = opening.whir.final_poly.as_mut().unwrap();
            *poly = p3_multilinear_util::poly::Poly::new([poly.as_slice(), poly.as_slice()].concat());
        }),
    );
    add("final nonce".into(), Box::new(|opening| opening.whir.final_pow_witness += F::from_u64(1 << 40)));
    add(
        "final sumcheck".into(),
        Box::new(|opening| match opening.whir.final_sumcheck.as_mut() {
            Some(data) => data.polynomial_evaluations[0][0] += EF::ONE,
            None => opening.whir.final_sumcheck = Some(opening.whir.initial_sumcheck.clone()),
        }),
    );
    add(
        "final sumcheck missing or made up".into(),
        Box::new(|opening| {
            opening.whir.final_sumcheck = match opening.whir.final_sumcheck.take() {
                Some(_) => None,
                None => Some(opening.whir.initial_sumcheck.clone()),
            };
        }),
    );
    for batch in 0..opening.evals.len() {
        add(
            format!("evaluation, batch {batch}"),
            Box::new(move |opening| {
                let mut values = opening.evals[batch].current().to_vec();
                values[0] += EF::ONE;
                opening.evals[batch] = p3_sumcheck::OpeningBatch::new(values, Vec::new());
            }),
        );
        add(
            format!("evaluation, batch {batch}, one more"),
            Box::new(move |opening| {
                let mut values = opening.evals[batch].current().to_vec();
                values.push(EF::ONE);
                opening.evals[batch] = p3_sumcheck::OpeningBatch::new(values, Vec::new());
            }),
        );
        add(
            format!("evaluation, batch {batch}, moved to the successor's"),
            Box::new(move |opening| {
                let values = opening.evals[batch].current().to_vec();
                opening.evals[batch] = p3_sumcheck::OpeningBatch::new(Vec::new(), values);
            }),
        );
    }
    add("an evaluation batch less".into(), Box::new(|opening| shorten(&mut opening.evals)));
    add("an evaluation batch more".into(), Box::new(|opening| opening.evals.push(opening.evals[0].clone())));
    for round in 0..opening.whir.rounds.len() {
        let count = rows_of(&opening.whir.rounds[round].openings);
        all.extend(rows(&format!("round {round}"), count, move |opening| &mut opening.whir.rounds[round].openings));
    }
    let count = rows_of(&opening.whir.final_openings);
    all.extend(rows("final", count, |opening| &mut opening.whir.final_openings));
    all
}

mod multi {
    //! The type of a shared Merkle proof, which the commitment library does not name.
    pub type Proof = <assay_verifier::sumcheck::pcs::Mmcs as p3_commit::Mmcs<assay_verifier::field::F>>::MultiProof;
}

pub fn rows_of(openings: &p3_whir::QueryOpenings<assay_verifier::field::F, EF, multi::Proof>) -> usize {
    match openings {
        p3_whir::QueryOpenings::Base(shared) => shared.rows.len(),
        p3_whir::QueryOpenings::Extension(shared) => shared.rows.len(),
    }
}

#[test]
fn openings_of_a_proof() {
    for case in [case(), attention_case()] {
        openings_of(&case);
    }
}

fn openings_of(case: &Case) {
    assert!(!case.argument().witness.whir.rounds.is_empty(), "an opening without rounds says nothing about them");
    let mut rows = vec![
        row("no opening of weights", Refusal::Proof(VerifyError::OpeningCount), |case| {
            case.argument_mut().weights.clear()
        }),
        row("an opening of weights twice", Refusal::Proof(VerifyError::OpeningCount), |case| {
            let weights = &mut case.argument_mut().weights;
            weights.push(weights[0].clone());
        }),
        row("witness and weights exchanged", opening(Purpose::Witness), |case| {
            let argument = case.argument_mut();
            std::mem::swap(&mut argument.witness, &mut argument.weights[0]);
        }),
        row("the witness' opening in place of the weights'", opening(Purpose::Weights), |case| {
            let argument = case.argument_mut();
            argument.weights[0] = argument.witness.clone();
        }),
    ];
    for (name, change) in opening_changes(&case.argument().witness) {
        rows.push(row(format!("witness: {name}"), opening(Purpose::Witness), move |case| {
            change(&mut case.argument_mut().witness);
        }));
    }
    for (name, change) in opening_changes(&case.argument().weights[0]) {
        rows.push(row(format!("weights: {name}"), opening(Purpose::Weights), move |case| {
            change(&mut case.argument_mut().weights[0]);
        }));
    }
    assert_rows(case, &rows);
    println!("{} rows", rows.len());
}
