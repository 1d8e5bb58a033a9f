//! A forged proof: the node changed the answer, in the receipt that it signs and in the statement.
use assay_ledger::Rejection;
use assay_ledger::client::{Client, ClientError};
use assay_verifier::key::Engine;
use assay_verifier::receipt::RequestId;

use crate::load::Sender;
use crate::model::Service;
use crate::network::until;
use crate::people::{Who, signer};
use crate::request::Request;

/// The forged request.
const NUMBER: u64 = 1;

/// Shows a forged proof to every validator until each refuses it with its code. Gives the request, which nobody may settle.
pub fn refused_everywhere(clients: &[Client], service: &Service) -> RequestId {
    let request = Request::new(service, NUMBER);
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
