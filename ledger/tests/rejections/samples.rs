//! Samples: who answers on its word and is drawn must prove it, in time and with the right proof, or loses stake.
use assay_ledger::Rejection;
use assay_ledger::genesis::RawGenesis;
use assay_ledger::tx::{DeregisterNode, Evidence, Payload, PenaliseSample, ProveSample, ReleaseStake, Settle};
use assay_verifier::digest::{Digest32, KeyDigest};
use assay_verifier::receipt::{Backend, RequestId};
use assay_verifier::settlement::keys;
use assay_verifier::settlement::node::Stake;
use assay_verifier::settlement::payment::{Authorisation, Settlement};
use assay_verifier::settlement::sampling::{Outcome, Sample, Sampling};
use assay_verifier::statement::Proof;
use assay_verifier::wire::{self, Bytes};

use crate::Seen;
use crate::common::*;

type Change = fn(&mut ProveSample);

const SAMPLING: Sampling = Sampling { share_ppm: 1_000_000, blocks: 5, cut: 400 };

pub fn all(seen: &mut Seen) {
    for (engine, _) in golden::ENGINES {
        proven(seen, engine);
    }
    missed(seen);
    not_drawn(seen);
    stakes(seen);
}

/// A chain where the request that was answered on the node's word is settled, in the block before the next.
fn settled(sampling: Sampling, engine: &str) -> Chain {
    let mut chain = Chain::of(&RawGenesis { sampling, srs: vec![golden::srs().to_string()], ..genesis() });
    chain.good(NODE, register());
    chain.good(PAYER, deposit(10_000));
    chain.good(PUBLISHER, golden::publish(engine));
    let (receipt, _) = golden::sampled(engine);
    let named = &receipt.receipt;
    let (client_nonce, request_digest, model) = (named.client_nonce, named.request_digest, named.model);
    let backend = Backend::Vanilla;
    chain.good(PAYER, reserve(Authorisation { client_nonce, request_digest, model, backend, ..authorisation(0) }));
    chain.good(NODE, Payload::Settle(Box::new(Settle { receipt, evidence: Evidence::Signature })));
    chain
}

fn request(engine: &str) -> RequestId {
    golden::sampled(engine).0.receipt.request
}

fn prove(engine: &str, change: impl FnOnce(&mut ProveSample)) -> Payload {
    let (receipt, proof) = golden::sampled(engine);
    let key = golden::key(engine).digest();
    let mut payload = ProveSample { receipt: receipt.receipt, key, proof: Bytes(proof) };
    change(&mut payload);
    Payload::ProveSample(Box::new(payload))
}

fn penalise(engine: &str) -> Payload {
    Payload::PenaliseSample(PenaliseSample { request: request(engine) })
}

fn stake(chain: &Chain) -> Stake {
    chain.read(&keys::stake(key(NODE))).unwrap()
}

fn proven(seen: &mut Seen, engine: &str) {
    let mut chain = settled(SAMPLING, engine);
    // The block after the settlement draws, so nothing can be said in it.
    seen.refused(&mut chain, NODE, prove(engine, |_| {}), Rejection::SampleUndecided);
    let other = |sample: &mut ProveSample| sample.receipt.request = RequestId([1; 32]);
    seen.refused(&mut chain, NODE, prove(engine, other), Rejection::SettlementUnknown);
    let changes: [(Change, Rejection); 6] = [
        // Every field of the receipt is in its digest.
        (|sample| sample.receipt.outputs = Digest32([9; 32]), Rejection::SampleReceipt),
        (|sample| sample.receipt.inputs = Digest32([9; 32]), Rejection::SampleReceipt),
        (|sample| sample.receipt.time_ms += 1, Rejection::SampleReceipt),
        (|sample| sample.key = KeyDigest([1; 32]), Rejection::ReceiptKey),
        (|sample| sample.proof.0.truncate(40), Rejection::ProofMalformed),
        (
            |sample| {
                let mut proof: Proof = wire::decode(&sample.proof.0).unwrap();
                proof.statement.outputs[0][0] ^= 1;
                sample.proof = Bytes(wire::encode(&proof));
            },
            Rejection::ProofRefused,
        ),
    ];
    for (change, why) in changes {
        // Each on a chain of its own, where there is time.
        let mut chain = settled(SAMPLING, engine);
        chain.block(&[]);
        seen.refused(&mut chain, NODE, prove(engine, change), why);
    }
    // A proof that holds, of another request.
    let other = |sample: &mut ProveSample| sample.proof = Bytes(golden::proof(engine, 1));
    seen.refused(&mut chain, NODE, prove(engine, other), Rejection::ProofInputs);
    seen.refused(&mut chain, PAYER, penalise(engine), Rejection::SampleOpen);
    let height = chain.app.last().height;
    // Anyone may hand it in.
    chain.good(STRANGER_WITH_MONEY, prove(engine, |_| {}));
    let sample: Sample = chain.read(&keys::sample(request(engine))).unwrap();
    assert!(matches!(sample.outcome, Outcome::Proven(_, key) if key == golden::key(engine).digest()));
    assert_eq!(sample.height, height + 1);
    seen.refused(&mut chain, NODE, prove(engine, |_| {}), Rejection::SampleConcluded);
    for _ in 0..10 {
        chain.block(&[]);
    }
    seen.refused(&mut chain, PAYER, penalise(engine), Rejection::SampleConcluded);
    assert_eq!(stake(&chain).amount, node().stake);
}

