//! A chain that trusts a software attester, and what a node shows on it.
use assay_ledger::genesis::{RawGenesis, RawTrustRoot};
use assay_ledger::tx::{ApproveMeasurement, AttestNode, Payload, RegisterNode, ShownEvidence};
use assay_verifier::receipt::{Backend, Claim, Grade, Receipt};
use assay_verifier::settlement::keys;
use assay_verifier::settlement::node::{Measurement, Node, Platform};
use assay_verifier::settlement::payment::{Authorisation, BlockHash};
use assay_verifier::tee::software::{Attester, Claims};
use assay_verifier::tee::{Binding, Evidence, Policy};

use super::*;

/// Certificates and collateral of simulated documents hold so long.
pub const LIFETIME_MS: u64 = 60_000;

pub fn attester() -> Attester {
    Attester::from_seed([7; 32])
}

/// A genesis that trusts the attester.
pub fn simulated() -> RawGenesis {
    let roots = attester().roots().map(|root| RawTrustRoot {
        platform: root.platform,
        certificate: root.certificate.to_string(),
        grade: root.grade,
    });
    RawGenesis { trust_roots: roots.to_vec(), attestation: Policy::usual(Grade::Simulated), ..genesis() }
}

pub fn registers(platform: Platform) -> Vec<Vec<u8>> {
    let count = if platform == Platform::Nitro { 3 } else { 5 };
    (1u8..).take(count).map(|number| vec![number; 48]).collect()
}

pub fn measurement(platform: Platform) -> Measurement {
    Measurement { platform, registers: registers(platform), software: "assay 0.1".into() }
}

pub fn approve(platform: Platform) -> Payload {
    Payload::ApproveMeasurement(ApproveMeasurement { measurement: measurement(platform), expires: None })
}

/// A chain with a model, a deposit, and approved software of both platforms.
pub fn chain() -> Chain {
    let mut chain = Chain::of(&simulated());
    for platform in [Platform::Nitro, Platform::Tdx] {
        chain.good(GOVERNANCE, approve(platform));
    }
    chain.good(PUBLISHER, publish("model", "1"));
    chain.good(PAYER, deposit(10_000));
    chain
}

/// What a document for this person's key has to say in the next block.
pub fn claims(chain: &Chain, who: u8, platform: Platform) -> Claims {
    Claims {
        registers: registers(platform),
        binding: Binding::new(CHAIN, key(who), last_hash(chain)),
        time_ms: chain.app.last_time_ms(),
        lifetime_ms: LIFETIME_MS,
    }
}

/// The hash of the last block.
pub fn last_hash(chain: &Chain) -> [u8; 32] {
    let found: BlockHash = chain.read(&keys::block_hash(chain.app.last().height)).unwrap();
    found.hash
}

pub fn evidence(chain: &Chain, who: u8, platform: Platform) -> Evidence {
    let claims = claims(chain, who, platform);
    match platform {
        Platform::Nitro => attester().nitro(&claims).sign(),
        _ => attester().tdx(&claims).sign(),
    }
}

/// Evidence that names the last block.
pub fn shown(chain: &Chain, evidence: Evidence) -> ShownEvidence {
    ShownEvidence { evidence, nonce_height: chain.app.last().height }
}

pub fn enclave() -> Node {
    Node { backends: vec![Backend::Tee], ..node() }
}

pub fn register_with(shown: ShownEvidence) -> Payload {
    Payload::RegisterNode(RegisterNode { node: enclave(), attestation: Some(Box::new(shown)) })
}

pub fn attest(shown: ShownEvidence) -> Payload {
    Payload::AttestNode(Box::new(AttestNode { shown }))
}

/// The node registers with a document of this platform.
pub fn registered(chain: &mut Chain, platform: Platform) {
    let shown = shown(chain, evidence(chain, NODE, platform));
    chain.good(NODE, register_with(shown));
}

pub fn reserve_attested(number: u64) -> Payload {
    reserve(Authorisation { backend: Backend::Tee, deadline_ms: 80_000_000, ..authorisation(number) })
}

pub fn attested(number: u64) -> Receipt {
    let grade = Grade::Simulated;
    Receipt { backend: Backend::Tee, claim: Claim::Attested, grade, ..receipt(number) }
}
