//! CometBFT's genesis, which has the chain's own in its `app_state`: one file for both, so that they cannot differ.
use assay_verifier::settlement::light::{LightError, Root, validators_hash};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tendermint::PublicKey;
use thiserror::Error;

use super::keys::ValidatorKey;
use crate::genesis::{Genesis, GenesisError, RawGenesis};

/// Bytes of a block besides transactions: header, commit, evidence.
const BLOCK_OVERHEAD: u64 = 1 << 20;
/// Largest block that CometBFT makes.
const BLOCK_BYTES_MAX: u64 = 100 << 20;
/// Power of each validator at the beginning.
const POWER: &str = "10";

/// Why a genesis is refused.
#[derive(Debug, Error)]
pub enum CometGenesisError {
    /// Not JSON of this form.
    #[error("not a genesis of CometBFT: {0}")]
    Json(#[from] serde_json::Error),
    /// The chain's own part.
    #[error("app_state: {0}")]
    State(#[from] GenesisError),
    /// The first validators.
    #[error("validators: not keys of ed25519 with their powers")]
    Validators,
    /// The two parts name different chains.
    #[error("chain_id is {0:?}, and {1:?} in app_state")]
    ChainId(String, String),
}

/// The file. What only CometBFT reads is kept as it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CometGenesis {
    chain_id: String,
    app_state: RawGenesis,
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

impl CometGenesis {
    /// A chain that begins now, with these validators.
    ///
    /// # Errors
    /// The chain's own part is refused.
    pub fn new(state: RawGenesis, time: &str, validators: &[ValidatorKey]) -> Result<Self, CometGenesisError> {
        let limits = state.check()?.parameters().limits;
        let block_bytes = limits.block_bytes_max.saturating_add(BLOCK_OVERHEAD).min(BLOCK_BYTES_MAX);
        let validator = |(place, key): (usize, &ValidatorKey)| {
            let name = format!("node{place}");
            json!({ "address": hex::encode_upper(key.address()), "pub_key": key.public(), "power": POWER, "name": name })
        };
        let others = json!({
            "genesis_time": time,
            "initial_height": "1",
            "consensus_params": {
                "block": { "max_bytes": block_bytes.to_string(), "max_gas": "-1" },
                "evidence": {
                    "max_age_num_blocks": "100000",
                    "max_age_duration": "172800000000000",
                    "max_bytes": "1048576",
                },
                "validator": { "pub_key_types": ["ed25519"] },
                "version": { "app": "0" },
                "abci": { "vote_extensions_enable_height": "0" },
            },
            "validators": validators.iter().enumerate().map(validator).collect::<Vec<Value>>(),
            "app_hash": "",
        });
        Ok(Self { chain_id: state.chain_id.clone(), app_state: state, others: serde_json::from_value(others)? })
    }

    /// Reads the file.
    ///
    /// # Errors
    /// Not JSON of this form.
    pub fn from_json(text: &str) -> Result<Self, CometGenesisError> {
        Ok(serde_json::from_str(text)?)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// None in practice.
    pub fn to_json(&self) -> Result<String, CometGenesisError> {
        Ok(serde_json::to_string_pretty(self)?)
    }

    /// What light clients begin with: the hash of the first validators.
    ///
    /// # Errors
    /// The file does not say who they are, or they can be none.
    pub fn root(&self) -> Result<Root, CometGenesisError> {
        #[derive(Deserialize)]
        struct Validator {
            pub_key: PublicKey,
            power: String,
        }
        let validators = self.others.get("validators").cloned().unwrap_or_default();
        let validators: Vec<Validator> = serde_json::from_value(validators)?;
        let member = |Validator { pub_key, power }: &Validator| {
            let key = pub_key.ed25519()?.as_bytes().try_into().ok()?;
            Some((key, power.parse().ok()?))
        };
        let members: Option<Vec<_>> = validators.iter().map(member).collect();
        let members = members.filter(|members| !members.is_empty()).ok_or(CometGenesisError::Validators)?;
        Ok(Root::Validators(validators_hash(&members).map_err(|_: LightError| CometGenesisError::Validators)?))
    }

    /// The chain's own part, checked.
    ///
    /// # Errors
    /// It is refused, or is of another chain.
    pub fn state(&self) -> Result<Genesis, CometGenesisError> {
        if self.chain_id != self.app_state.chain_id {
            return Err(CometGenesisError::ChainId(self.chain_id.clone(), self.app_state.chain_id.clone()));
        }
        Ok(self.app_state.check()?)
    }
}
