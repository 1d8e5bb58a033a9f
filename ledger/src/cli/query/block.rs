//! Blocks, transactions and the node itself: by the node's own word.
use assay_verifier::settlement::Height;
use assay_verifier::wire;
use serde_json::Value;

use super::super::show::Card;
use crate::client::{Block, Client, ClientError, Event, Included, Outcome};
use crate::tx::{Payload, Transaction, TxHash};

pub fn status(client: &Client) -> Result<Card, ClientError> {
    let status = client.status()?;
    let last = client.last()?;
    let card = Card::new().text("chain_id", status.chain_id).text("node", status.moniker);
    let card = card.text("cometbft", status.version).with("catching_up", status.catching_up);
    let card = card.with("block_height", status.height).with("state_height", last.height);
    Ok(card.text("app_hash", hex::encode(last.app_hash)))
}

pub fn block(client: &Client, height: Option<Height>) -> Result<Card, ClientError> {
    // Results of the last block may not be there yet; those of the last committed one are.
    let height = match height {
        Some(height) => height,
        None => client.last()?.height,
    };
    let Block { hash, header, transactions } = client.block(Some(height))?;
    let results = client.results(height)?.transactions;
    let rows: Vec<Value> =
        transactions.iter().zip(&results).map(|(bytes, outcome)| row(bytes, outcome).object()).collect();
    let card = Card::new().with("height", height).text("hash", hash).text("time", header.time);
    let card = card.text("proposer", header.proposer_address).text("app_hash_before", hex::encode(header.app_hash));
    Ok(card.with("transactions", rows))
}

pub fn transaction(client: &Client, hash: TxHash) -> Result<Card, ClientError> {
    let card = Card::new().text("hash", hash);
    Ok(match client.find(hash)? {
        None => card.with("found", false),
        Some(included) => card.with("found", true).and(inclusion(&included)),
    })
}

/// Where a transaction is, and what became of it.
pub fn inclusion(included: &Included) -> Card {
    let Included { height, index, outcome } = included;
    let card = Card::new().with("height", *height).with("index", *index);
    card.and(outcome_fields(outcome)).with("events", outcome.events.iter().map(event).collect::<Vec<_>>())
}

fn outcome_fields(outcome: &Outcome) -> Card {
    let code = outcome.refused.as_ref().map_or(0, |refused| refused.code);
    let refused = outcome.refused.as_ref().map(ToString::to_string);
    Card::new().with("code", code).with("refused", refused).with("work", outcome.work)
}

fn event(event: &Event) -> String {
    let attributes = event.attributes.iter().map(|(name, value)| format!(" {name}={value}"));
    std::iter::once(event.kind.clone()).chain(attributes).collect()
}

fn row(bytes: &[u8], outcome: &Outcome) -> Card {
    let card = Card::new().text("hash", TxHash::of(bytes));
    let card = match wire::decode::<Transaction>(bytes) {
        Ok(transaction) => card.text("kind", kind(&transaction.body.payload)).text("signer", transaction.body.signer),
        // What a proposer of another version put there.
        Err(error) => card.text("kind", error),
    };
    card.with("size_bytes", bytes.len()).and(outcome_fields(outcome))
}

fn kind(payload: &Payload) -> &'static str {
    match payload {
        Payload::Transfer(_) => "transfer",
        Payload::Deposit(_) => "deposit",
        Payload::Withdraw(_) => "withdraw",
        Payload::RegisterNode(_) => "register-node",
        Payload::Heartbeat(_) => "heartbeat",
        Payload::DeregisterNode(_) => "deregister-node",
        Payload::ApproveMeasurement(_) => "approve-measurement",
        Payload::RevokeMeasurement(_) => "revoke-measurement",
        Payload::PublishModel(_) => "publish-model",
        Payload::DeprecateModel(_) => "deprecate-model",
        Payload::Reserve(_) => "reserve",
        Payload::Settle(_) => "settle",
        Payload::SettleBatch(_) => "settle-batch",
        Payload::Refund(_) => "refund",
        Payload::ReleaseStake(_) => "release-stake",
        Payload::ProveSample(_) => "prove-sample",
        Payload::PenaliseSample(_) => "penalise-sample",
        Payload::AttestNode(_) => "attest-node",
    }
}
