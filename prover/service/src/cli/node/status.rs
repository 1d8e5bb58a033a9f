//! `assay node status`: what the ledger says of a node.
use anyhow::Result;
use assay_verifier::receipt::Grade;
use assay_verifier::settlement::node::{Attestation, Heartbeat, Measurement, Node};
use assay_verifier::settlement::{Versioned, keys};
use assay_verifier::signature::PublicKey;
use clap::Args;
use serde_json::{Value, json};

use super::super::Verdict;
use super::super::output::Output;
use super::super::problem::problem;
use super::chain::{Chain, advised};

/// Say what the ledger has of a node: registration, sign of life, attestation, measurement
#[derive(Args)]
pub struct Arguments {
    /// The node's key
    node: PublicKey,
}

/// What of an attestation counts now.
struct Standing {
    record: Attestation,
    software: Option<String>,
    counts: Result<(), &'static str>,
}

/// Runs the command: 0 if the node may answer in its enclave now, 1 if not.
pub fn run(arguments: &Arguments, rpc: &str, output: &Output) -> Result<Verdict> {
    let node = arguments.node;
    let chain = Chain::ask(rpc)?;
    let record: Option<Versioned<Node>> = chain.client.record(&keys::node(node), &chain.root).map_err(advised)?;
    let record = record.ok_or_else(|| problem("there is no such node", "register it: `assay node register`"))?;
    let heartbeat: Option<Heartbeat> = chain.client.record(&keys::heartbeat(node), &chain.root).map_err(advised)?;
    let next = chain.root.height.saturating_add(1);
    let registered = record.holds_at(next);
    let since = heartbeat.map(|heartbeat| chain.time_ms.saturating_sub(heartbeat.time_ms));
    let alive = since.is_some_and(|since| since <= chain.rules.heartbeat_window_ms);
    let standing = standing(&chain, node)?;
    output.field("node", node);
    output.field("registered", if registered { "yes" } else { "no" });
    output.field("backends", format_args!("{:?}", record.record.backends));
    output.field("endpoint", &record.record.endpoint);
    output.field("stake", record.record.stake);
    output.field("alive", if alive { "yes" } else { "no: its last sign of life is too old" });
    let shown = standing.as_ref().map_or(Value::Null, |standing| show(standing, output));
    if standing.is_none() {
        output.field("attestation", "none");
    }
    let counts = standing.is_some_and(|standing| standing.counts.is_ok());
    output.json(&json!({
        "node": node.to_string(),
        "registered": registered,
        "alive": alive,
        "stake": record.record.stake,
        "endpoint": record.record.endpoint,
        "attestation": shown,
        "may_answer_in_enclave": registered && alive && counts,
    }));
    Ok(if registered && alive && counts { Verdict::Fine } else { Verdict::Rejected })
}

fn standing(chain: &Chain, node: PublicKey) -> Result<Option<Standing>> {
    let found: Option<Versioned<Attestation>> =
        chain.client.record(&keys::attestation(node), &chain.root).map_err(advised)?;
    let Some(found) = found else { return Ok(None) };
    let record = found.record;
    let key = keys::measurement(record.measurement);
    let measurement: Option<Versioned<Measurement>> = chain.client.record(&key, &chain.root).map_err(advised)?;
    let next = chain.root.height.saturating_add(1);
    let approved = measurement.as_ref().is_some_and(|measurement| measurement.holds_at(next));
    let counts = match (found.holds_at(next), chain.time_ms < record.expires_ms, approved) {
        (false, _, _) => Err("it has ended"),
        (_, false, _) => Err("it has expired: show a new one by `assay node register`"),
        (_, _, false) => Err("its measurement is no longer approved"),
        _ => Ok(()),
    };
    Ok(Some(Standing { record, software: measurement.map(|measurement| measurement.record.software), counts }))
}

fn show(standing: &Standing, output: &Output) -> Value {
    let Attestation { platform, grade, measurement, evidence, expires_ms, verified_ms, .. } = standing.record;
    let grade = match grade {
        Grade::Production => "production",
        Grade::Simulated => "simulated",
    };
    let software = standing.software.as_deref().unwrap_or("unknown");
    output.heading("Attestation");
    output.field("counts", standing.counts.err().map_or("yes".into(), |why| format!("no: {why}")));
    output.field("platform", format_args!("{platform:?}, {grade}"));
    output.field("measurement", format_args!("{} ({software})", hex::encode(measurement)));
    output.field("evidence", evidence);
    output.field("verified", format_args!("{verified_ms} ms since 1970"));
    output.field("expires", format_args!("{expires_ms} ms since 1970"));
    json!({
        "counts": standing.counts.is_ok(),
        "why_not": standing.counts.err(),
        "platform": format!("{platform:?}"),
        "grade": grade,
        "measurement": hex::encode(measurement),
        "software": software,
        "evidence": evidence.to_string(),
        "verified_ms": verified_ms,
        "expires_ms": expires_ms,
    })
}
