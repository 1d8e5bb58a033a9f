//! Does somebody who has only x402's wire types get through the whole exchange?
use assay_service::clock::now_ms;
use assay_service::ledger::Ledger;
use assay_service::payments::{
    Accepted, Asked, PAYMENT_REQUIRED, PAYMENT_RESPONSE, PAYMENT_SIGNATURE, Payment, PaymentError, Quote, Settlement,
    SignedQuote, Terms, check, check_funds, header, required, response,
};
use assay_verifier::digest::Digest32;
use assay_verifier::receipt::{Backend, ModelId, request_digest};
use assay_verifier::settlement::payment::Authorisation;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use x402_types::proto::v1::SettleResponse;
use x402_types::proto::v2::{ExtensionsJson, PaymentPayload, PaymentRequired, PaymentRequirements, X402Version2};
use x402_types::proto::{OriginalJson, PaymentRequired as Versioned};

use crate::model::manifest;
use crate::requests::{PRICE, Request};
use crate::world::*;

const URL: &str = "http://127.0.0.1:8402/v1/inference";

pub fn asked(request: &Request) -> Asked {
    Asked {
        node: key(Who::Node),
        model: manifest().id(),
        backend: request.backend,
        request_digest: request_digest(&request.bytes()),
        price: PRICE,
    }
}

pub fn quote(request: &Request, price: u64, now_ms: u64) -> SignedQuote {
    let Asked { node, model, backend, request_digest, .. } = asked(request);
    let quote = Quote::new(node, (model, backend), request_digest, price, &Terms::default(), now_ms);
    quote.sign(CHAIN, &secret(Who::Node))
}

fn decoded<T: DeserializeOwned>(header: &str) -> T {
    serde_json::from_slice(&BASE64.decode(header).unwrap()).unwrap()
}

/// The client, as `x402-reqwest` is one: it reads the header, chooses what it knows, signs, and gives a header back.
fn pay(required: &str) -> String {
    let Versioned::V2(required) = Versioned::V2(decoded::<PaymentRequired<OriginalJson>>(required)) else {
        unreachable!("this is version 2")
    };
    let known = required.accepts.iter().find_map(|offer| {
        let offer = PaymentRequirements::<String, String, String, Value>::try_from(offer).ok()?;
        (offer.scheme == "upto" && offer.network.namespace == "assay").then_some(offer)
    });
    let accepted = known.expect("it is offered");
    let quote: SignedQuote = serde_json::from_value(accepted.extra.clone()).unwrap();
    assert!(quote.is_signed(&accepted.network.reference));
    assert_eq!(accepted.amount, quote.quote.price.to_string());
    let authorisation = quote.quote.authorisation(key(Who::Payer));
    let payment = Payment::sign(authorisation, &accepted.network.reference, &secret(Who::Payer));
    let payload = PaymentPayload {
        accepted,
        payload: payment,
        resource: required.resource,
        x402_version: X402Version2,
        extensions: ExtensionsJson::new(),
    };
    BASE64.encode(serde_json::to_vec(&payload).unwrap())
}

