//! Calls that are no calls of the verifier: words out of range, other lengths, and the chain's own ways.
use assay_verifier::circuit::Range;
use assay_verifier::halo2::field;
use revm::primitives::U256;

use super::chain::Chain;
use super::sample::{CONTEXT, KEY, Setup};
use super::{Case, HIDING, USUAL, WIDE, call};
use assay_prover::halo2::evm::{Contract, Hidden};

/// A large number that is within bounds.
const BOUND: i64 = 1 << 40;
const SCALAR_MODULUS: &str = "0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
const BASE_MODULUS: &str = "0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";

fn word(data: &[u8], index: usize) -> U256 {
    U256::from_be_slice(&data[32 * index..32 * index + 32])
}

fn with_word(data: &[u8], index: usize, word: U256) -> Vec<u8> {
    let mut changed = data.to_vec();
    changed[32 * index..32 * index + 32].copy_from_slice(&word.to_be_bytes::<32>());
    changed
}

/// Which words of a call are coordinates of points: the rest but for the context are scalars.
fn coordinates(case: &Case) -> Vec<usize> {
    let inputs = 1..1 + 2 * case.proven.inputs.len();
    let first = inputs.end + case.proven.instances.len();
    let words = case.data.len() / 32;
    let points = words - first - case.proven.proof.len() / 32;
    // Behind the evaluations are the opening's points and, with hidden columns, a mask and an answer for each blinding row.
    let hides = usize::from(case.setup.form.weights + case.setup.form.inputs > 0);
    let (last, answers) = (2 + hides, hides * case.setup.blinding_rows());
    let end = words - answers;
    inputs.chain(first..first + 2 * (points - last)).chain(end - 2 * last..end).collect()
}

#[test]
fn a_bit_of_any_word_matters() {
    for (form, bits) in [(USUAL, &[0, 100, 255][..]), (HIDING, &[0]), (WIDE, &[7])] {
        let mut case = Case::new(form);
        for index in 0..case.data.len() / 32 {
            for bit in bits {
                let flipped = word(&case.data, index) ^ (U256::from(1) << bit);
                let data = with_word(&case.data, index, flipped);
                assert!(!case.chain.call(&data).accepted(), "bit {bit} of word {index}");
            }
        }
    }
}

#[test]
fn words_that_are_not_reduced_are_rejected() {
    let mut case = Case::new(HIDING);
    let coordinates = coordinates(&case);
    for index in 1..case.data.len() / 32 {
        let modulus = if coordinates.contains(&index) { BASE_MODULUS } else { SCALAR_MODULUS };
        let modulus: U256 = modulus.parse().unwrap();
        let reduced = word(&case.data, index);
        assert!(reduced < modulus);
        for multiple in [1, 2, 3, 4] {
            let data = with_word(&case.data, index, reduced + modulus * U256::from(multiple));
            assert!(!case.chain.call(&data).accepted(), "word {index} and {multiple} times the modulus");
        }
        for other in [modulus, modulus - U256::from(1), U256::MAX] {
            let data = with_word(&case.data, index, other);
            assert!(!case.chain.call(&data).accepted(), "word {index} as {other}");
        }
    }
}

#[test]
fn points_off_the_curve_and_infinity_are_rejected() {
    let mut case = Case::new(HIDING);
    let coordinates = coordinates(&case);
    assert_eq!(coordinates.len() % 2, 0);
    for pair in coordinates.chunks(2) {
        for point in [(0, 0), (0, 1), (1, 1), (1, 0)] {
            let data = with_word(&case.data, pair[0], U256::from(point.0));
            let data = with_word(&data, pair[1], U256::from(point.1));
            assert!(!case.chain.call(&data).accepted(), "{point:?} as point at word {}", pair[0]);
        }
        let (x, y) = (word(&case.data, pair[0]), word(&case.data, pair[1]));
        let data = with_word(&with_word(&case.data, pair[0], y), pair[1], x);
        assert!(!case.chain.call(&data).accepted(), "swapped coordinates at word {}", pair[0]);
    }
}

#[test]
fn calls_of_another_length_are_rejected() {
    let mut case = Case::new(USUAL);
    let data = case.data.clone();
    for size in [0, 1, 4, 31, 32, 64, data.len() - 32, data.len() - 1] {
        assert!(!case.chain.call(&data[..size]).accepted(), "the first {size} bytes");
    }
    for more in [1, 31, 32, 64, 10_000] {
        let longer = [data.clone(), vec![0; more]].concat();
        assert!(!case.chain.call(&longer).accepted(), "{more} bytes more");
    }
    let without_a_value = [&data[..32], &data[64..]].concat();
    assert!(!case.chain.call(&without_a_value).accepted());
    let with_a_selector = [&[1, 2, 3, 4], &data[..]].concat();
    assert!(!case.chain.call(&with_a_selector).accepted());
}

#[test]
fn value_is_rejected() {
    let mut case = Case::new(USUAL);
    assert!(case.chain.pay(&case.data, 0).accepted());
    assert!(!case.chain.pay(&case.data, 1).accepted());
}

#[test]
fn a_contract_is_for_one_key_and_one_setup() {
    let case = Case::new(USUAL);
    let key = case.setup.key.get_vk();
    let mut digest = KEY;
    digest[0] ^= 1;
    let opening = case.setup.opening();
    let mut other_setup = opening;
    other_setup.s_g2 = opening.g2;
    let (hidden, public) = (Hidden::default(), case.setup.public(None));
    for contract in [
        Contract::new(key, &opening, &hidden, &public, digest).unwrap(),
        Contract::new(key, &other_setup, &hidden, &public, KEY).unwrap(),
        Setup::new(super::Form { copies: 4, squares: 5, ..USUAL }).contract(&[]).unwrap(),
    ] {
        let mut chain = Chain::deploy(contract.creation());
        assert!(!chain.call(&case.data).accepted());
    }
    let again = case.setup.contract(&[]).unwrap();
    assert_eq!(again.code(), case.contract.code());
    assert_eq!(call(&again, &case.proven, &CONTEXT).unwrap(), case.data);
}

#[test]
fn values_out_of_range_are_rejected() {
    let setup = Setup::new(USUAL);
    for value in [3, -4] {
        let proven = setup.prove(value as u64, None);
        assert_eq!(proven.instances[0], field(value));
        for (low, high) in [(-4, 3), (value, value), (-BOUND, BOUND), (value + 1, BOUND), (-BOUND, value - 1), (0, 2)] {
            let public = setup.public(Range::new(low.into(), high.into()));
            let hidden = Hidden::default();
            let contract = Contract::new(setup.key.get_vk(), &setup.opening(), &hidden, &public, KEY).unwrap();
            let data = call(&contract, &proven, &CONTEXT).unwrap();
            let accepted = Chain::deploy(contract.creation()).call(&data).accepted();
            assert_eq!(accepted, (low..=high).contains(&value), "{value} in {low} to {high}");
        }
    }
}
