//! x402's messages: JSON in base64 in three headers, in the types that its clients have too.
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use x402_types::chain::ChainId;
use x402_types::proto::v1::SettleResponse;
use x402_types::proto::v2::{
    ExtensionsJson, PaymentPayload, PaymentRequired, PaymentRequirements, ResourceInfo, X402Version2,
};

use super::{Payment, PaymentError, SignedQuote};
use crate::jobs::Job;

/// The header that says what would do.
pub const PAYMENT_REQUIRED: &str = "PAYMENT-REQUIRED";
/// The header that a payer sends.
pub const PAYMENT_SIGNATURE: &str = "PAYMENT-SIGNATURE";
/// The header that says what became of it.
pub const PAYMENT_RESPONSE: &str = "PAYMENT-RESPONSE";
/// Longest header that is read.
pub const HEADER_LEN_MAX: usize = 1 << 14;
/// At most what is authorised is charged.
pub const SCHEME: &str = "upto";
/// The ledger has one kind of money.
pub const ASSET: &str = "unit";
/// The family of this project's ledgers.
const FAMILY: &str = "assay";

/// What is asked for: x402's requirements, with the node's quote.
pub(super) type Requirements<Extra> = PaymentRequirements<String, String, String, Extra>;

/// The ledger as a network.
pub fn network(chain_id: &str) -> ChainId {
    ChainId::new(FAMILY, chain_id)
}

/// What would pay for a request at a URL, and what was wrong with the payment that came, if one did.
pub fn required(
    url: &str,
    chain_id: &str,
    pay_to: &str,
    quote: &SignedQuote,
    error: Option<&PaymentError>,
) -> PaymentRequired<Requirements<SignedQuote>> {
    let resource = ResourceInfo {
        url: url.into(),
        description: Some("an inference, with what stands behind it".into()),
        mime_type: Some("application/json".into()),
    };
    let requirements = PaymentRequirements {
        scheme: SCHEME.into(),
        network: network(chain_id),
        amount: quote.quote.price.to_string(),
        pay_to: pay_to.into(),
        max_timeout_seconds: quote.quote.deadline_ms.saturating_sub(quote.quote.expires_ms).div_ceil(1_000),
        asset: ASSET.into(),
        extra: *quote,
    };
    PaymentRequired {
        x402_version: X402Version2,
        error: error.map(|error| format!("{}: {error}", error.code())),
        resource: Some(resource),
        accepts: vec![requirements],
        extensions: ExtensionsJson::new(),
    }
}

/// What became of the payment for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Money is set aside: the transaction that did it, or nothing if it was there already.
    Reserved(Option<String>),
    /// The stable code of why not.
    Failed(String),
}

/// What the payer of a job is told. The types have no field for what is charged, so that and the request are added as fields of their own.
pub fn response(job: &Job, chain_id: &str, settlement: &Settlement) -> Value {
    let network = network(chain_id).to_string();
    let said = match settlement {
        Settlement::Reserved(transaction) => {
            let transaction = transaction.clone().unwrap_or_default();
            SettleResponse::Success { payer: job.payer.to_string(), transaction, network }
        }
        Settlement::Failed(reason) => SettleResponse::Error { reason: reason.clone(), network },
    };
    let mut value = serde_json::to_value(said).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        fields.insert("amount".into(), json!(job.price.to_string()));
        fields.insert("request".into(), json!(job.id.to_string()));
    }
    value
}

/// A message as a header has it.
pub fn header<T: Serialize>(message: &T) -> String {
    BASE64.encode(serde_json::to_vec(message).unwrap_or_default())
}

/// What was sent in the header, with the requirements it accepts.
pub(super) type Sent = PaymentPayload<Requirements<Option<Value>>, Value>;

/// Reads a payer's header.
pub(super) fn read(header: &str) -> Result<Sent, PaymentError> {
    decode(header)
}

/// Reads a message from its header.
pub(super) fn decode<T: DeserializeOwned>(header: &str) -> Result<T, PaymentError> {
    if header.len() > HEADER_LEN_MAX {
        return Err(PaymentError::Malformed(format!("longer than {HEADER_LEN_MAX} bytes")));
    }
    let malformed = |error: &dyn std::fmt::Display| PaymentError::Malformed(error.to_string());
    let json = BASE64.decode(header.trim()).map_err(|error| malformed(&error))?;
    serde_json::from_slice(&json).map_err(|error| malformed(&error))
}

/// A payer's header, as payers write it: a payment with the requirements that it accepts.
pub fn header_of_payment<Extra: Serialize>(accepted: Requirements<Extra>, payment: &Payment) -> String {
    header(&PaymentPayload {
        accepted,
        payload: payment,
        resource: None,
        x402_version: X402Version2,
        extensions: ExtensionsJson::new(),
    })
}
