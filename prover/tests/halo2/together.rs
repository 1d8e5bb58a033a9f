//! Proofs that are verified together: is each verdict that of the proof alone, whatever is beside it?
use assay_verifier::halo2::key::CheckedKey;
use assay_verifier::halo2::{Argument, VerifyError, verify_all, verify_statement};
use assay_verifier::statement::Statement;
use proptest::prelude::*;
use rand_core::OsRng;

use assay_prover::halo2::srs::make;

use crate::real::{K, Made, prover, small};
use crate::samples::{Form, HIDDEN, USUAL};

type Item = (usize, Statement, Argument);

/// Proofs under three keys, two of them under one reference string.
fn made() -> Vec<Made> {
    let other = make(K, OsRng, |_| {}).unwrap();
    let hidden = Form { visibility: HIDDEN, ..USUAL };
    vec![Made::new(USUAL), Made::new(hidden), Made::of(prover(&small(), USUAL, &other), 8)]
}

fn argument(messages: Vec<u8>) -> Argument {
    Argument { messages }
}

/// A proof as it was made, or with one change.
fn item(made: &[Made], which: usize, change: usize, place: usize) -> Item {
    let mut statement = made[which].statement.clone();
    let mut messages = made[which].messages.clone();
    let words = messages.len() / 32;
    match change {
        // The openings, which are the last two messages and are checked by the pairing alone; those of keys that hide weights come before
        // the proof of what is hidden.
        1 => messages[32 * (words - 1 - place % words.min(8))..][..32].copy_from_slice(&[0; 32]),
        2 => messages[place % (32 * words)] ^= 1 << (place % 8),
        3 => statement.context.push(1),
        4 => messages.truncate(place % (32 * words)),
        5 => statement.outputs[0][0] += 1,
        // Another proof's messages: of the same length, and well-formed.
        6 => messages = made[(which + 2) % 3].messages.clone(),
        _ => {}
    }
    (which, statement, argument(messages))
}

fn verdicts(made: &[Made], items: &[Item]) -> [Vec<Result<(), VerifyError>>; 2] {
    let named: Vec<(&CheckedKey, &Statement, &Argument)> =
        items.iter().map(|(which, statement, argument)| (made[*which].key(), statement, argument)).collect();
    let alone = named.iter().map(|(key, statement, argument)| verify_statement(key, statement, argument));
    [verify_all(&named), alone.collect()]
}

#[test]
fn each_verdict_is_that_of_the_proof_alone() {
    let made = made();
    let changed = prop::collection::vec((0..3usize, 0..14usize, any::<u16>()), 0..10);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(24));
    let run = runner.run(&changed, |drawn| {
        let items: Vec<Item> =
            drawn.iter().map(|&(which, change, place)| item(&made, which, change, place.into())).collect();
        let [together, alone] = verdicts(&made, &items);
        prop_assert_eq!(together, alone);
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn one_that_does_not_hold_among_many_that_do() {
    let made = made();
    // More than are held at once.
    let mut items: Vec<Item> = (0..70).map(|number| item(&made, number % 3, 0, 0)).collect();
    for place in [0, 37, 69] {
        items[place] = item(&made, place % 3, 1, 0);
        let [together, alone] = verdicts(&made, &items);
        assert_eq!(together, alone);
        items[place] = item(&made, place % 3, 0, 0);
    }
    let [together, _] = verdicts(&made, &items);
    assert!(together.iter().all(Result::is_ok));
}

#[test]
fn openings_that_cancel_each_other() {
    // Two proofs whose faults would add up to nothing if each counted once: the openings of one are moved by what the other's are moved
    // back. Weights that nobody knew before tell them apart.
    use assay_verifier::halo2::curve::{G1Affine, Point};
    use halo2_proofs::halo2curves::group::Curve;
    let made = made();
    let shift = G1Affine::generator();
    let moved = |back: bool| {
        let mut messages = made[0].messages.clone();
        let last = messages.len() - 32;
        let point = Point(messages[last..].try_into().unwrap()).decode().expect("the last message is a point");
        let sum = if back { point - shift } else { point + shift };
        messages[last..].copy_from_slice(&Point::new(&sum.to_affine()).0);
        (0, made[0].statement.clone(), argument(messages))
    };
    let [together, alone] = verdicts(&made, &[moved(false), moved(true)]);
    assert!(alone.iter().all(Result::is_err));
    assert_eq!(together, alone);
}
