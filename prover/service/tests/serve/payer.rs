//! Who pays: has only x402's wire types, the ledger's transactions and a key.
use assay_ledger::tx::{Body, Deposit, Payload};
use assay_service::payments::{PAYMENT_REQUIRED, PAYMENT_SIGNATURE, Payment, SignedQuote};
use assay_verifier::settlement::parameters::Fees;
use assay_verifier::settlement::payment::Authorisation;
use assay_verifier::signature::SigningKey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::DeserializeOwned;
use serde_json::Value;
use x402_types::proto::v2::{ExtensionsJson, PaymentPayload, PaymentRequired, PaymentRequirements, X402Version2};
use x402_types::proto::{OriginalJson, PaymentRequired as Versioned};

use crate::client::{Answer, Client};

/// What the payer has at the chain's beginning.
pub const BALANCE: u64 = 1_000_000_000;

pub fn payer() -> SigningKey {
    SigningKey::from_seed([77; 32])
}

/// What a header says.
pub fn decoded<T: DeserializeOwned>(header: &str) -> T {
    serde_json::from_slice(&BASE64.decode(header).unwrap()).unwrap()
}

/// The payer's escrow.
pub fn escrow(client: &Client) -> u64 {
    client.get(&format!("/v1/accounts/{}", payer().public()))["escrow"].as_u64().unwrap()
}

/// Puts money into escrow.
pub fn deposit(client: &Client, amount: u64) {
    let account = client.get(&format!("/v1/accounts/{}", payer().public()));
    let number = |name: &str| account[name].as_u64().unwrap();
    let body = |fee| Body {
        chain_id: account["chain_id"].as_str().unwrap().into(),
        signer: payer().public(),
        nonce: number("nonce"),
        fee,
        payload: Payload::Deposit(Deposit { amount }),
    };
    let size = body(0).sign(&payer()).encode().len() as u64;
    let fee = Fees { base: number("fee_base"), per_kib: number("fee_per_kib") }.least(size);
    let sent = client.call("POST", "/v1/transactions", &[], &body(fee).sign(&payer()).encode());
    assert_eq!(sent.status, 200, "{sent:?}");
}

/// What is offered for a request that is not paid for.
pub fn offer(required: &Answer) -> PaymentRequirements<String, String, String, Value> {
    let Versioned::V2(required) =
        Versioned::V2(decoded::<PaymentRequired<OriginalJson>>(required.header(PAYMENT_REQUIRED)))
    else {
        unreachable!("this is version 2")
    };
    let known = required.accepts.iter().find_map(|offer| {
        let offer = PaymentRequirements::<String, String, String, Value>::try_from(offer).ok()?;
        (offer.scheme == "upto" && offer.network.namespace == "assay").then_some(offer)
    });
    known.expect("it is offered")
}

/// The header that pays for what is offered, with whatever the payer makes of it.
pub fn pay_with(required: &Answer, change: impl FnOnce(&mut Authorisation)) -> String {
    let accepted = offer(required);
    let quote: SignedQuote = serde_json::from_value(accepted.extra.clone()).unwrap();
    let chain_id = accepted.network.reference.clone();
    assert!(quote.is_signed(&chain_id));
    let mut authorisation = quote.quote.authorisation(payer().public());
    change(&mut authorisation);
    let payload = Payment::sign(authorisation, &chain_id, &payer());
    header(accepted, payload)
}

fn header(accepted: PaymentRequirements<String, String, String, Value>, payload: Payment) -> String {
    let extensions = ExtensionsJson::new();
    let paid = PaymentPayload { accepted, payload, resource: None, x402_version: X402Version2, extensions };
    BASE64.encode(serde_json::to_vec(&paid).unwrap())
}

pub fn pay(required: &Answer) -> String {
    pay_with(required, |_| {})
}

/// A header that pays, as JSON to be tampered with.
pub fn tampered(paid: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut message: Value = decoded(paid);
    change(&mut message);
    BASE64.encode(message.to_string())
}

/// The header, as requests carry it.
pub fn signed(paid: &str) -> [(&'static str, &str); 1] {
    [(PAYMENT_SIGNATURE, paid)]
}
