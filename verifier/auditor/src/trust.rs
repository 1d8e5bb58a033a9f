//! The file that says what the auditor trusts.
use anyhow::{Context, Result, bail};
use assay_verifier::audit::Trust;
use assay_verifier::digest::Digest32;
use assay_verifier::settlement::light::Root;
use serde::Deserialize;

/// The file's form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTrust {
    chain_id: String,
    /// Hash of the validators of the first block.
    validators_hash: Option<String>,
    /// Hash of a header.
    header_hash: Option<String>,
    /// Digest of the genesis.
    genesis: Option<String>,
}

/// Reads the file.
///
/// # Errors
/// Not JSON of this form, or not one root.
pub fn read(json: &[u8]) -> Result<Trust> {
    let RawTrust { chain_id, validators_hash, header_hash, genesis } = serde_json::from_slice(json)?;
    let digest = |name: &'static str, text: String| text.parse::<Digest32>().context(name);
    let root = match (validators_hash, header_hash) {
        (Some(hash), None) => Root::Validators(digest("validators_hash", hash)?.0),
        (None, Some(hash)) => Root::Header(digest("header_hash", hash)?.0),
        _ => bail!("give one of validators_hash and header_hash"),
    };
    let genesis = genesis.map(|text| digest("genesis", text)).transpose()?;
    Ok(Trust { chain_id, root, genesis })
}
