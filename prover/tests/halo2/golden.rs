//! A key with hidden weights and a proof with a hidden input, kept as files: the verifier's tests and fuzz targets start from them.
//!
//! Proofs are random, so the files only change when they are blessed: `ASSAY_BLESS=1 cargo test -p assay-prover --test halo2 golden`. Until then
//! they must be accepted for as long as the version of key and proof stays the same.
use std::fs;
use std::path::Path;

use assay_verifier::circuit::Limits;
use assay_verifier::halo2;
use assay_verifier::halo2::shape::Visibility;
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::statement::{Argument, Proof};
use assay_verifier::{verify, wire};

use crate::common::{Numbers, inputs_of};
use crate::real::{Made, prover, small, srs};
use crate::samples::{Form, HIDDEN, USUAL};
use crate::settlement;

/// Seeds of changes: which part, then places and bytes. See the fuzz targets.
const CHANGES: [(&str, &[u8]); 6] = [
    ("unchanged", &[]),
    ("bytes", &[0, 0, 40, 1, 4, 0, 255]),
    ("message", &[1, 0, 64, 3, 7]),
    ("truncated", &[1, 5, 0, 0]),
    ("repeated", &[1, 0, 32, 1]),
    ("key", &[2, 2, 0, 1]),
];

#[test]
fn golden_files() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../verifier/fuzz");
    let [key, proof] = ["golden/halo2_key.bin", "golden/halo2_proof.bin"].map(|name| fuzz.join(name));
    if std::env::var_os("ASSAY_BLESS").is_some() {
        let made = Made::new(Form { visibility: HIDDEN, ..USUAL });
        let argument = Argument::Halo2(halo2::Argument { messages: made.messages.clone() });
        fs::write(&key, wire::encode(&Key::from(made.key().key().clone()))).unwrap();
        fs::write(&proof, wire::encode(&Proof { statement: made.statement, argument })).unwrap();
        fs::copy(&key, fuzz.join("corpus/decode_key/halo2")).unwrap();
        fs::copy(&proof, fuzz.join("corpus/decode_proof/halo2")).unwrap();
        fs::create_dir_all(fuzz.join("corpus/verify_halo2")).unwrap();
        for (name, bytes) in CHANGES {
            fs::write(fuzz.join("corpus/verify_halo2").join(name), bytes).unwrap();
        }
    }
    let [key, proof] = [key, proof].map(|file| fs::read(file).unwrap());
    assert_eq!(fs::read(fuzz.join("corpus/decode_key/halo2")).unwrap(), key);
    assert_eq!(fs::read(fuzz.join("corpus/decode_proof/halo2")).unwrap(), proof);
    let key: Key = wire::decode(&key).unwrap();
    let proof: Proof = wire::decode(&proof).unwrap();
    assert_eq!(verify(&CheckedKey::new(&key, &Limits::default()).unwrap(), &proof), Ok(()));
}

/// Receipts that the ledger's tests settle, under a key with hidden weights.
#[test]
fn settlements() {
    settlement::bless("halo2", || {
        let visibility = Visibility { private_input: false, private_weights: true };
        let prover = prover(&small(), Form { visibility, ..USUAL }, srs());
        let prove = |number, context: &[u8]| {
            let inputs = inputs_of(prover.key().circuit().circuit(), &mut Numbers(100 + number));
            prover.prove(&inputs, context).unwrap().proof
        };
        settlement::made(&Key::from(prover.key().key().clone()), true, 2, prove)
    });
    settlement::check("halo2", 2);
}
