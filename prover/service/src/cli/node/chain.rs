//! What commands about nodes ask a ledger for: its last state, and what a document has to carry.
use std::path::Path;

use anyhow::{Context, Result};
use assay_ledger::client::{Client, ClientError, Root};
use assay_verifier::settlement::keys;
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::payment::{Block, BlockHash};
use assay_verifier::settlement::{Height, Versioned};
use assay_verifier::signature::{PublicKey, SigningKey};
use assay_verifier::tee::Binding;
use serde_json::json;

use super::super::Verdict;
use super::super::output::Output;
use super::super::problem::problem;
use crate::serve::node_key;

/// A ledger at its last state. The node that is asked is taken at its word: a wrong one can only make a document that the ledger refuses.
pub struct Chain {
    pub client: Client,
    pub root: Root,
    pub rules: Parameters,
    /// The time of the last block of that state.
    pub time_ms: u64,
    /// The hash of that block.
    hash: [u8; 32],
}

impl Chain {
    /// Asks a node.
    pub fn ask(rpc: &str) -> Result<Self> {
        let client = Client::new(rpc).map_err(advised)?;
        let root = client.last().map_err(advised)?;
        let rules: Option<Versioned<Parameters>> = client.record(keys::PARAMETERS, &root).map_err(advised)?;
        let block: Option<Block> = client.record(keys::BLOCK, &root).map_err(advised)?;
        let (rules, block) = rules.zip(block).context("the ledger has no rules")?;
        let hash: Option<BlockHash> = client.record(&keys::block_hash(block.height), &root).map_err(advised)?;
        let BlockHash { hash, time_ms } = hash.context("the ledger has no block yet")?;
        Ok(Self { client, root, rules: rules.record, time_ms, hash })
    }

    /// What a document for a node's key has to carry, bound to the last state.
    pub fn binding(&self, node: PublicKey) -> Binding {
        Binding::new(&self.rules.chain_id, node, self.hash)
    }

    /// The height that such a document names.
    pub fn nonce_height(&self) -> Height {
        self.root.height
    }
}

/// An error of a ledger, with what to do.
pub fn advised(error: ClientError) -> anyhow::Error {
    let next = match error {
        ClientError::Refused(_) => "the table of codes in ledger/README.md says what is asked for",
        _ => "name a node of the ledger by --rpc",
    };
    problem(error, next)
}

/// The key of a node.
pub fn key(path: &Path) -> Result<SigningKey> {
    node_key(path).with_context(|| path.display().to_string())
}

/// `assay node binding`.
pub fn binding(rpc: &str, path: &Path, output: &Output) -> Result<Verdict> {
    let key = key(path)?;
    let chain = Chain::ask(rpc)?;
    let binding = chain.binding(key.public());
    let (digest, nonce) = (hex::encode(binding.digest), hex::encode(binding.nonce));
    output.field("node", key.public());
    output.field("nonce height", chain.nonce_height());
    output.field("Nitro", format_args!("user_data {digest}, nonce {nonce}"));
    output.field("TDX, SGX, SNP", format_args!("report data {digest}{nonce}"));
    let seconds = chain.rules.attestation.age_max_ms / 1_000;
    output.field("", format_args!("it counts if the document is shown within {seconds} s"));
    output.json(&json!({
        "node": key.public().to_string(),
        "nonce_height": chain.nonce_height(),
        "digest": digest,
        "nonce": nonce,
        "report_data": format!("{digest}{nonce}"),
    }));
    Ok(Verdict::Fine)
}
