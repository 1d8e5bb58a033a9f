//! Who takes part, what they have, and what they do before requests come.
use assay_ledger::client::{Client, Signer};
use assay_ledger::genesis::RawGenesis;
use assay_ledger::tx::{Deposit, Payload, PublishModel, RegisterNode};
use assay_verifier::digest::SrsDigest;
use assay_verifier::receipt::{Backend, Program};
use assay_verifier::settlement::model::{Manifest, Visibility};
use assay_verifier::settlement::node::Node;
use assay_verifier::signature::{Domain, PublicKey, SigningKey};
use assay_verifier::wire::Bytes;

use crate::load::Sender;
use crate::model::Service;

pub const CHAIN: &str = "assay-network-test";
/// What each of those who pay for something has at the beginning.
pub const BALANCE: u64 = 1_000_000_000;
/// What the payer deposits.
pub const DEPOSIT: u64 = 500_000_000;
pub const STAKE: u64 = 5_000;

#[derive(Clone, Copy)]
pub enum Who {
    Governance = 1,
    Payer,
    Node,
    Publisher,
    Forger,
    /// Is paid and pays nothing.
    Payee,
}

pub const ALL: [Who; 6] = [Who::Governance, Who::Payer, Who::Node, Who::Publisher, Who::Forger, Who::Payee];

pub fn secret(who: Who) -> SigningKey {
    SigningKey::from_seed([who as u8; 32])
}

pub fn key(who: Who) -> PublicKey {
    secret(who).public()
}

pub fn genesis(srs: &SrsDigest) -> RawGenesis {
    let rich: Vec<(PublicKey, u64)> = ALL[..5].iter().map(|who| (key(*who), BALANCE)).collect();
    RawGenesis { srs: vec![srs.to_string()], ..RawGenesis::usual(CHAIN, &rich) }
}

/// A signer that goes on where the validator that is furthest has it.
pub fn signer(clients: &[Client], who: Who) -> Signer {
    let last = clients.iter().filter_map(|client| Some((client, client.last().ok()?)));
    let (client, root) = last.max_by_key(|(_, root)| root.height).expect("a validator answers");
    Signer::new(client, secret(who), &root).expect("the validator proves it")
}

pub fn manifest(service: &Service) -> Manifest {
    Manifest {
        publisher: key(Who::Publisher),
        name: "digits".into(),
        version: "1".into(),
        program: Program::Circuit(service.circuit()),
        keys: service.keys().iter().map(|(digest, _)| *digest).collect(),
        price: 50,
        visibility: Visibility::Public,
    }
}

/// Publishes the model, registers the node and deposits the payer's money.
pub fn open(clients: &[Client], service: &Service) {
    let manifest = manifest(service);
    let signature = secret(Who::Publisher).sign(Domain::Model, CHAIN, &manifest);
    let keys = service.keys().into_iter().map(|(_, file)| Bytes(file)).collect();
    let payee = key(Who::Payee);
    let node = Node { backends: vec![Backend::Zkml], endpoint: "https://node.example".into(), payee, stake: STAKE };
    let payloads = [
        (Who::Publisher, Payload::PublishModel(PublishModel { manifest, signature, keys })),
        (Who::Node, Payload::RegisterNode(RegisterNode { node, attestation: None })),
        (Who::Payer, Payload::Deposit(Deposit { amount: DEPOSIT })),
    ];
    for (who, payload) in payloads {
        Sender::new(clients, who).accepted(vec![payload]);
    }
}
