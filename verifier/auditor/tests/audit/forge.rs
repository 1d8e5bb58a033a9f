//! Validators who lie together: any records in the state, any header above it, signed as it has to be.
use assay_ledger::comet::ValidatorKey;
use assay_ledger::state::{Store, Writes};
use assay_verifier::audit::{Attested, Bundle, Ledger, PathBlock, Record, Sampled};
use assay_verifier::settlement::light::CometHash;
use assay_verifier::settlement::model::Model;
use assay_verifier::settlement::node::{Attestation, Measurement, Node};
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::payment::{Block, Settlement};
use assay_verifier::settlement::sampling::Sample;
use assay_verifier::settlement::{self, Versioned, keys};
use assay_verifier::tee;
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
    pub settlement: Option<Settlement>,
    pub model: Option<Versioned<Model>>,
    pub node: Versioned<Node>,
    pub rules: Versioned<Parameters>,
    pub enclave: Option<Enclave>,
    pub sample: Option<Sample>,
}

/// Those of a node's enclave.
pub struct Enclave {
    pub attestation: Versioned<Attestation>,
    pub evidence: tee::Evidence,
    pub measurement: Versioned<Measurement>,
    /// They lie beside the ones in force.
    pub rules: Versioned<Parameters>,
}

impl Records {
    pub fn settlement(&mut self) -> &mut Settlement {
        self.settlement.as_mut().unwrap()
    }

    pub fn model(&mut self) -> &mut Versioned<Model> {
        self.model.as_mut().unwrap()
    }

    pub fn enclave(&mut self) -> &mut Enclave {
        self.enclave.as_mut().unwrap()
    }

    pub fn sample(&mut self) -> &mut Sample {
        self.sample.as_mut().unwrap()
    }

    fn read(ledger: &Ledger) -> Self {
        Self {
            block: read(&ledger.block),
            settlement: ledger.settlement.as_ref().map(read),
            model: ledger.model.as_ref().map(read),
            node: read(&ledger.node),
            rules: read(&ledger.rules),
            enclave: ledger.attestation.as_ref().map(|attested| Enclave {
                attestation: read(&attested.attestation),
                evidence: read(&attested.evidence),
                measurement: read(&attested.measurement),
                rules: read(&attested.rules),
            }),
            sample: ledger.sample.as_ref().map(|sample| read(&sample.record)),
        }
    }
}

fn read<T: serde::Serialize + serde::de::DeserializeOwned>(record: &Record) -> T {
    settlement::decode(&record.value.0).unwrap()
}

/// A state that is being put together.
#[derive(Default)]
struct State(Writes);

impl State {
    /// Puts a record in; gives its key.
    fn put<T: serde::Serialize>(&mut self, key: Vec<u8>, record: &T) -> Vec<u8> {
        self.0.insert(key.clone(), Some(settlement::encode(record)));
        key
    }
}

/// A bundle whose validators put other records into the state, with proofs and a header that are right in themselves.
pub fn records(bundle: &Bundle, change: impl FnOnce(&mut Records)) -> Bundle {
    let mut bundle = bundle.clone();
    let receipt = bundle.receipt.receipt.clone();
    let ledger = bundle.ledger.as_mut().unwrap();
    let mut records = Records::read(ledger);
    change(&mut records);
    let mut state = State::default();
    let block = state.put(keys::BLOCK.to_vec(), &records.block);
    let settlement = records.settlement.map(|found| state.put(keys::settlement(receipt.request), &found));
    let model = records.model.map(|found| state.put(keys::model(receipt.model), &found));
    let node = state.put(keys::node(receipt.node), &records.node);
    let rules = state.put(keys::PARAMETERS.to_vec(), &records.rules);
    let enclave = records.enclave.map(|Enclave { attestation, evidence, measurement, rules }| {
        let Attestation { evidence: document, measurement: id, .. } = attestation.record;
        let before = keys::version(keys::PARAMETERS, rules.revision);
        [
            state.put(keys::attestation(receipt.node), &attestation),
            state.put(keys::evidence(document), &evidence),
            state.put(keys::measurement(id), &measurement),
            state.put(before, &rules),
        ]
    });
    let sample = records.sample.map(|found| state.put(keys::sample(receipt.request), &found));
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("state"), 10).unwrap();
    let committed = store.commit(store.stage(1, state.0.clone()).unwrap()).unwrap();
    let snapshot = store.snapshot().unwrap();
    let shown = |key: Vec<u8>| {
        let value = Bytes(state.0.get(&key).cloned().flatten().unwrap());
        Record { value, proof: Bytes(snapshot.prove(&key, committed.height).unwrap().1) }
    };
    let last = ledger.path.pop().unwrap();
    let last = header(&last, |header| header.app_hash = AppHash::try_from(committed.app_hash.to_vec()).unwrap());
    let proof = ledger.sample.take().and_then(|sample| sample.proof);
    *ledger = Ledger {
        path: ledger.path.drain(..).chain([last]).collect(),
        block: shown(block),
        settlement: settlement.map(shown),
        model: model.map(shown),
        node: shown(node),
        rules: shown(rules),
        attestation: enclave.map(|keys| {
            let [attestation, evidence, measurement, rules] = keys.map(shown);
            Attested { attestation, evidence, measurement, rules }
        }),
        sample: sample.map(|key| Sampled { record: shown(key), proof }),
    };
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
