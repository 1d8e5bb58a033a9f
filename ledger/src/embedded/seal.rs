//! Blocks in CometBFT's own form: headers, commits and validator sets that light clients verify like those of any chain. There is one validator.
use assay_verifier::settlement::light::CometHash;
use prost::Message;
use sha2::{Digest, Sha256};
use tendermint::block::header::{Header, Version};
use tendermint::block::signed_header::SignedHeader;
use tendermint::block::{self, Commit, CommitSig};
use tendermint::merkle::simple_hash_from_byte_vectors;
use tendermint::validator::{Info, Set};
use tendermint::vote::{Type, ValidatorIndex, Vote};
use tendermint::{AppHash, Hash, PublicKey, Signature, Time, account, chain};
use tendermint_proto::v0_38::abci::ExecTxResult;
use tendermint_proto::v0_38::types as proto;

use crate::abci::APP_VERSION;
use crate::comet::ValidatorKey;
use crate::tx::BlockTime;

/// Version of CometBFT's blocks.
const BLOCK_VERSION: u64 = 11;
/// Power of the validator.
pub const POWER: u64 = 10;
/// Bytes of the parts in which CometBFT sends blocks; their hash is in a block's identity.
const PART_BYTES: usize = 1 << 16;

/// The validator, and what is the same in all of its headers.
pub struct Seal {
    key: ValidatorKey,
    chain_id: chain::Id,
    validators: Set,
    address: account::Id,
    consensus_hash: Hash,
}

/// What a block says of the one before it.
pub struct Parent {
    /// Its identity and what signed it; nothing at height 1.
    pub commit: Option<Commit>,
    /// The app hash after it.
    pub app_hash: [u8; 32],
    /// What became of its transactions.
    pub results: Vec<ExecTxResult>,
}

fn tree<T: AsRef<[u8]>>(leaves: &[T]) -> Hash {
    Hash::Sha256(simple_hash_from_byte_vectors::<CometHash>(leaves))
}

/// The hash of what became of transactions: of that part that all nodes agree on.
fn results_hash(results: &[ExecTxResult]) -> Hash {
    let agreed = |result: &ExecTxResult| ExecTxResult {
        code: result.code,
        data: result.data.clone(),
        gas_wanted: result.gas_wanted,
        gas_used: result.gas_used,
        ..ExecTxResult::default()
    };
    tree(&results.iter().map(|result| agreed(result).encode_to_vec()).collect::<Vec<_>>())
}

impl Seal {
    /// Seals for a chain, whose largest block is in the hash of its parameters.
    ///
    /// # Errors
    /// Not a name of a chain, or not a key.
    pub fn new(key: ValidatorKey, chain_id: &str, block_bytes_max: u64) -> Result<Self, tendermint::Error> {
        let public = key.bytes();
        let address = account::Id::new(key.address());
        let validator = Info {
            address,
            pub_key: PublicKey::from_raw_ed25519(&public)
                .ok_or_else(|| tendermint::Error::invalid_key("a key".into()))?,
            power: POWER.try_into()?,
            name: None,
            proposer_priority: 0.into(),
        };
        let block_max_bytes = i64::try_from(block_bytes_max).unwrap_or(i64::MAX);
        let rules = proto::HashedParams { block_max_bytes, block_max_gas: -1 };
        Ok(Self {
            key,
            chain_id: chain_id.to_owned().try_into()?,
            validators: Set::new(vec![validator.clone()], Some(validator)),
            address,
            consensus_hash: Hash::Sha256(Sha256::digest(rules.encode_to_vec()).into()),
        })
    }

    /// The validators, now and always.
    pub fn validators(&self) -> &Set {
        &self.validators
    }

    /// Makes a block's header and signs it.
    ///
    /// # Errors
    /// A height or time that blocks cannot have.
    pub fn seal(
        &self,
        block: BlockTime,
        parent: &Parent,
        transactions: &[Vec<u8>],
    ) -> Result<SignedHeader, tendermint::Error> {
        let since = std::time::Duration::from_millis(block.time_ms);
        let time = Time::unix_epoch().checked_add(since).ok_or_else(tendermint::Error::date_out_of_range)?;
        let height = block::Height::try_from(block.height)?;
        let signatures = parent.commit.iter().flat_map(|commit| commit.signatures.iter().cloned());
        let signatures: Vec<_> =
            signatures.map(|signature| proto::CommitSig::from(signature).encode_to_vec()).collect();
        let header = Header {
            version: Version { block: BLOCK_VERSION, app: APP_VERSION },
            chain_id: self.chain_id.clone(),
            height,
            time,
            last_block_id: parent.commit.as_ref().map(|commit| commit.block_id),
            last_commit_hash: Some(tree(&signatures)),
            data_hash: Some(tree(&transactions.iter().map(Sha256::digest).collect::<Vec<_>>())),
            validators_hash: self.validators.hash_with::<CometHash>(),
            next_validators_hash: self.validators.hash_with::<CometHash>(),
            consensus_hash: self.consensus_hash,
            app_hash: AppHash::try_from(parent.app_hash.to_vec())?,
            last_results_hash: Some(results_hash(&parent.results)),
            evidence_hash: Some(tree::<[u8; 0]>(&[])),
            proposer_address: self.address,
        };
        let block_id = block::Id {
            hash: header.hash_with::<CometHash>(),
            part_set_header: parts(&header, parent.commit.clone().unwrap_or_default(), transactions)?,
        };
        let vote = Vote {
            vote_type: Type::Precommit,
            height,
            round: block::Round::default(),
            block_id: Some(block_id),
            timestamp: Some(time),
            validator_address: self.address,
            validator_index: ValidatorIndex::try_from(0u32)?,
            signature: None,
            extension: Vec::new(),
            extension_signature: None,
        };
        let signature = self.key.sign(&vote.into_signable_vec(self.chain_id.clone()));
        let signature = CommitSig::BlockIdFlagCommit {
            validator_address: self.address,
            timestamp: time,
            signature: Signature::new(signature)?,
        };
        let commit = Commit { height, round: block::Round::default(), block_id, signatures: vec![signature] };
        SignedHeader::new(header, commit)
    }
}

/// The parts in which CometBFT would send the block.
fn parts(header: &Header, last: Commit, transactions: &[Vec<u8>]) -> Result<block::parts::Header, tendermint::Error> {
    let block = proto::Block {
        header: Some(header.clone().into()),
        data: Some(proto::Data { txs: transactions.to_vec() }),
        evidence: Some(proto::EvidenceList::default()),
        last_commit: Some(last.into()),
    };
    let bytes = block.encode_to_vec();
    let parts: Vec<&[u8]> = bytes.chunks(PART_BYTES).collect();
    block::parts::Header::new(u32::try_from(parts.len()).unwrap_or(u32::MAX), tree(&parts))
}