#[test]
fn a_client_pays() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::ready(folder.path());
    let request = Request::new(1, Backend::Vanilla);
    let asked = asked(&request);
    // Nothing is paid, so the service says what it wants.
    let offer = required(URL, CHAIN, &key(Who::Payee).to_string(), &quote(&request, PRICE, now_ms()), None);
    let paid = pay(&header(&offer));
    // The price has gone up since, but a quote stands.
    let dearer = Asked { price: 2 * PRICE, ..asked };
    let Accepted { payment, price } = check(&paid, &dearer, world.ledger.rules(), &Terms::default(), now_ms()).unwrap();
    assert_eq!(price, PRICE);
    check_funds(&*world.ledger, &payment).unwrap();

    // Once it is set aside, the same payment is none any more.
    let request = Request {
        number: payment.authorisation.client_nonce,
        deadline_ms: payment.authorisation.deadline_ms,
        ..request
    };
    assert_eq!(request_digest(&Request { number: 1, ..request }.bytes()), payment.authorisation.request_digest);
    let reserve = assay_ledger::tx::Reserve { authorisation: payment.authorisation, signature: payment.signature };
    done(&world.sender, assay_ledger::tx::Payload::Reserve(reserve));
    let replayed = check_funds(&*world.ledger, &payment).unwrap_err();
    assert_eq!(replayed.code(), "payment_reserved");
    world.check_money(0, PRICE);

    // What a client is told of it.
    let job = Request::new(2, Backend::Vanilla);
    let job = world.job(job.accept(&world));
    let told = header(&response(&job, CHAIN, &Settlement::Reserved(Some("AB".into()))));
    let SettleResponse::Success { payer, transaction, network } = decoded(&told) else { panic!("it went well") };
    assert_eq!((payer, transaction, network), (job.payer.to_string(), "AB".into(), format!("assay:{CHAIN}")));
    let value: Value = decoded(&told);
    assert_eq!((&value["amount"], &value["request"]), (&json!(PRICE.to_string()), &json!(job.id.to_string())));
    let told = header(&response(&job, CHAIN, &Settlement::Failed("payment_escrow".into())));
    assert!(matches!(decoded(&told), SettleResponse::Error { reason, .. } if reason == "payment_escrow"));
}

#[test]
fn the_names_of_headers() {
    assert_eq!(
        [PAYMENT_REQUIRED, PAYMENT_SIGNATURE, PAYMENT_RESPONSE].map(str::to_lowercase),
        ["payment-required", "payment-signature", "payment-response"]
    );
}

/// A payment whose authorisation was changed before it was signed.
fn changed(change: impl FnOnce(&mut Authorisation)) -> Payment {
    let mut authorisation = Request { deadline_ms: 2_000_000, ..Request::new(3, Backend::Zkml) }.authorisation();
    change(&mut authorisation);
    Payment::sign(authorisation, CHAIN, &secret(Who::Payer))
}

pub fn sent(payment: &Payment, extra: Option<Value>) -> Value {
    let extra = extra.unwrap_or(Value::Null);
    json!({
        "x402Version": 2,
        "accepted": {
            "scheme": "upto", "network": format!("assay:{CHAIN}"), "amount": "1", "payTo": "a", "maxTimeoutSeconds": 1, "asset": "unit",
            "extra": extra,
        },
        "payload": payment,
    })
}

fn refusal(message: &Value) -> PaymentError {
    let request = Request::new(3, Backend::Zkml);
    let folder = tempfile::tempdir().unwrap();
    let rules = chain(folder.path()).rules().clone();
    check(&header(message), &asked(&request), &rules, &Terms::default(), 1_000_000).unwrap_err()
}

#[test]
fn what_is_wrong_is_named() {
    let wrong: [(&str, Payment); 8] = [
        ("payment_node", changed(|what| what.node = key(Who::Payee))),
        ("payment_model", changed(|what| what.model.0[0] ^= 1)),
        ("payment_backend", changed(|what| what.backend = Backend::Vanilla)),
        ("payment_request", changed(|what| what.request_digest.0[0] ^= 1)),
        ("payment_amount", changed(|what| what.amount = PRICE - 1)),
        ("payment_deadline_past", changed(|what| what.deadline_ms = 999_999)),
        ("payment_deadline_near", changed(|what| what.deadline_ms = 1_000_001)),
        ("payment_deadline_far", changed(|what| what.deadline_ms = u64::MAX)),
    ];
    for (code, payment) in wrong {
        assert_eq!(refusal(&sent(&payment, None)).code(), code);
    }
    let good = changed(|_| {});
    let forged = Payment { signature: changed(|what| what.amount += 1).signature, ..good };
    assert_eq!(refusal(&sent(&forged, None)).code(), "payment_signature");
    let of = |path: &str, value: Value| {
        let mut message = sent(&good, None);
        *message.pointer_mut(path).unwrap() = value;
        refusal(&message).code()
    };
    assert_eq!(of("/accepted/scheme", json!("exact")), "payment_scheme");
    assert_eq!(of("/accepted/network", json!("eip155:8453")), "payment_network");
    assert_eq!(of("/accepted/network", json!(format!("assay:{CHAIN}-2"))), "payment_network");
    assert_eq!(of("/x402Version", json!(1)), "payment_malformed");
    assert_eq!(of("/payload/signature", json!("00")), "payment_malformed");
    assert_eq!(of("/payload/authorisation/amount", json!(100)), "payment_malformed");
    assert_eq!(of("/payload/authorisation/amount", json!("-1")), "payment_malformed");
    assert_eq!(of("/payload/authorisation/amount", json!("18446744073709551616")), "payment_malformed");
    assert_eq!(of("/payload", json!({})), "payment_malformed");
}

