//! Hostile bytes, keys and circuits: an error for each, no panic, and no more memory than they justify.
#[path = "../fuzz/targets.rs"]
#[allow(dead_code)] // corpora are replayed elsewhere
mod targets;

use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use assay_verifier::circuit::{AxisMap, CheckedCircuit, Circuit, CircuitError, Expr, Limits, Node, Op, Port, Range};
use assay_verifier::circuit::{Term, View, Weight};
use assay_verifier::key::{CheckedKey, Key, KeyError};
use assay_verifier::statement::Proof;
use assay_verifier::wire::{self, File, WireError};
use proptest::prelude::*;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const KEY: &[u8] = include_bytes!("../fuzz/golden/key.bin");
const PROOF: &[u8] = include_bytes!("../fuzz/golden/proof.bin");
const KITCHEN_SINK: &[u8] = include_bytes!("../fuzz/corpus/check_circuit/kitchen_sink");
const MODULUS: u64 = 0xffff_ffff_0000_0001;

/// Tests of this file run one after the other, so that what one allocates is not counted for another.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs something and returns how many bytes it asked for, in all and not at once.
fn allocated<T>(run: impl FnOnce() -> T) -> (T, usize) {
    let region = Region::new(ALLOCATOR);
    let result = run();
    let change = region.change();
    (result, change.bytes_allocated)
}

/// Decodes; asserts that no more is allocated than a small multiple of the input.
fn decode<T: File>(bytes: &[u8]) -> Result<T, WireError> {
    let (result, used) = allocated(|| wire::decode::<T>(bytes));
    // The decoder prepares for up to a megabyte of items at each of a few nested lists.
    assert!(used <= (8 << 20) + 64 * bytes.len(), "{used} bytes for a file of {}", bytes.len());
    result
}

fn refused<T: File>(bytes: &[u8]) -> WireError {
    match decode::<T>(bytes) {
        Ok(_) => panic!("{} bytes are accepted", bytes.len()),
        Err(error) => error,
    }
}

#[test]
fn golden_files_decode() {
    let _alone = alone();
    assert!(decode::<Key>(KEY).is_ok());
    assert!(decode::<Proof>(PROOF).is_ok());
}

#[test]
fn truncated() {
    let _alone = alone();
    for len in (0..KEY.len()).step_by(37).chain(KEY.len() - 9..KEY.len()) {
        let expected = if len < 8 { WireError::Magic(Key::NAME) } else { WireError::Malformed };
        assert_eq!(refused::<Key>(&KEY[..len]), expected, "{len}");
    }
    for len in (0..PROOF.len()).step_by(41).chain(PROOF.len() - 9..PROOF.len()) {
        let expected = if len < 8 { WireError::Magic(Proof::NAME) } else { WireError::Malformed };
        assert_eq!(refused::<Proof>(&PROOF[..len]), expected, "{len}");
    }
}

#[test]
fn trailing() {
    let _alone = alone();
    for extra in [1, 8, 1000] {
        assert_eq!(refused::<Key>(&[KEY, &vec![0; extra]].concat()), WireError::Trailing(extra));
        assert_eq!(refused::<Proof>(&[PROOF, &vec![7; extra]].concat()), WireError::Trailing(extra));
    }
}

#[test]
fn other_kinds_and_versions() {
    let _alone = alone();
    assert_eq!(refused::<Proof>(KEY), WireError::Magic("proof"));
    assert_eq!(refused::<Key>(PROOF), WireError::Magic("verification key"));
    for version in *b"023456789 " {
        let mut bytes = PROOF.to_vec();
        bytes[7] = version;
        assert_eq!(refused::<Proof>(&bytes), WireError::Magic("proof"));
    }
    assert_eq!(refused::<Key>(&[]), WireError::Magic("verification key"));
}

/// Where a value's bytes lie in a file.
fn find(file: &[u8], bytes: &[u8]) -> usize {
    file.windows(bytes.len()).position(|window| window == bytes).expect("the file holds it")
}

