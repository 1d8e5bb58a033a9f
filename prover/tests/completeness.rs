//! Honest proofs verify.
#[allow(dead_code)] // not everything that tests share is needed here
mod common;

use assay_prover::sumcheck::Prover;
use assay_verifier::circuit::Limits;
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::statement::Proof;
use assay_verifier::{verify, wire};
use common::attention::attention;
use common::{Numbers, inputs_of, kitchen_sink, weights_of};

#[test]
fn every_relation_proves_and_verifies() {
    for (limb_bits, circuit) in
        [4, 7, 8, 11, 16].into_iter().flat_map(|bits| [(bits, kitchen_sink(bits)), (bits, attention(bits))])
    {
        let mut numbers = Numbers(limb_bits.into());
        let weights = weights_of(&circuit, &mut numbers);
        let inputs = inputs_of(&circuit, &mut numbers);
        let prover = Prover::new(circuit, weights).unwrap();
        let key = Key::from(prover.prove_range().unwrap());
        let key: Key = wire::decode(&wire::encode(&key)).unwrap();
        let checked = CheckedKey::new(&key, &Limits::default()).unwrap();
        let proof = prover.prove(&inputs, b"context").unwrap();
        let proof: Proof = wire::decode(&wire::encode(&proof)).unwrap();
        verify(&checked, &proof).unwrap();
    }
}