#[test]
fn a_quote_counts_if_it_is_this_nodes_for_this_request() {
    let request = Request::new(3, Backend::Zkml);
    let paid = changed(|what| what.amount = PRICE);
    let folder = tempfile::tempdir().unwrap();
    let rules = chain(folder.path()).rules().clone();
    let with = |quote: &SignedQuote, price: u64, now_ms: u64| {
        let message = header(&sent(&paid, Some(serde_json::to_value(quote).unwrap())));
        check(&message, &Asked { price, ..asked(&request) }, &rules, &Terms::default(), now_ms)
    };
    let good = quote(&request, PRICE, 1_000_000);
    assert_eq!(with(&good, 2 * PRICE, 1_000_000).unwrap().price, PRICE);
    // When it is over, today's price counts, whichever is the higher one.
    assert_eq!(with(&good, 2 * PRICE, 1_300_001).unwrap_err().code(), "payment_amount");
    assert_eq!(with(&good, PRICE - 1, 1_300_001).unwrap().price, PRICE - 1);
    let mut cheap = good;
    cheap.quote.price = 1;
    assert_eq!(with(&cheap, PRICE, 1_000_000).unwrap_err().code(), "payment_quote");
    let other = quote(&Request::new(4, Backend::Zkml), 1, 1_000_000);
    assert_eq!(with(&other, PRICE, 1_000_000).unwrap_err().code(), "payment_quote");
    let mut of_payer = good.quote;
    of_payer.node = key(Who::Payer);
    let of_payer = of_payer.sign(CHAIN, &secret(Who::Payer));
    assert_eq!(with(&of_payer, PRICE, 1_000_000).unwrap_err().code(), "payment_quote");
}

#[test]
fn money_that_is_not_there_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = chain(folder.path());
    let payment = changed(|_| {});
    let refused = check_funds(&*ledger, &payment).unwrap_err();
    assert!(matches!(refused, PaymentError::Escrow { escrow: 0, amount: 100 }), "{refused}");
    assert!(refused.is_retryable());
}