#[test]
fn values_with_two_encodings() {
    let _alone = alone();
    let proof: Proof = wire::decode(PROOF).unwrap();
    let key: Key = wire::decode(KEY).unwrap();
    // Every message's first coefficient, replaced by numbers that are not below the modulus.
    for message in &proof.messages {
        let at = find(PROOF, &wire::bytes(message));
        for value in [MODULUS, MODULUS + 1, u64::MAX] {
            let mut bytes = PROOF.to_vec();
            bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
            assert_eq!(refused::<Proof>(&bytes), WireError::Malformed);
        }
        let mut bytes = PROOF.to_vec();
        bytes[at + 8..at + 16].copy_from_slice(&MODULUS.to_le_bytes());
        assert_eq!(refused::<Proof>(&bytes), WireError::Malformed);
    }
    for stated in key.weights.iter().flat_map(|commitment| &commitment.stated) {
        let at = find(KEY, &wire::bytes(stated));
        let mut bytes = KEY.to_vec();
        bytes[at..at + 8].copy_from_slice(&MODULUS.to_le_bytes());
        assert_eq!(refused::<Key>(&bytes), WireError::Malformed);
    }
    // The tag of an option is zero or one.
    let bare = wire::encode(&Key { range: None, ..key });
    for tag in [2, 3, 255] {
        let mut bytes = bare.clone();
        *bytes.last_mut().unwrap() = tag;
        assert_eq!(refused::<Key>(&bytes), WireError::Malformed);
    }
    // The kind of a relation is one of four, and a name is text.
    let mut bytes = bare.clone();
    let name = find(&bare, b"x");
    bytes[name] = 0xff;
    assert_eq!(refused::<Key>(&bytes), WireError::Malformed);
}

#[test]
fn huge_lengths_in_small_files() {
    let _alone = alone();
    // Whatever the eight bytes at a place mean, as a length they promise what the file does not hold.
    for length in [1u64 << 20, 1 << 30, (1 << 31) - 1, 1 << 40, u64::MAX] {
        for at in 8..100 {
            for (file, is_key) in [(KEY, true), (PROOF, false)] {
                let mut bytes = file[..108].to_vec();
                bytes[at..at + 8].copy_from_slice(&length.to_le_bytes());
                let error = if is_key { refused::<Key>(&bytes) } else { refused::<Proof>(&bytes) };
                assert_eq!(error, WireError::Malformed);
            }
        }
        // The length of a name.
        let name = find(KEY, b"x") - 8;
        let mut bytes = KEY[..name + 100].to_vec();
        bytes[name..name + 8].copy_from_slice(&length.to_le_bytes());
        assert_eq!(refused::<Key>(&bytes), WireError::Malformed);
        // The length of the context.
        let context = find(PROOF, b"golden") - 8;
        let mut bytes = PROOF[..context + 100].to_vec();
        bytes[context..context + 8].copy_from_slice(&length.to_le_bytes());
        assert_eq!(refused::<Proof>(&bytes), WireError::Malformed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() })]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _alone = alone();
        targets::decode_key(&bytes);
        targets::decode_proof(&bytes);
        targets::check_circuit(&bytes);
        let _ = decode::<Key>(&[&Key::MAGIC, &*bytes].concat());
        let _ = decode::<Proof>(&[&Proof::MAGIC, &*bytes].concat());
    }

    #[test]
    fn changed_circuits(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let _alone = alone();
        let mut bytes = KITCHEN_SINK.to_vec();
        for (at, value) in changes {
            *at.get_mut(&mut bytes) = value;
        }
        let start = Instant::now();
        let ((), used) = allocated(|| targets::check_circuit(&bytes));
        prop_assert!(used < 2 << 30, "{used} bytes");
        prop_assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn changed_keys(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let _alone = alone();
        let mut bytes = KEY.to_vec();
        *at.get_mut(&mut bytes) ^= 1 << bit;
        if let Ok(key) = decode::<Key>(&bytes) {
            prop_assert!(CheckedKey::new(&key, &Limits::default()).is_err());
        }
    }

    #[test]
    fn changed_proofs(choices in prop::collection::vec(any::<u8>(), 0..40)) {
        let _alone = alone();
        targets::verify(&choices);
    }
}

