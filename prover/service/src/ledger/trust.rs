//! `trust.json`: what an auditor of the chain begins with, without proof. `assay-verify --trust` reads it.
use assay_verifier::audit::Trust;
use assay_verifier::digest::{Digest32, NotHex};
use assay_verifier::settlement::light::Root;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The file's form. Digests are hexadecimal digits.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTrust {
    chain_id: String,
    /// Of the first block.
    #[serde(skip_serializing_if = "Option::is_none")]
    validators_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    genesis: Option<String>,
}

/// Why a file says nothing of what is trusted.
#[derive(Debug, Error)]
pub enum BadTrust {
    /// Not JSON of this form.
    #[error("not a trust file: {0}")]
    Json(#[from] serde_json::Error),
    /// Not a digest.
    #[error("not a trust file: a digest is {0}")]
    Hex(#[from] NotHex),
    /// No root, or two.
    #[error("not a trust file: it must have one of validators_hash and header_hash")]
    Root,
}

/// Writes the file.
pub fn write_trust(trust: &Trust) -> String {
    let text = |bytes: [u8; 32]| Some(hex::encode(bytes));
    let (validators_hash, header_hash) = match trust.root {
        Root::Validators(hash) => (text(hash), None),
        Root::Header(hash) => (None, text(hash)),
    };
    let genesis = trust.genesis.map(|digest| digest.to_string());
    let raw = RawTrust { chain_id: trust.chain_id.clone(), validators_hash, header_hash, genesis };
    let mut json = serde_json::to_string_pretty(&raw).unwrap_or_default();
    json.push('\n');
    json
}

/// Reads the file.
///
/// # Errors
/// Not JSON of this form, or not one root.
pub fn read_trust(json: &str) -> Result<Trust, BadTrust> {
    let RawTrust { chain_id, validators_hash, header_hash, genesis } = serde_json::from_str(json)?;
    let digest = |text: String| text.parse::<Digest32>();
    let root = match (validators_hash, header_hash) {
        (Some(hash), None) => Root::Validators(digest(hash)?.0),
        (None, Some(hash)) => Root::Header(digest(hash)?.0),
        _ => return Err(BadTrust::Root),
    };
    Ok(Trust { chain_id, root, genesis: genesis.map(digest).transpose()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The auditor's program reads the same form.
    const FORM: &str = r#"{
  "chain_id": "assay-local",
  "validators_hash": "0101010101010101010101010101010101010101010101010101010101010101",
  "genesis": "0202020202020202020202020202020202020202020202020202020202020202"
}
"#;

    #[test]
    fn the_form_is_this() {
        let root = Root::Validators([1; 32]);
        let trust = Trust { chain_id: "assay-local".into(), root, genesis: Some(Digest32([2; 32])) };
        assert_eq!(write_trust(&trust), FORM);
        assert_eq!(read_trust(FORM).unwrap(), trust);
    }

    #[test]
    fn other_forms_are_refused() {
        let digest = "01".repeat(32);
        let both = format!(r#"{{"chain_id": "a", "validators_hash": "{digest}", "header_hash": "{digest}"}}"#);
        let refused = ["", "{}", "[]", r#"{"chain_id": "a"}"#, r#"{"chain_id": "a", "header_hash": "01"}"#, &both];
        for json in refused {
            assert!(read_trust(json).is_err(), "{json}");
        }
    }
}
