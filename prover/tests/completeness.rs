//! Honest proofs verify.
mod common;

use assay_prover::sumcheck::Prover;
use assay_verifier::circuit::Limits;
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::statement::Proof;
use assay_verifier::{sumcheck, wire};
use common::{Numbers, inputs_of, kitchen_sink, weights_of};

#[test]
fn every_relation_proves_and_verifies() {
    for limb_bits in [4, 7, 8, 11, 16] {
        let mut numbers = Numbers(limb_bits.into());
        let circuit = kitchen_sink(limb_bits);
        let weights = weights_of(&circuit, &mut numbers);
        let inputs = inputs_of(&circuit, &mut numbers);
        let prover = Prover::new(circuit, weights).unwrap();
        let key = prover.prove_range().unwrap();
        let key: Key = wire::decode(&wire::encode(&key)).unwrap();
        let checked = CheckedKey::new(&key, &Limits::default()).unwrap();
        let proof = prover.prove(&inputs, b"context").unwrap();
        let proof: Proof = wire::decode(&wire::encode(&proof)).unwrap();
        sumcheck::verify(&checked, &proof).unwrap();
    }
}
