//! Whatever a payer's header says, it gets an answer, and no money moves without a signature.
use std::sync::LazyLock;

use assay_ledger::genesis::RawGenesis;
use assay_service::payments::{HEADER_LEN_MAX, Payment, PaymentError, Terms, check, header};
use assay_verifier::receipt::Backend;
use assay_verifier::settlement::parameters::Parameters;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::exchange::{asked, sent};
use crate::requests::Request;
use crate::world::*;

const NOW_MS: u64 = 1_000_000;

fn request() -> Request {
    Request { deadline_ms: 2_000_000, ..Request::new(3, Backend::Zkml) }
}

fn rules() -> &'static Parameters {
    static RULES: LazyLock<Parameters> =
        LazyLock::new(|| RawGenesis::usual(CHAIN, &[(key(Who::Payer), BALANCE)]).check().unwrap().parameters().clone());
    &RULES
}

fn outcome(header: &str) -> Result<Payment, PaymentError> {
    let accepted = check(header, &asked(&request()), rules(), &Terms::default(), NOW_MS);
    accepted.map(|accepted| accepted.payment)
}

fn good() -> (Payment, Value) {
    let payment = Payment::sign(request().authorisation(), CHAIN, &secret(Who::Payer));
    (payment, sent(&payment, None))
}

/// JSON of any form, not too large.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "[0-9a-fA-F]{0,130}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z0-9]{0,12}", inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

/// The paths of all values in a message.
fn paths(value: &Value, at: String, all: &mut Vec<String>) {
    if let Value::Object(fields) = value {
        fields.iter().for_each(|(name, value)| paths(value, format!("{at}/{name}"), all));
    }
    all.push(at);
}

#[test]
fn the_good_one_is_good() {
    let (payment, message) = good();
    assert_eq!(outcome(&header(&message)).unwrap(), payment);
}

#[test]
fn long_headers_are_not_read() {
    let long = "A".repeat(HEADER_LEN_MAX + 1);
    assert!(matches!(outcome(&long), Err(PaymentError::Malformed(_))));
    // Deep nesting is no way to use up the stack.
    let deep = BASE64.encode("[".repeat(HEADER_LEN_MAX / 2));
    assert!(matches!(outcome(&deep), Err(PaymentError::Malformed(_))));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_has_an_answer(text in "\\PC{0,200}") {
        prop_assert!(outcome(&text).is_err());
    }

    #[test]
    fn any_bytes_have_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(outcome(&BASE64.encode(bytes)).is_err());
    }

    #[test]
    fn any_json_has_an_answer(value in any_json()) {
        prop_assert!(outcome(&header(&value)).is_err());
    }

    /// One value of a good message is another one: it is refused, or it is the same authorisation by the same payer.
    #[test]
    fn any_change_is_refused_or_changes_nothing(which in any::<prop::sample::Index>(), with in any_json()) {
        let (payment, mut message) = good();
        let mut all = Vec::new();
        paths(&message, String::new(), &mut all);
        let path: &String = which.get(&all);
        *message.pointer_mut(path).unwrap() = with;
        if let Ok(accepted) = outcome(&header(&message)) {
            prop_assert_eq!(accepted, payment);
        }
    }

    /// One bit of the signature, or of what is signed.
    #[test]
    fn any_bit_counts(at in 0usize..64, bit in 0u8..8) {
        let (mut payment, _) = good();
        payment.signature.0[at / 32][at % 32] ^= 1 << bit;
        prop_assert!(matches!(outcome(&header(&sent(&payment, None))), Err(PaymentError::Signature)));
    }
}
