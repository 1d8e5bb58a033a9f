//! Answers of CometBFT's RPC, as far as they are of use. Integers of 64 bits are texts there, bytes are base64 or hexadecimal digits.
use assay_verifier::settlement::Height;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use tendermint::block::signed_header::SignedHeader;
use tendermint::validator;

use super::error::Refused;

/// How far a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The chain.
    pub chain_id: String,
    /// What the node calls itself.
    pub moniker: String,
    /// CometBFT's version.
    pub version: String,
    /// The last block that the node has.
    pub height: Height,
    /// Whether it is still fetching blocks that others have.
    pub catching_up: bool,
}

/// A block's header, as far as it is of use here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Header {
    /// The chain.
    pub chain_id: String,
    /// The block's height.
    #[serde(deserialize_with = "number")]
    pub height: Height,
    /// The block's time, as in RFC 3339.
    pub time: String,
    /// The app hash of the state before this block.
    #[serde(deserialize_with = "hex32")]
    pub app_hash: [u8; 32],
    /// The address of who proposed it.
    pub proposer_address: String,
}

/// A block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The header's hash in hexadecimal digits, by the node's own word.
    pub hash: String,
    /// The header.
    pub header: Header,
    /// The transactions.
    pub transactions: Vec<Vec<u8>>,
}

/// What became of a transaction in its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Why it was refused, if it was.
    pub refused: Option<Refused>,
    /// Its work units.
    pub work: u64,
    /// Of a batch: the code of each leaf, four bytes each, little-endian.
    pub data: Vec<u8>,
    /// What happened.
    pub events: Vec<Event>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Event {
    /// What.
    #[serde(rename = "type")]
    pub kind: String,
    /// Names and values.
    #[serde(default, deserialize_with = "attributes")]
    pub attributes: Vec<(String, String)>,
}

impl Event {
    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Deserialize)]
pub struct StatusAnswer {
    node_info: NodeInfo,
    sync_info: SyncInfo,
}

#[derive(Deserialize)]
struct NodeInfo {
    network: String,
    moniker: String,
    version: String,
}

#[derive(Deserialize)]
struct SyncInfo {
    #[serde(deserialize_with = "number")]
    latest_block_height: Height,
    catching_up: bool,
}

impl From<StatusAnswer> for Status {
    fn from(answer: StatusAnswer) -> Self {
        let StatusAnswer { node_info: NodeInfo { network, moniker, version }, sync_info } = answer;
        let SyncInfo { latest_block_height: height, catching_up } = sync_info;
        Self { chain_id: network, moniker, version, height, catching_up }
    }
}

#[derive(Deserialize)]
pub struct InfoAnswer {
    pub response: Info,
}

/// A height of 0 is left out.
#[derive(Deserialize)]
pub struct Info {
    #[serde(rename = "last_block_height", default, deserialize_with = "number")]
    pub height: Height,
    #[serde(rename = "last_block_app_hash", deserialize_with = "base64_32")]
    pub app_hash: [u8; 32],
}

#[derive(Deserialize)]
pub struct CommitAnswer {
    pub signed_header: Option<SignedHeader>,
}

#[derive(Deserialize)]
pub struct ValidatorsAnswer {
    #[serde(deserialize_with = "number")]
    pub block_height: Height,
    #[serde(default)]
    pub validators: Option<Vec<validator::Info>>,
    #[serde(deserialize_with = "number")]
    pub total: u64,
}

#[derive(Deserialize)]
pub struct HeaderAnswer {
    pub header: Option<Header>,
}

#[derive(Deserialize)]
pub struct BlockAnswer {
    pub block_id: BlockId,
    pub block: Option<BlockBody>,
}

#[derive(Deserialize)]
pub struct BlockId {
    pub hash: String,
}

#[derive(Deserialize)]
pub struct BlockBody {
    pub header: Header,
    pub data: BlockData,
}

#[derive(Deserialize)]
pub struct BlockData {
    txs: Option<Vec<Base64>>,
}

impl BlockData {
    pub fn transactions(self) -> Vec<Vec<u8>> {
        self.txs.unwrap_or_default().into_iter().map(|Base64(bytes)| bytes).collect()
    }
}

/// What CheckTx said.
#[derive(Deserialize)]
pub struct BroadcastAnswer {
    #[serde(default)]
    pub code: u32,
    #[serde(default)]
    pub codespace: String,
    #[serde(default)]
    pub log: String,
}

#[derive(Deserialize)]
pub struct TxAnswer {
    #[serde(deserialize_with = "number")]
    pub height: Height,
    pub index: u32,
    pub tx_result: OutcomeAnswer,
}

#[derive(Deserialize)]
pub struct ResultsAnswer {
    pub txs_results: Option<Vec<OutcomeAnswer>>,
}

#[derive(Deserialize)]
pub struct OutcomeAnswer {
    #[serde(default)]
    code: u32,
    #[serde(default)]
    codespace: String,
    #[serde(default)]
    log: String,
    #[serde(default, deserialize_with = "number")]
    gas_used: u64,
    #[serde(default)]
    data: Option<Base64>,
    #[serde(default)]
    events: Option<Vec<Event>>,
}

impl From<OutcomeAnswer> for Outcome {
    fn from(answer: OutcomeAnswer) -> Self {
        let OutcomeAnswer { code, codespace, log, gas_used, data, events } = answer;
        let refused = (code != 0).then_some(Refused { code, codespace, text: log });
        let data = data.map(|Base64(bytes)| bytes).unwrap_or_default();
        Self { refused, work: gas_used, data, events: events.unwrap_or_default() }
    }
}

#[derive(Deserialize)]
pub struct QueryAnswer {
    pub response: QueryResponse,
}

#[derive(Deserialize)]
pub struct QueryResponse {
    #[serde(default)]
    pub code: u32,
    #[serde(default)]
    pub codespace: String,
    #[serde(default)]
    pub log: String,
    #[serde(default, deserialize_with = "number")]
    pub index: u64,
    #[serde(default)]
    pub value: Option<Base64>,
    #[serde(default, rename = "proofOps", alias = "proof_ops")]
    pub proof: Option<ProofOps>,
    #[serde(default, deserialize_with = "number")]
    pub height: Height,
}

#[derive(Deserialize)]
pub struct ProofOps {
    pub ops: Vec<ProofOp>,
}

#[derive(Deserialize)]
pub struct ProofOp {
    pub data: Base64,
}

/// Bytes.
pub struct Base64(pub Vec<u8>);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64.decode(text).map(Self).map_err(D::Error::custom)
    }
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

fn hex32<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(String::deserialize(deserializer)?, &mut bytes).map_err(D::Error::custom)?;
    Ok(bytes)
}

fn base64_32<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    let Base64(bytes) = Base64::deserialize(deserializer)?;
    bytes.try_into().map_err(|_| D::Error::custom("an app hash has 32 bytes"))
}

fn attributes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    #[derive(Deserialize)]
    struct Attribute {
        key: String,
        #[serde(default)]
        value: String,
    }
    let attributes: Option<Vec<Attribute>> = Option::deserialize(deserializer)?;
    Ok(attributes.unwrap_or_default().into_iter().map(|Attribute { key, value }| (key, value)).collect())
}
