//! `assay-ledger trust`: what an auditor trusts of a chain, from its genesis.
use std::path::PathBuf;

use anyhow::{Context, Result};
use assay_verifier::digest::Digest32;
use assay_verifier::settlement::light::Root;
use clap::Args;
use serde_json::json;

use crate::comet::CometGenesis;

/// Print what `assay-verify` is to trust of a chain, as the JSON that its --trust reads
#[derive(Args)]
pub struct Arguments {
    /// The chain's genesis.json, from somebody who is trusted
    genesis: PathBuf,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let path = arguments.genesis.display();
    let text = std::fs::read_to_string(&arguments.genesis).with_context(|| path.to_string())?;
    let file = CometGenesis::from_json(&text).with_context(|| path.to_string())?;
    let genesis = file.state().with_context(|| path.to_string())?;
    let (Root::Validators(hash) | Root::Header(hash)) = file.root().with_context(|| path.to_string())?;
    let trust = json!({
        "chain_id": genesis.parameters().chain_id,
        "validators_hash": Digest32(hash).to_string(),
        "genesis": genesis.digest().to_string(),
    });
    println!("{trust:#}");
    Ok(())
}
