//! Keys, receipts and proofs of both engines. The prover's tests made them; see there for how they are renewed.
use assay_ledger::tx::{Evidence, Payload, Settle};
use assay_verifier::digest::SrsDigest;
use assay_verifier::key::Key;
use assay_verifier::receipt::{Backend, Program, Receipt, SignedReceipt};
use assay_verifier::settlement::model::Manifest;
use assay_verifier::settlement::payment::Authorisation;
use assay_verifier::wire::{self, Bytes};

pub const ENGINES: [(&str, u64); 2] = [("sumcheck", 3), ("halo2", 2)];

pub fn file(engine: &str, name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(engine).join(name);
    std::fs::read(path).unwrap()
}

pub fn key(engine: &str) -> Key {
    wire::decode(&file(engine, "key")).unwrap()
}

/// The reference string of the key of `halo2`.
pub fn srs() -> SrsDigest {
    let Key::Halo2(key) = key("halo2") else { panic!("a key of halo2") };
    key.srs.digest()
}

pub fn receipt(engine: &str, number: u64) -> SignedReceipt {
    wire::decode(&file(engine, &format!("receipt_{number}"))).unwrap()
}

pub fn proof(engine: &str, number: u64) -> Vec<u8> {
    file(engine, &format!("proof_{number}"))
}

pub fn manifest(engine: &str) -> Manifest {
    let key = key(engine);
    Manifest {
        program: Program::Circuit(key.circuit().digest()),
        keys: vec![key.digest()],
        ..super::manifest(engine, "1")
    }
}

pub fn publish(engine: &str) -> Payload {
    super::published(manifest(engine), vec![file(engine, "key")])
}

pub fn authorisation(engine: &str, number: u64) -> Authorisation {
    let Receipt { model, request_digest, .. } = receipt(engine, number).receipt;
    Authorisation { model, request_digest, backend: Backend::Zkml, ..super::authorisation(number) }
}

pub fn leaf(engine: &str, number: u64) -> Settle {
    Settle { receipt: receipt(engine, number), evidence: Evidence::Proof(Bytes(proof(engine, number))) }
}

/// A receipt on the node's word, and its proof in case it is drawn.
pub fn sampled(engine: &str) -> (SignedReceipt, Vec<u8>) {
    (wire::decode(&file(engine, "sampled_receipt")).unwrap(), file(engine, "sampled_proof"))
}

pub fn settle(engine: &str, number: u64) -> Payload {
    Payload::Settle(Box::new(leaf(engine, number)))
}
