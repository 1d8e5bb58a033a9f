//! Validators who lie together: any records in the state, any header above it, signed as it has to be.
use assay_ledger::comet::ValidatorKey;
use assay_ledger::state::{Store, Writes};
use assay_verifier::audit::{Bundle, Ledger, PathBlock, Record};
use assay_verifier::settlement::light::CometHash;
use assay_verifier::settlement::model::Model;
use assay_verifier::settlement::node::Node;
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::payment::{Block, Settlement};
use assay_verifier::settlement::{self, Versioned, keys};
use assay_verifier::wire::Bytes;
use prost::Message;
use tendermint::block::CommitSig;
use tendermint::block::header::Header;
use tendermint::block::signed_header::SignedHeader;
use tendermint::vote::{Type, ValidatorIndex, Vote};
use tendermint::{AppHash, Signature};
use tendermint_proto::v0_38::types as proto;

use super::world::VALIDATOR;

/// The records of a bundle, decoded.
pub struct Records {
    pub block: Block,
    pub settlement: Settlement,
    pub model: Versioned<Model>,
    pub node: Versioned<Node>,
    pub rules: Versioned<Parameters>,
}

/// A bundle whose validators put other records into the state, with proofs and a header that are right in themselves.
pub fn records(bundle: &Bundle, change: impl FnOnce(&mut Records)) -> Bundle {
    let mut bundle = bundle.clone();
    let receipt = bundle.receipt.receipt.clone();
    let ledger = bundle.ledger.as_mut().unwrap();
    fn read<T: serde::Serialize + serde::de::DeserializeOwned>(record: &Record) -> T {
        settlement::decode(&record.value.0).unwrap()
    }
    let Ledger { block, settlement, model, node, rules, .. } = &*ledger;
    let mut records = Records {
        block: read(block),
        settlement: read(settlement),
        model: read(model),
        node: read(node),
        rules: read(rules),
    };
    change(&mut records);
    let Records { block, settlement, model, node, rules } = records;
    let state = [
        (keys::BLOCK.to_vec(), settlement::encode(&block)),
        (keys::settlement(receipt.request), settlement::encode(&settlement)),
        (keys::model(receipt.model), settlement::encode(&model)),
        (keys::node(receipt.node), settlement::encode(&node)),
        (keys::PARAMETERS.to_vec(), settlement::encode(&rules)),
    ];
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("state"), 10).unwrap();
    let writes: Writes = state.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
    let committed = store.commit(store.stage(1, writes).unwrap()).unwrap();
    let snapshot = store.snapshot().unwrap();
    let [block, settlement, model, node, rules] = state.map(|(key, value)| {
        let proof = Bytes(snapshot.prove(&key, committed.height).unwrap().1);
        Record { value: Bytes(value), proof }
    });
    let last = ledger.path.pop().unwrap();
    let last = header(&last, |header| header.app_hash = AppHash::try_from(committed.app_hash.to_vec()).unwrap());
    let path = ledger.path.drain(..).chain([last]).collect();
    *ledger = Ledger { path, block, settlement, model, node, rules };
    bundle
}

/// A block with another header, signed by the validator.
pub fn header(block: &PathBlock, change: impl FnOnce(&mut Header)) -> PathBlock {
    let mut decoded = proto::LightBlock::decode(block.block.0.as_slice()).unwrap();
    let signed: SignedHeader = decoded.signed_header.take().unwrap().try_into().unwrap();
    let SignedHeader { mut header, mut commit, .. } = signed;
    change(&mut header);
    commit.height = header.height;
    commit.block_id.hash = header.hash_with::<CometHash>();
    let Some(CommitSig::BlockIdFlagCommit { validator_address, timestamp, signature }) = commit.signatures.first_mut()
    else {
        panic!("the validator signed")
    };
    *timestamp = header.time;
    let vote = Vote {
        vote_type: Type::Precommit,
        height: header.height,
        round: commit.round,
        block_id: Some(commit.block_id),
        timestamp: Some(header.time),
        validator_address: *validator_address,
        validator_index: ValidatorIndex::try_from(0u32).unwrap(),
        signature: None,
        extension: Vec::new(),
        extension_signature: None,
    };
    let signed = ValidatorKey::from_seed([VALIDATOR; 32]).sign(&vote.into_signable_vec(header.chain_id.clone()));
    *signature = Signature::new(signed).unwrap();
    decoded.signed_header = Some(SignedHeader::new(header, commit).unwrap().into());
    PathBlock { block: Bytes(decoded.encode_to_vec()), next_validators: block.next_validators.clone() }
}