fn missed(seen: &mut Seen) {
    let mut chain = settled(SAMPLING, "sumcheck");
    let settlement: Settlement = chain.read(&keys::settlement(request("sumcheck"))).unwrap();
    while chain.next().height < SAMPLING.last(settlement.height) {
        chain.block(&[]);
    }
    seen.refused(&mut chain, PAYER, penalise("sumcheck"), Rejection::SampleOpen);
    seen.refused(&mut chain, NODE, prove("sumcheck", |_| {}), Rejection::SampleLate);
    let before = chain.account(PAYER).escrow;
    chain.good(STRANGER_WITH_MONEY, penalise("sumcheck"));
    assert_eq!(stake(&chain).amount, node().stake - SAMPLING.cut);
    assert_eq!(chain.account(PAYER).escrow, before + settlement.price);
    let sample: Sample = chain.read(&keys::sample(request("sumcheck"))).unwrap();
    assert_eq!(sample.outcome, Outcome::Missed(SAMPLING.cut));
    seen.refused(&mut chain, PAYER, penalise("sumcheck"), Rejection::SampleConcluded);
}

fn not_drawn(seen: &mut Seen) {
    let none = Sampling { share_ppm: 0, ..SAMPLING };
    let mut chain = settled(none, "sumcheck");
    chain.block(&[]);
    seen.refused(&mut chain, PAYER, penalise("sumcheck"), Rejection::SampleNotDrawn);
    // What was proven at once, and what cannot be proven at all, is not drawn either.
    let mut chain = settled(SAMPLING, "sumcheck");
    chain.good(PUBLISHER, publish("model", "1"));
    chain.good(PAYER, reserve(authorisation(1)));
    chain.good(PAYER, reserve(golden::authorisation("sumcheck", 0)));
    chain.good(NODE, golden::settle("sumcheck", 0));
    chain.good(NODE, settle(receipt(1)));
    chain.block(&[]);
    for request in [receipt(1).request, golden::receipt("sumcheck", 0).receipt.request] {
        let penalise = Payload::PenaliseSample(PenaliseSample { request });
        seen.refused(&mut chain, PAYER, penalise, Rejection::SampleNotDrawn);
    }
    // Whoever waits until the hash is gone waits too long.
    let mut chain = settled(SAMPLING, "sumcheck");
    for _ in 0..chain.app.reader().rules().block_hashes_kept() {
        chain.block(&[]);
    }
    chain.block(&[]);
    seen.refused(&mut chain, PAYER, penalise("sumcheck"), Rejection::SampleForgotten);
}

fn stakes(seen: &mut Seen) {
    let release = || Payload::ReleaseStake(ReleaseStake {});
    let mut chain = settled(SAMPLING, "sumcheck");
    seen.refused(&mut chain, PAYER, release(), Rejection::StakeUnknown);
    seen.refused(&mut chain, NODE, release(), Rejection::StakeBonded);
    chain.good(NODE, Payload::DeregisterNode(DeregisterNode { reason: "off".into() }));
    // Running away does not help.
    let free_from = stake(&chain).free_from.unwrap();
    assert_eq!(free_from, SAMPLING.free_from(chain.app.last().height));
    let settlement: Settlement = chain.read(&keys::settlement(request("sumcheck"))).unwrap();
    while chain.next().height <= SAMPLING.last(settlement.height) {
        seen.refused(&mut chain, NODE, release(), Rejection::StakeBonded);
    }
    chain.good(PAYER, penalise("sumcheck"));
    while chain.next().height < free_from {
        chain.block(&[]);
    }
    let before = chain.account(NODE).balance;
    chain.good(NODE, release());
    assert_eq!(chain.account(NODE).balance, before + node().stake - SAMPLING.cut - FEE);
    seen.refused(&mut chain, NODE, release(), Rejection::StakeUnknown);
    // There is nothing left to penalise, and the stake that is left is not enough to go on.
    let cut = Sampling { cut: node().stake, ..SAMPLING };
    let mut chain = settled(cut, "sumcheck");
    for _ in 0..6 {
        chain.block(&[]);
    }
    chain.good(PAYER, penalise("sumcheck"));
    chain.good(PUBLISHER, publish("model", "1"));
    chain.good(PAYER, reserve(authorisation(1)));
    seen.refused(&mut chain, NODE, settle(receipt(1)), Rejection::StakeTooLow);
    // It can register again with a new stake.
    chain.good(NODE, Payload::DeregisterNode(DeregisterNode { reason: "cut".into() }));
    chain.good(NODE, register());
    assert_eq!(stake(&chain), Stake { amount: node().stake, free_from: None });
    chain.good(NODE, settle(receipt(1)));
}

/// Proofs and penalties are anyone's to hand in.
const STRANGER_WITH_MONEY: u8 = GOVERNANCE;