/// The forms that clients in other languages write and read.
#[test]
fn the_forms_are_these() {
    let payment = changed(|what| what.client_nonce = u64::MAX);
    let zeros = "00".repeat(64);
    let mut value = serde_json::to_value(payment).unwrap();
    value["signature"] = json!(zeros);
    let authorisation = payment.authorisation;
    let expected = json!({
        "authorisation": {
            "payer": key(Who::Payer).to_string(),
            "clientNonce": "18446744073709551615",
            "requestDigest": authorisation.request_digest.to_string(),
            "node": key(Who::Node).to_string(),
            "model": authorisation.model.to_string(),
            "backend": "zkml",
            "amount": "100",
            "deadlineMs": "2000000",
        },
        "signature": zeros,
    });
    assert_eq!(value, expected);
    let signed = quote(&Request::new(5, Backend::Vanilla), 70, 1_000_000);
    let mut value = serde_json::to_value(signed).unwrap();
    value["signature"] = json!(zeros);
    let expected = json!({
        "quote": {
            "node": key(Who::Node).to_string(),
            "model": manifest().id().to_string(),
            "backend": "vanilla",
            "requestDigest": signed.quote.request_digest.to_string(),
            "clientNonce": signed.quote.client_nonce.to_string(),
            "price": "70",
            "deadlineMs": "4600000",
            "expiresMs": "1300000",
        },
        "signature": zeros,
    });
    assert_eq!(value, expected);
    let offer = serde_json::to_value(required(URL, CHAIN, "payee", &signed, Some(&PaymentError::Signature))).unwrap();
    assert_eq!(offer["error"], "payment_signature: the payer's signature does not hold");
    let accepts = &offer["accepts"][0];
    let fields =
        ["scheme", "network", "amount", "payTo", "maxTimeoutSeconds", "asset"].map(|name| accepts[name].clone());
    let expected =
        [json!("upto"), json!(format!("assay:{CHAIN}")), json!("70"), json!("payee"), json!(3_300), json!("unit")];
    assert_eq!(fields, expected);
    assert_eq!((&offer["x402Version"], &offer["resource"]["url"]), (&json!(2), &json!(URL)));
}

/// What nodes and payers sign for given fields: other programs must come to the same bytes.
#[test]
fn signatures_are_these() {
    let Asked { node, model, backend, request_digest, price } =
        Asked { model: ModelId([3; 32]), request_digest: Digest32([4; 32]), ..asked(&Request::new(1, Backend::Zkml)) };
    let quote = Quote {
        node,
        model,
        backend,
        request_digest,
        client_nonce: 5,
        price,
        deadline_ms: 2_000_000,
        expires_ms: 1_300_000,
    };
    let signed = quote.sign("chain", &secret(Who::Node));
    let paid = Payment::sign(quote.authorisation(key(Who::Payer)), "chain", &secret(Who::Payer));
    assert!(signed.is_signed("chain") && paid.is_signed("chain"));
    assert!(!signed.is_signed("chain2") && !paid.is_signed("chain2"));
    let hex = [signed.signature, paid.signature].map(|signature| hex::encode(signature.0.as_flattened()));
    let quote = "dd156ab075912dea1285f912c32b2c9fc6b7d2e90575d7c8cac1ac3b77b7dc54\
         90390f9074e90b47ce103e6c32fb14df53b143388dc3e0cc5884568470ca130e";
    let payment = "1012c170b7a380c030deef9e3ae1a68d04f57305793d49a20ec25a4f7e381e51\
         283b341b86070f2149a1e23094aafbcb2d4b57b68d8de25bb4bc922511fd6b03";
    assert_eq!(hex, [quote, payment]);
}

#[test]
fn codes_never_change() {
    let ledger = assay_service::ledger::LedgerError::Full;
    let all = [
        PaymentError::Malformed(String::new()),
        PaymentError::Network { found: String::new(), expected: String::new() },
        PaymentError::Scheme(String::new()),
        PaymentError::Quote,
        PaymentError::Node,
        PaymentError::Model,
        PaymentError::Backend,
        PaymentError::Request,
        PaymentError::Amount { amount: 0, price: 0 },
        PaymentError::DeadlinePast,
        PaymentError::DeadlineNear(0),
        PaymentError::DeadlineFar(0),
        PaymentError::Signature,
        PaymentError::Reserved,
        PaymentError::Settled,
        PaymentError::Escrow { escrow: 0, amount: 0 },
        PaymentError::Ledger(ledger),
    ];
    let codes = "payment_malformed payment_network payment_scheme payment_quote payment_node payment_model payment_backend \
                 payment_request payment_amount payment_deadline_past payment_deadline_near payment_deadline_far payment_signature \
                 payment_reserved payment_settled payment_escrow ledger_unavailable";
    assert_eq!(all.map(|error| error.code()).join(" "), codes);
}
