//! Forged proofs: the node changed the answer, in the receipt that it signs and in the statement.
use std::ops::RangeInclusive;

use assay_ledger::Rejection;
use assay_ledger::client::{Client, ClientError};
use assay_verifier::key::Engine;
use assay_verifier::receipt::RequestId;

use crate::load::Sender;
use crate::model::Service;
use crate::network::until;
use crate::people::{Who, signer};
use crate::request::Request;

/// The request whose forged proof is shown to everybody.
const SHOWN: u64 = 1;
/// The request whose forged proof a malicious proposer proposes.
const PROPOSED: u64 = 3;

/// Shows a forged proof to every validator until each refuses it with its code. Gives the request, which nobody may settle.
pub fn refused_everywhere(clients: &[Client], service: &Service) -> RequestId {
    let request = Request::new(service, SHOWN);
    Sender::new(clients, Who::Payer).accepted(vec![request.reserve()]);
    let forged = request.settle_changed(Engine::Sumcheck, |outputs| outputs[0][0] += 1);
    // Checking a transaction verifies no proof. It is admitted once, judged beside the consensus, and refused from then on, whatever carries it:
    // a higher fee makes another transaction of it.
    let mut fee = 10_000;
    for (place, client) in clients.iter().enumerate() {
        until(&format!("validator {place} refuses a forged proof"), || {
            fee += 1;
            let transaction = signer(clients, Who::Forger).sign(forged.clone(), Some(fee));
            match client.submit(&transaction) {
                Ok(_) => false,
                Err(ClientError::Refused(refused)) => {
                    let expected = (Rejection::ProofRefused.code(), Rejection::ProofRefused.codespace());
                    assert_eq!((refused.code, refused.codespace.as_str()), expected);
                    true
                }
                Err(error) => panic!("{error}"),
            }
        });
    }
    request.id()
}

/// A transaction with a forged proof that nobody was shown, and its request: but for the proof nothing is wrong with it.
pub fn unseen(clients: &[Client], service: &Service) -> (RequestId, Vec<u8>) {
    let request = Request::new(service, PROPOSED);
    Sender::new(clients, Who::Payer).accepted(vec![request.reserve()]);
    let forged = request.settle_changed(Engine::Halo2, |outputs| outputs[0].swap(0, 1));
    let transaction = signer(clients, Who::Forger).sign(forged, None);
    for (place, client) in clients.iter().enumerate() {
        // A trial verifies no proof.
        until(&format!("validator {place} finds nothing wrong"), || client.attempt(&transaction).is_ok());
    }
    (request.id(), transaction)
}

/// Every validator has judged the proof, though nobody submitted it: it came in a proposal. No block has it, and none is by who proposed it.
pub fn never_decided(clients: &[Client], forged: &[u8], proposer: &str, heights: RangeInclusive<u64>) {
    for (place, client) in clients.iter().enumerate() {
        match client.attempt(forged) {
            Err(ClientError::Refused(refused)) => assert_eq!(refused.rejection(), Some(Rejection::ProofRefused)),
            other => panic!("validator {place} has not judged what was proposed: {other:?}"),
        }
    }
    for height in heights {
        let block = clients[0].block(Some(height)).expect("it has the block");
        assert_ne!(block.header.proposer_address, proposer, "block {height} is by the malicious proposer");
        assert!(
            !block.transactions.iter().any(|transaction| transaction == forged),
            "block {height} has a forged proof"
        );
    }
}
