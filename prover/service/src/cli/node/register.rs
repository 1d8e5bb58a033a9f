//! `assay node register`: registers a node that answers in an enclave, or shows a new attestation of it.
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use assay_ledger::client::Signer;
use assay_ledger::tx::{AttestNode, Payload, RegisterNode, ShownEvidence};
use assay_verifier::receipt::Backend;
use assay_verifier::settlement::node::Node;
use assay_verifier::settlement::{Height, Versioned, keys};
use assay_verifier::signature::{PublicKey, SigningKey};
use assay_verifier::tee::Evidence;
use assay_verifier::wire;
use clap::Args;
use serde_json::json;

use super::super::Verdict;
use super::super::output::Output;
use super::super::problem::problem;
use super::chain::{self, Chain, advised};
use crate::attester::{Format, SoftwareAttester, Times, measure};

/// How long to wait for the block.
const LONGEST: Duration = Duration::from_secs(30);

/// Register a node that answers in an enclave; if it is registered, show a new attestation of it
#[derive(Args)]
pub struct Arguments {
    /// The seed of the node's key, 64 hexadecimal digits; it is made if it is not there
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the node is reached
    #[arg(long, value_name = "URL")]
    endpoint: String,
    /// What is staked
    #[arg(long, value_name = "AMOUNT")]
    stake: u64,
    /// The account that is paid [default: the node's]
    #[arg(long, value_name = "KEY")]
    payee: Option<PublicKey>,
    #[command(flatten)]
    evidence: Shown,
    /// The format of a simulated document
    #[arg(long, value_enum, default_value = "nitro")]
    format: Format,
    /// The block that the evidence is bound to, as `assay node binding` said
    #[arg(long, value_name = "HEIGHT", requires = "evidence")]
    nonce_height: Option<Height>,
}

/// What stands behind the enclave.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Shown {
    /// Evidence of an enclave
    #[arg(long, value_name = "FILE.evidence", requires = "nonce_height")]
    evidence: Option<PathBuf>,
    /// The secret seed of a software attester, which makes simulated evidence
    #[arg(long, value_name = "FILE")]
    attester: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments, rpc: &str, output: &Output) -> Result<Verdict> {
    let key = chain::key(&arguments.key)?;
    let chain = Chain::ask(rpc)?;
    let shown = shown(arguments, &chain, key.public())?;
    let evidence = shown.evidence.digest();
    let (payload, what) = payload(arguments, &chain, &key, shown)?;
    let mut signer = Signer::new(&chain.client, key.clone(), &chain.root).map_err(advised)?;
    let transaction = signer.sign(payload, None);
    chain.client.attempt(&transaction).map_err(advised)?;
    let hash = chain.client.submit(&transaction).map_err(advised)?;
    let included = chain.client.wait(hash, LONGEST).map_err(advised)?;
    if let Some(refused) = included.outcome.refused {
        return Err(advised(refused.into()));
    }
    output.field("node", key.public());
    output.field(what, format_args!("in block {}", included.height));
    output.field("evidence", evidence);
    output.field("grade", format_args!("{:?}", chain.rules.attestation.grade));
    output.field("next", format_args!("assay node status {} --rpc {rpc}", key.public()));
    output.json(&json!({
        "node": key.public().to_string(),
        "height": included.height,
        "hash": hash.to_string(),
        "evidence": evidence.to_string(),
        "grade": format!("{:?}", chain.rules.attestation.grade).to_lowercase(),
        "did": what,
    }));
    Ok(Verdict::Fine)
}

/// The evidence of a file, or of the software attester, bound to the last state.
fn shown(arguments: &Arguments, chain: &Chain, node: PublicKey) -> Result<ShownEvidence> {
    let Shown { evidence, attester } = &arguments.evidence;
    if let (Some(path), Some(nonce_height)) = (evidence, arguments.nonce_height) {
        return Ok(ShownEvidence { evidence: read(path)?, nonce_height });
    }
    let path = attester.as_deref().context("neither --evidence nor --attester")?;
    let attester = SoftwareAttester::open(path).with_context(|| path.display().to_string())?;
    let measurement = measure(arguments.format).context("this program's file")?;
    let times = Times { made_ms: chain.time_ms, lifetime_ms: chain.rules.attestation.lifetime_ms };
    let evidence = attester.attest(&measurement, chain.binding(node), times);
    Ok(ShownEvidence { evidence, nonce_height: chain.nonce_height() })
}

fn read(path: &Path) -> Result<Evidence> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    wire::decode(&bytes).map_err(|error| {
        let what = format!("{}: {error}", path.display());
        problem(what, "name a file of evidence, as assay_verifier::tee::Evidence is encoded")
    })
}

/// A registration, or, of a node that is registered for enclaves, a new attestation.
fn payload(
    arguments: &Arguments,
    chain: &Chain,
    key: &SigningKey,
    shown: ShownEvidence,
) -> Result<(Payload, &'static str)> {
    let record: Option<Versioned<Node>> =
        chain.client.record(&keys::node(key.public()), &chain.root).map_err(advised)?;
    let next = chain.root.height.saturating_add(2);
    match record.filter(|record| record.holds_at(next)) {
        Some(Versioned { record, .. }) if record.backends.contains(&Backend::Tee) => {
            Ok((Payload::AttestNode(Box::new(AttestNode { shown })), "attested"))
        }
        Some(_) => Err(problem(
            "the node is registered for other backends",
            "let another key be the node in the enclave, or deregister: `assay-ledger tx deregister-node`",
        )),
        None => {
            let payee = arguments.payee.unwrap_or(key.public());
            let (endpoint, stake) = (arguments.endpoint.clone(), arguments.stake);
            let node = Node { backends: vec![Backend::Tee], endpoint, payee, stake };
            Ok((Payload::RegisterNode(RegisterNode { node, attestation: Some(Box::new(shown)) }), "registered"))
        }
    }
}
