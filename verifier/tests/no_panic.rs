//! Hostile bytes: an error for each, no panic, and no more memory than they justify.
#[path = "../fuzz/attestation.rs"]
mod attestation;
mod support;
#[path = "../fuzz/targets.rs"]
#[allow(dead_code)] // corpora are replayed elsewhere
mod targets;

use std::time::{Duration, Instant};

use assay_verifier::audit::Bundle;
use assay_verifier::circuit::Limits;
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::statement::Proof;
use assay_verifier::sumcheck;
use assay_verifier::wire::{self, File, WireError};
use proptest::prelude::*;
use support::{allocated, alone};

const KEY: &[u8] = include_bytes!("../fuzz/golden/key.bin");
const PROOF: &[u8] = include_bytes!("../fuzz/golden/proof.bin");
/// Descriptions that have all relations together.
const CIRCUITS: [&[u8]; 3] = [
    include_bytes!("../fuzz/corpus/check_circuit/kitchen_sink"),
    include_bytes!("../fuzz/corpus/check_circuit/attention"),
    include_bytes!("../fuzz/corpus/check_circuit/small"),
];
const MODULUS: u64 = 0xffff_ffff_0000_0001;

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
    for version in *b"013456789 " {
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
    for message in &proof.argument.as_sumcheck().unwrap().messages {
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
    let key = key.as_sumcheck().unwrap().clone();
    for stated in key.weights.iter().flat_map(|commitment| &commitment.stated) {
        let at = find(KEY, &wire::bytes(stated));
        let mut bytes = KEY.to_vec();
        bytes[at..at + 8].copy_from_slice(&MODULUS.to_le_bytes());
        assert_eq!(refused::<Key>(&bytes), WireError::Malformed);
    }
    // The tag of an option is zero or one.
    let bare = wire::encode(&Key::from(sumcheck::key::Key { range: None, ..key }));
    for tag in [2, 3, 255] {
        let mut bytes = bare.clone();
        *bytes.last_mut().unwrap() = tag;
        assert_eq!(refused::<Key>(&bytes), WireError::Malformed);
    }
    // A name is text.
    let mut bytes = bare.clone();
    let name = find(&bare, b"x");
    bytes[name] = 0xff;
    assert_eq!(refused::<Key>(&bytes), WireError::Malformed);
}

#[test]
fn engines_that_are_not_there() {
    let _alone = alone();
    for number in [7u32, 1 << 16, u32::MAX] {
        let number = number.to_le_bytes();
        assert_eq!(refused::<Key>(&[&KEY[..8], &number, &KEY[12..]].concat()), WireError::Malformed);
        // The argument follows the statement; what it says of the inputs follows the key's digest.
        let argument = 8 + wire::bytes(&wire::decode::<Proof>(PROOF).unwrap().statement).len();
        for at in [40, argument] {
            let changed = [&PROOF[..at], &number, &PROOF[at + 4..]].concat();
            assert_eq!(refused::<Proof>(&changed), WireError::Malformed, "{at}");
        }
    }
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
        targets::audit(&[[3].as_slice(), &bytes].concat());
        let _ = decode::<Bundle>(&[&Bundle::MAGIC, &*bytes].concat());
        let _ = decode::<Key>(&[&Key::MAGIC, &*bytes].concat());
        let _ = decode::<Proof>(&[&Proof::MAGIC, &*bytes].concat());
    }

    #[test]
    fn evidence_of_enclaves(kind in any::<u8>(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _alone = alone();
        let run = || {
            attestation::nitro(&bytes);
            attestation::dcap(&[&[kind], &*bytes].concat());
            attestation::snp(&[&[kind], &*bytes].concat());
        };
        let ((), used) = allocated(run);
        prop_assert!(used < 4 << 20, "{used} bytes");
    }

    #[test]
    fn changed_circuits(
        circuit in 0..CIRCUITS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let _alone = alone();
        let mut bytes = CIRCUITS[circuit].to_vec();
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
    fn changed_bundles(choices in prop::collection::vec(any::<u8>(), 0..40)) {
        let _alone = alone();
        targets::audit(&choices);
    }

    #[test]
    fn changed_proofs(choices in prop::collection::vec(any::<u8>(), 0..40)) {
        let _alone = alone();
        targets::verify(&choices);
    }
}
