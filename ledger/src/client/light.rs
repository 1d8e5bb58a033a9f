//! Blocks as light clients take them: header and commit, validators of the height and of the next.
//!
//! They are the node's own word until a light client has verified them, from a header that is trusted or from the genesis.
use assay_verifier::settlement::Height;
use prost::Message;
use serde_json::json;
use tendermint_proto::v0_38::types as proto;

use super::Client;
use super::answer::{CommitAnswer, ValidatorsAnswer};
use super::error::ClientError;
use crate::proven::LightBytes;

/// Validators in one answer: the most that CometBFT gives.
const PAGE: usize = 100;
/// Most validators of a chain, as CometBFT has it.
const VALIDATORS_MAX: usize = 10_000;

impl Client {
    /// A block as light clients take it.
    ///
    /// # Errors
    /// The node has no such block, or what it gives cannot be it; no answer.
    pub fn light_bytes(&self, height: Height) -> Result<LightBytes, ClientError> {
        let answer: CommitAnswer = self.rpc.call("commit", json!({ "height": height.to_string() }))?;
        let signed = answer.signed_header.ok_or(ClientError::NoBlock(height))?;
        let validator_set = Some(self.validators(height)?);
        let block = proto::LightBlock { signed_header: Some(signed.into()), validator_set }.encode_to_vec();
        let next_validators = self.validators(height.saturating_add(1))?.encode_to_vec();
        let bytes = LightBytes { block, next_validators };
        match bytes.decode() {
            Ok(block) if block.height() == height => Ok(bytes),
            _ => Err(ClientError::NotABlock(height)),
        }
    }

    /// The validators of a height. Those of the next are known with the block. Their power is added up by whoever decodes them.
    fn validators(&self, height: Height) -> Result<proto::ValidatorSet, ClientError> {
        let mut validators = Vec::new();
        for page in 1..=VALIDATORS_MAX.div_ceil(PAGE) {
            let params =
                json!({ "height": height.to_string(), "page": page.to_string(), "per_page": PAGE.to_string() });
            let answer: ValidatorsAnswer = self.rpc.call("validators", params)?;
            let of_page = answer.validators.unwrap_or_default();
            let (total, empty) = (answer.total, of_page.is_empty());
            validators.extend(of_page);
            let count = u64::try_from(validators.len()).unwrap_or(u64::MAX);
            if answer.block_height != height || empty || count > total {
                return Err(ClientError::NotABlock(height));
            }
            if count == total {
                let validators = validators.into_iter().map(Into::into).collect();
                return Ok(proto::ValidatorSet { validators, proposer: None, total_voting_power: 0 });
            }
        }
        Err(ClientError::NotABlock(height))
    }
}
