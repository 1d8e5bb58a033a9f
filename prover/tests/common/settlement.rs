//! Receipts and their proofs, kept as files: the ledger's tests settle them. The ledger knows no prover, so they are made here.
use std::fs;
use std::path::{Path, PathBuf};

use assay_verifier::circuit::{CheckedCircuit, Limits, Port};
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::receipt::{
    Backend, Claim, Grade, ModelId, Proving, Receipt, RequestId, SignedReceipt, Subject, request_digest,
};
use assay_verifier::signature::SigningKey;
use assay_verifier::statement::{Proof, Statement};
use assay_verifier::{verify, wire};

/// The ledger's tests have the same.
pub const CHAIN: &str = "assay-golden-1";

fn secret(number: u8) -> SigningKey {
    SigningKey::from_seed([number; 32])
}

fn folder(engine: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../ledger/tests/golden").join(engine)
}

/// The body of a request, as the service takes it, for public inputs.
fn request(key: &CheckedKey, number: u64, statement: &Statement) -> Vec<u8> {
    let tensor = |(port, integers): (&Port, &Vec<i64>)| {
        let reals: Vec<f64> = integers.iter().map(|&integer| integer as f64 / f64::from(port.scale).exp2()).collect();
        format!(r#"{{"name":{:?},"dtype":"f64","shape":{:?},"data":{reals:?}}}"#, port.name, port.dims)
    };
    let ports = &key.circuit().circuit().inputs;
    let tensors: Vec<String> = ports.iter().zip(statement.inputs.public().unwrap()).map(tensor).collect();
    format!(r#"{{"model":"{}/1","inputs":[{}],"nonce":"{number}"}}"#, key.engine(), tensors.join(",")).into_bytes()
}

/// A receipt of an answer under a key.
fn receipt(key: &CheckedKey, hiding: bool, number: u64, request: &[u8], statement: &Statement) -> SignedReceipt {
    let [payer, node, publisher] = [1, 2, 3].map(|number| secret(number).public());
    let circuit: &CheckedCircuit = key.circuit();
    let request_digest = request_digest(request);
    let receipt = Receipt {
        chain_id: CHAIN.into(),
        request: RequestId::new(CHAIN, payer, number, request_digest),
        payer,
        client_nonce: number,
        request_digest,
        model: ModelId::new(publisher, &key.engine().to_string(), "1"),
        subject: Subject::Circuit(circuit.circuit().digest()),
        backend: Backend::Zkml,
        claim: Claim::Proven,
        grade: Grade::Production,
        proving: Some(Proving { engine: key.engine(), key: key.digest(), hiding }),
        inputs: statement.inputs.digest(),
        records: Vec::new(),
        outputs: statement.outputs_digest(),
        node,
        price: 70,
        time_ms: 1_000 + number,
        proven: None,
    };
    receipt.sign(&secret(2))
}

/// Files of a key, requests, receipts and proofs; a proof is made for its number and context.
pub fn made(key: &Key, hiding: bool, count: u64, prove: impl Fn(u64, &[u8]) -> Proof) -> Vec<(String, Vec<u8>)> {
    let checked = CheckedKey::new(key, &Limits::default()).unwrap();
    let mut files = vec![("key".into(), wire::encode(key))];
    for number in 0..count {
        // The answer is there before its proof, and so is the receipt.
        let answer = prove(number, &[]).statement;
        let request = request(&checked, number, &answer);
        let receipt = receipt(&checked, hiding, number, &request, &answer);
        let proof = prove(number, &receipt.receipt.digest().0);
        files.push((format!("request_{number}"), request));
        files.push((format!("receipt_{number}"), wire::encode(&receipt)));
        files.push((format!("proof_{number}"), wire::encode(&proof)));
    }
    // One that rests on the node's word, and the proof that makes up for it if it is drawn.
    let answer = prove(count, &[]).statement;
    let request = request(&checked, count, &answer);
    let proven = receipt(&checked, hiding, count, &request, &answer).receipt;
    let receipt = Receipt { backend: Backend::Vanilla, claim: Claim::SignedOnly, proving: None, ..proven };
    let proof = prove(count, &receipt.digest().0);
    files.push(("sampled_receipt".into(), wire::encode(&receipt.sign(&secret(2)))));
    files.push(("sampled_proof".into(), wire::encode(&proof)));
    files
}

/// Writes files if they are to be blessed.
pub fn bless(engine: &str, files: impl FnOnce() -> Vec<(String, Vec<u8>)>) {
    if std::env::var_os("ASSAY_BLESS").is_some() {
        fs::create_dir_all(folder(engine)).unwrap();
        for (name, bytes) in files() {
            fs::write(folder(engine).join(name), bytes).unwrap();
        }
    }
}

/// A stored file.
pub fn stored(engine: &str, name: &str) -> Vec<u8> {
    fs::read(folder(engine).join(name)).unwrap()
}

/// Stored receipts are signed and have the proofs that they say.
pub fn check(engine: &str, count: u64) {
    let key: Key = wire::decode(&stored(engine, "key")).unwrap();
    let key = CheckedKey::new(&key, &Limits::default()).unwrap();
    for number in 0..count {
        let receipt: SignedReceipt = wire::decode(&stored(engine, &format!("receipt_{number}"))).unwrap();
        let proof: Proof = wire::decode(&stored(engine, &format!("proof_{number}"))).unwrap();
        receipt.verify().unwrap();
        assert_eq!(receipt.receipt.request_digest, request_digest(&stored(engine, &format!("request_{number}"))));
        verify(&key, &proof).unwrap();
        assert_eq!(proof.statement.context, receipt.receipt.digest().0);
        assert_eq!(proof.statement.outputs_digest(), receipt.receipt.outputs);
        assert_eq!(proof.statement.inputs.digest(), receipt.receipt.inputs);
    }
}
