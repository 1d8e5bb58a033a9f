//! Proofs of both engines: each is good for one receipt, and only if all of it holds.
use assay_ledger::Rejection;
use assay_ledger::genesis::RawGenesis;
use assay_ledger::tx::{Evidence, Payload, Settle};
use assay_verifier::key::Engine;
use assay_verifier::receipt::{Proving, Receipt};
use assay_verifier::settlement::keys;
use assay_verifier::settlement::payment::Settlement;
use assay_verifier::statement::{Argument, Proof};
use assay_verifier::wire::{self, Bytes};

use crate::Seen;
use crate::common::*;

pub fn all(seen: &mut Seen) {
    for (engine, count) in golden::ENGINES {
        let mut chain = ready(engine, count);
        receipts(seen, &mut chain, engine);
        proofs(seen, &mut chain, engine);
        for number in 0..count {
            chain.good(NODE, golden::settle(engine, number));
            let settled: Settlement =
                chain.read(&keys::settlement(golden::receipt(engine, number).receipt.request)).unwrap();
            assert_eq!(settled.proof.unwrap().1, golden::key(engine).digest());
            seen.refused(&mut chain, NODE, golden::settle(engine, number), Rejection::RequestSettled);
        }
    }
}

/// A chain where both models are published, and the requests of one engine are reserved.
fn ready(engine: &str, count: u64) -> Chain {
    let mut chain = Chain::of(&RawGenesis { srs: vec![golden::srs().to_string()], ..genesis() });
    for (who, payload) in [(NODE, register()), (PAYER, deposit(10_000))] {
        chain.good(who, payload);
    }
    for (engine, _) in golden::ENGINES {
        chain.good(PUBLISHER, golden::publish(engine));
    }
    for number in 0..count {
        chain.good(PAYER, reserve(golden::authorisation(engine, number)));
    }
    chain
}

/// A receipt of the node for request 0 that says something else, with the proof of request 0.
fn otherwise(engine: &str, change: impl Fn(&mut Receipt)) -> Payload {
    let mut receipt = golden::receipt(engine, 0).receipt;
    change(&mut receipt);
    let evidence = Evidence::Proof(Bytes(golden::proof(engine, 0)));
    Payload::Settle(Box::new(Settle { receipt: receipt.sign(&secret(NODE)), evidence }))
}

fn receipts(seen: &mut Seen, chain: &mut Chain, engine: &str) {
    let other = if engine == "halo2" { "sumcheck" } else { "halo2" };
    let proving = golden::receipt(engine, 0).receipt.proving.unwrap();
    let says = |proving: Proving| otherwise(engine, move |receipt| receipt.proving = Some(proving));
    let key = golden::key(other).digest();
    seen.refused(chain, NODE, says(Proving { key, ..proving }), Rejection::ReceiptKey);
    let swapped = if proving.engine == Engine::Halo2 { Engine::Sumcheck } else { Engine::Halo2 };
    seen.refused(chain, NODE, says(Proving { engine: swapped, ..proving }), Rejection::ReceiptEngine);
    seen.refused(chain, NODE, says(Proving { hiding: !proving.hiding, ..proving }), Rejection::ReceiptHiding);
    let model = golden::manifest(other).id();
    seen.refused(chain, NODE, otherwise(engine, |receipt| receipt.model = model), Rejection::ReceiptModel);
    let vanilla = Settle { evidence: Evidence::Signature, ..golden::leaf(engine, 0) };
    seen.refused(chain, NODE, Payload::Settle(Box::new(vanilla)), Rejection::EvidenceKind);
    // An answer that the proof is not of, and a receipt that it is not bound to.
    let digest = golden::receipt(engine, 1).receipt.request_digest;
    seen.refused(chain, NODE, otherwise(engine, |receipt| receipt.inputs = digest), Rejection::ProofInputs);
    seen.refused(chain, NODE, otherwise(engine, |receipt| receipt.outputs = digest), Rejection::ProofOutputs);
    seen.refused(chain, NODE, otherwise(engine, |receipt| receipt.time_ms += 1), Rejection::ProofReceipt);
    seen.refused(chain, NODE, otherwise(engine, |receipt| receipt.price -= 1), Rejection::ProofReceipt);
}

fn proofs(seen: &mut Seen, chain: &mut Chain, engine: &str) {
    let with = |file: Vec<u8>| {
        Payload::Settle(Box::new(Settle { evidence: Evidence::Proof(Bytes(file)), ..golden::leaf(engine, 0) }))
    };
    let file = golden::proof(engine, 0);
    for malformed in [Vec::new(), file[..file.len() - 1].to_vec(), [file.as_slice(), &[0]].concat(), vec![0; 100]] {
        seen.refused(chain, NODE, with(malformed), Rejection::ProofMalformed);
    }
    // Another request's proof holds, but for something else.
    seen.refused(chain, NODE, with(golden::proof(engine, 1)), Rejection::ProofInputs);
    let other = if engine == "halo2" { "sumcheck" } else { "halo2" };
    seen.refused(chain, NODE, with(golden::proof(other, 0)), Rejection::ProofKey);
    let proof: Proof = wire::decode(&file).unwrap();
    let changed = |change: &dyn Fn(&mut Proof)| {
        let mut proof = proof.clone();
        change(&mut proof);
        wire::encode(&proof)
    };
    let spliced: Proof = wire::decode(&golden::proof(engine, 1)).unwrap();
    let forged = [
        changed(&|proof| proof.statement.outputs[0][0] ^= 1),
        changed(&|proof| proof.statement.inputs.public_mut().unwrap()[0][0] ^= 1),
        changed(&|proof| proof.statement.context[0] ^= 1),
        changed(&|proof| proof.argument = spliced.argument.clone()),
        changed(&|proof| match &mut proof.argument {
            Argument::Sumcheck(argument) => argument.root[0] ^= 1,
            Argument::Halo2(argument) => argument.messages[40] ^= 1,
        }),
    ];
    for file in forged {
        seen.refused(chain, NODE, with(file), Rejection::ProofRefused);
    }
}