/// One input that is read by one affine node.
fn reading(view: View, [rows, inner]: [u32; 2]) -> Circuit {
    let expr = Expr { constant: 0, terms: vec![Term::Linear { coefficient: 1, view }] };
    let port = |name: &str, node, dims: Vec<u32>| Port { name: name.into(), node, dims, order: vec![0, 1], scale: 0 };
    Circuit {
        limb_bits: 8,
        weights: Vec::new(),
        tables: Vec::new(),
        nodes: vec![
            Node { rows: 1, inner: 1, op: Op::Input(Range { low: 0, high: 1 }) },
            Node { rows, inner, op: Op::Affine(expr) },
        ],
        inputs: vec![port("x", 0, vec![1, 1])],
        outputs: vec![port("y", 1, vec![rows, inner])],
    }
}

/// A view on the input cell, with all coefficients zero.
fn view(axes: Vec<u32>, sum: Vec<u32>, dims: Vec<u32>) -> View {
    let coefficients = vec![0; axes.len() + sum.len()];
    let maps = dims.iter().map(|_| AxisMap::affine(0, coefficients.clone())).collect();
    View { source: 0, axes, sum, dims, maps }
}

fn check(circuit: Circuit) -> Result<(), CircuitError> {
    let (result, used) = allocated(|| CheckedCircuit::new(circuit, &Limits::default()).map(|_| ()));
    assert!(used < 64 << 20, "{used} bytes");
    result
}

/// Descriptions of a few bytes that ask for much.
#[test]
fn hostile_circuits() {
    let _alone = alone();
    let unfit = Err(CircuitError::Node { node: 1, reason: "a view does not fit its shapes, or is too large" });
    assert_eq!(check(reading(view(vec![2, 2], vec![], vec![1]), [2, 2])), Ok(()), "the tests' circuits are circuits");
    assert_eq!(check(reading(view(vec![1, 1], vec![u32::MAX, 0], vec![1]), [1, 1])), unfit, "an empty axis");
    assert_eq!(check(reading(view(vec![1, 1], vec![0, u32::MAX], vec![1]), [1, 1])), unfit, "an empty axis");
    assert_eq!(check(reading(view(vec![1, 1], vec![u32::MAX; 4], vec![1]), [1, 1])), unfit, "a huge sum");
    assert_eq!(check(reading(view(vec![1, 1], vec![], vec![1; 100_000]), [1, 1])), unfit, "many axes of the source");
    assert_eq!(check(reading(view(vec![1; 1000], vec![], vec![1]), [1, 1])), unfit, "many axes of the result");
    assert_eq!(check(reading(view(vec![1], vec![1; 1000], vec![1]), [1, 1])), unfit, "many summed axes");
    let many = view(vec![1 << 23, 1], vec![], vec![1; 16]);
    assert_eq!(check(reading(many, [1 << 23, 1])), unfit, "coordinates of many rows");
    let cells = Err(CircuitError::Limit { what: "cells", limit: 1 << 25 });
    assert_eq!(check(reading(view(vec![u32::MAX, 2], vec![], vec![1]), [u32::MAX, 2])), cells);
    assert_eq!(check(reading(view(vec![u32::MAX, u32::MAX], vec![], vec![1]), [u32::MAX, u32::MAX])), cells);

    // Each term costs little memory but reads a whole tensor.
    let mut circuit = reading(view(vec![1, 1 << 20], vec![], vec![1]), [1, 1 << 20]);
    let Op::Affine(expr) = &mut circuit.nodes[1].op else { panic!("affine") };
    expr.terms = vec![expr.terms[0].clone(); 300];
    assert_eq!(check(circuit), Err(CircuitError::Node { node: 1, reason: "views read too many cells" }));

    // Weights as large as a description can say.
    for [outputs, taps, channels] in [[u32::MAX; 3], [1, u32::MAX, 3], [1 << 31, 1, 1], [1, 1, u32::MAX]] {
        let mut circuit = reading(view(vec![1, 1], vec![], vec![1]), [1, 1]);
        circuit.weights = vec![Weight { outputs, taps, channels, bits: 8 }];
        assert_eq!(check(circuit), Err(CircuitError::Limit { what: "weights", limit: 1 << 28 }));
    }

    // More items than the limits.
    let mut circuit = reading(view(vec![1, 1], vec![], vec![1]), [1, 1]);
    circuit.nodes.resize(20_000, circuit.nodes[1].clone());
    assert_eq!(check(circuit), Err(CircuitError::Limit { what: "nodes", limit: 1 << 14 }));

    // Numbers at the ends of their types.
    for offset in [i64::MIN, i64::MAX, (1 << 31) + 1] {
        let mut circuit = reading(view(vec![1, 1], vec![], vec![1]), [1, 1]);
        let Op::Affine(Expr { terms, .. }) = &mut circuit.nodes[1].op else { panic!("affine") };
        let Term::Linear { view, .. } = &mut terms[0] else { panic!("linear") };
        view.maps[0].offset = offset;
        assert_eq!(check(circuit), unfit, "offset {offset}");
    }
    for coefficient in [i64::MIN, i64::MAX, 1 << 61] {
        let mut circuit = reading(view(vec![1, 1], vec![], vec![1]), [1, 1]);
        let Op::Affine(Expr { terms, .. }) = &mut circuit.nodes[1].op else { panic!("affine") };
        let Term::Linear { coefficient: factor, .. } = &mut terms[0] else { panic!("linear") };
        *factor = coefficient;
        assert_eq!(check(circuit), Err(CircuitError::Overflow { node: 1 }), "coefficient {coefficient}");
    }
}

