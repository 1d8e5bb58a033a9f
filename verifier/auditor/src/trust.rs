//! `trust.json`: what the auditor trusts without proof. Services write it, for auditors to compare with what they have from elsewhere.
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
    /// Of the first block's validators.
    #[serde(skip_serializing_if = "Option::is_none")]
    validators_hash: Option<String>,
    /// Of the header that is trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    header_hash: Option<String>,
    /// Of what the ledger began with.
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
    #[error("{field}: {error}")]
    Hex {
        /// Which.
        field: &'static str,
        /// What it is not.
        error: NotHex,
    },
    /// No root, or two.
    #[error("give one of validators_hash and header_hash")]
    Root,
}

/// Writes the file.
pub fn write(trust: &Trust) -> String {
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
pub fn read(json: &str) -> Result<Trust, BadTrust> {
    let RawTrust { chain_id, validators_hash, header_hash, genesis } = serde_json::from_str(json)?;
    let digest = |field, text: String| text.parse::<Digest32>().map_err(|error| BadTrust::Hex { field, error });
    let root = match (validators_hash, header_hash) {
        (Some(hash), None) => Root::Validators(digest("validators_hash", hash)?.0),
        (None, Some(hash)) => Root::Header(digest("header_hash", hash)?.0),
        _ => return Err(BadTrust::Root),
    };
    Ok(Trust { chain_id, root, genesis: genesis.map(|text| digest("genesis", text)).transpose()? })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(write(&trust), FORM);
        assert_eq!(read(FORM).unwrap(), trust);
    }

    #[test]
    fn other_forms_are_refused() {
        let digest = "01".repeat(32);
        let both = format!(r#"{{"chain_id": "a", "validators_hash": "{digest}", "header_hash": "{digest}"}}"#);
        let refused = ["", "{}", "[]", r#"{"chain_id": "a"}"#, r#"{"chain_id": "a", "header_hash": "01"}"#, &both];
        for json in refused {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
