//! Whether a payment will do: first what can be said without the ledger, then what only the ledger knows.
use assay_verifier::digest::Digest32;
use assay_verifier::receipt::{Backend, ModelId};
use assay_verifier::settlement::keys;
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::payment::{Account, Authorisation, Reservation, Settlement};
use assay_verifier::signature::PublicKey;

use super::wire::{self, SCHEME, Sent, network};
use super::{Payment, PaymentError, SignedQuote, Terms};
use crate::ledger::{Ledger, read};

/// What is to be paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// This node.
    pub node: PublicKey,
    /// The model that was asked.
    pub model: ModelId,
    /// What is to stand behind the answer.
    pub backend: Backend,
    /// Digest of the exact bytes of the request.
    pub request_digest: Digest32,
    /// What is charged today.
    pub price: u64,
}

/// A payment that will do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accepted {
    /// What the payer signed.
    pub payment: Payment,
    /// What is charged: the price of the quote as long as that stands.
    pub price: u64,
}

/// Checks the header of a payer without looking at the ledger.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check(
    header: &str,
    asked: &Asked,
    rules: &Parameters,
    terms: &Terms,
    now_ms: u64,
) -> Result<Accepted, PaymentError> {
    let Sent { accepted, payload, .. } = wire::read(header)?;
    let expected = network(&rules.chain_id);
    if accepted.network != expected {
        let [found, expected] = [accepted.network, expected].map(|network| network.to_string());
        return Err(PaymentError::Network { found, expected });
    }
    if accepted.scheme != SCHEME {
        return Err(PaymentError::Scheme(accepted.scheme));
    }
    let payment: Payment =
        serde_json::from_value(payload).map_err(|error| PaymentError::Malformed(format!("payload: {error}")))?;
    let Authorisation { request_digest, node, model, backend, amount, deadline_ms, .. } = payment.authorisation;
    let checks = [
        (node == asked.node, PaymentError::Node),
        (model == asked.model, PaymentError::Model),
        (backend == asked.backend, PaymentError::Backend),
        (request_digest == asked.request_digest, PaymentError::Request),
    ];
    for (holds, error) in checks {
        if !holds {
            return Err(error);
        }
    }
    let quoted = accepted.extra.map(|extra| quoted(extra, asked, &rules.chain_id, now_ms)).transpose()?;
    let price = quoted.flatten().unwrap_or(asked.price);
    if amount < price {
        return Err(PaymentError::Amount { amount, price });
    }
    check_deadline(deadline_ms, rules, terms, now_ms)?;
    if !payment.is_signed(&rules.chain_id) {
        return Err(PaymentError::Signature);
    }
    Ok(Accepted { payment, price })
}

/// The price that this node said for this request, if it still stands.
fn quoted(extra: serde_json::Value, asked: &Asked, chain_id: &str, now_ms: u64) -> Result<Option<u64>, PaymentError> {
    let signed: SignedQuote =
        serde_json::from_value(extra).map_err(|error| PaymentError::Malformed(format!("extra: {error}")))?;
    let quote = &signed.quote;
    let same = quote.node == asked.node
        && quote.model == asked.model
        && quote.backend == asked.backend
        && quote.request_digest == asked.request_digest;
    if !same || !signed.is_signed(chain_id) {
        return Err(PaymentError::Quote);
    }
    Ok((now_ms <= quote.expires_ms).then_some(quote.price))
}

fn check_deadline(deadline_ms: u64, rules: &Parameters, terms: &Terms, now_ms: u64) -> Result<(), PaymentError> {
    let ahead = deadline_ms.checked_sub(now_ms).ok_or(PaymentError::DeadlinePast)?;
    if ahead < terms.deadline_least_ms {
        return Err(PaymentError::DeadlineNear(terms.deadline_least_ms));
    }
    if ahead > rules.deadline_max_ms {
        return Err(PaymentError::DeadlineFar(rules.deadline_max_ms));
    }
    Ok(())
}

/// Checks against the ledger's state that money can be set aside for the request: it never was, and the payer has it.
///
/// # Errors
/// What stands against it. A request of a job that is known here is to be answered as that before this is asked.
pub fn check_funds(ledger: &dyn Ledger, payment: &Payment) -> Result<(), PaymentError> {
    let Authorisation { payer, amount, .. } = payment.authorisation;
    let request = payment.authorisation.request_id(&ledger.rules().chain_id);
    if read::<Settlement>(ledger, &keys::settlement(request))?.is_some() {
        return Err(PaymentError::Settled);
    }
    if read::<Reservation>(ledger, &keys::reservation(request))?.is_some() {
        return Err(PaymentError::Reserved);
    }
    let account: Account = read(ledger, &keys::account(payer))?.unwrap_or_default();
    if account.escrow < amount {
        return Err(PaymentError::Escrow { escrow: account.escrow, amount });
    }
    Ok(())
}