/// A circuit within all limits whose witness is larger than the security parameters carry.
#[test]
fn witness_beyond_the_parameters() {
    let _alone = alone();
    let rows = 1 << 21;
    let mut circuit = reading(view(vec![rows, 1], vec![], vec![1]), [rows, 1]);
    let Op::Affine(expr) = circuit.nodes[1].op.clone() else { panic!("affine") };
    circuit.nodes[1].op = Op::Rescale { expr, shift: 8, low: 0, bits: 8 };
    let key = Key { circuit, weights: Vec::new(), range: None };
    let (result, used) = allocated(|| CheckedKey::new(&key, &Limits::default()));
    assert_eq!(result.err(), Some(KeyError::Parameters));
    assert!(used < 128 << 20, "{used} bytes");
}

/// One output of a product with weights: as many tensors of `2^20` channels as asked, of some outputs each.
fn products(outputs: u32, tensors: u32) -> Key {
    let channels = 1 << 20;
    let mut circuit = reading(view(vec![1, 1], vec![], vec![1]), [1, outputs]);
    circuit.nodes[0] = Node { rows: 1, inner: channels, op: Op::Input(Range { low: 0, high: 1 }) };
    circuit.inputs[0].dims = vec![1, channels];
    circuit.weights = vec![Weight { outputs, taps: 1, channels, bits: 2 }; tensors as usize];
    let maps = vec![AxisMap::affine(0, vec![0, 0, 1])];
    let view = View { source: 0, axes: vec![1, outputs], sum: vec![channels], dims: vec![channels], maps };
    let term = |weight| Term::Contract { coefficient: 1, weight, view: view.clone() };
    let expr = Expr { constant: 0, terms: (0..tensors).map(term).collect() };
    circuit.nodes[1].op = Op::Rescale { expr, shift: 20, low: -128, bits: 8 };
    let stacks = assay_verifier::sumcheck::weights::WeightStacks::new(&circuit);
    let commitment = |members: &Vec<usize>| assay_verifier::key::WeightCommitment {
        root: [0; 32],
        stated: vec![Default::default(); members.len()],
    };
    Key { weights: stacks.members.iter().map(commitment).collect(), circuit, range: None }
}

/// Each stack of weights is opened with an error of its own; together they must leave enough.
#[test]
fn weights_beyond_the_parameters() {
    let _alone = alone();
    let check =
        |outputs, tensors| CheckedKey::without_range(&products(outputs, tensors), &Limits::default()).map(|_| ()).err();
    assert_eq!(check(4, 8), None, "eight stacks of the largest size");
    assert_eq!(check(4, 60), Some(KeyError::Soundness), "sixty");
    assert_eq!(check(8, 1), Some(KeyError::Parameters), "a tensor larger than the largest stack");
}
