//! Answers on a node's word that are drawn to be proven after all.
use assay_ledger::tx::{Evidence as Shown, Payload, PenaliseSample, ProveSample};
use assay_verifier::audit::{Answer, Bundle, Evidence, SampleProof};
use assay_verifier::circuit::Port;
use assay_verifier::key::Key;
use assay_verifier::receipt::SignedReceipt;
use assay_verifier::statement::Proof;
use assay_verifier::wire::{self, Bytes};

use super::world::*;

/// What the prover's tests made: the receipt, and the proof in case it is drawn.
pub fn sampled(engine: &str) -> (SignedReceipt, Vec<u8>) {
    (wire::decode(&golden(engine, "sampled_receipt")).unwrap(), golden(engine, "sampled_proof"))
}

/// The request, which the prover's tests make of the proof's inputs.
fn asked(engine: &str, proof: &Proof, number: u64) -> Vec<u8> {
    let key: Key = wire::decode(&golden(engine, "key")).unwrap();
    let tensor = |(port, integers): (&Port, &Vec<i64>)| {
        let reals: Vec<f64> = integers.iter().map(|&integer| integer as f64 / f64::from(port.scale).exp2()).collect();
        format!(r#"{{"name":{:?},"dtype":"f64","shape":{:?},"data":{reals:?}}}"#, port.name, port.dims)
    };
    let inputs = proof.statement.inputs.public().unwrap();
    let tensors: Vec<String> = key.circuit().inputs.iter().zip(inputs).map(tensor).collect();
    format!(r#"{{"model":"{engine}/1","inputs":[{}],"nonce":"{number}"}}"#, tensors.join(",")).into_bytes()
}

impl World {
    /// A chain where the answer is settled and drawn.
    pub fn drawn(engine: &str, blocks: u64) -> Self {
        let mut world = Self::drawing(blocks);
        world.settle_with(sampled(engine).0, Shown::Signature);
        world.block();
        world
    }

    /// Proves it.
    pub fn prove(&mut self, engine: &str) {
        let (receipt, proof) = sampled(engine);
        let key: Key = wire::decode(&golden(engine, "key")).unwrap();
        let (receipt, key, proof) = (receipt.receipt, key.digest(), Bytes(proof));
        self.send(NODE, Payload::ProveSample(Box::new(ProveSample { receipt, key, proof })));
    }

    /// Lets the time for that pass, and penalises the node.
    pub fn miss(&mut self, engine: &str, blocks: u64) {
        for _ in 0..=blocks {
            self.block();
        }
        let request = sampled(engine).0.receipt.request;
        self.send(PAYER, Payload::PenaliseSample(PenaliseSample { request }));
    }

    /// The bundle of the answer, as of now.
    pub fn sampled_bundle(&self, engine: &str) -> Bundle {
        let (receipt, file) = sampled(engine);
        let proof: Proof = wire::decode(&file).unwrap();
        let request = asked(engine, &proof, receipt.receipt.client_nonce);
        let mut ledger = self.ledger(&receipt.receipt);
        if let Some(sample) = &mut ledger.sample {
            let (proof, key) = (Bytes(file), Bytes(golden(engine, "key")));
            sample.proof = Some(Box::new(SampleProof { proof, key }));
        }
        let answer = Answer { inputs: proof.statement.inputs.clone(), outputs: proof.statement.outputs.clone() };
        let evidence = Evidence::Answer(answer);
        Bundle { receipt, request: Some(Bytes(request)), records: Vec::new(), evidence, ledger: Some(ledger) }
    }
}
