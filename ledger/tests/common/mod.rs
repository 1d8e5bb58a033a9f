//! A chain in a temporary folder, its people, and what they do.
#![allow(dead_code)] // not every test needs everything that tests share
pub mod enclave;
pub mod golden;

use assay_ledger::app::{Finalized, TxResult};
use assay_ledger::genesis::{Genesis, RawGenesis};
use assay_ledger::state::{State, read};
use assay_ledger::tx::{BlockTime, Body, Deposit, Evidence, Payload, PublishModel, RegisterNode, Reserve, Settle};
use assay_ledger::{App, Options, Rejection};
use assay_verifier::digest::{CircuitDigest, Digest32};
use assay_verifier::receipt::{Backend, Claim, Grade, ModelId, Program, Receipt, RequestId, Subject};
use assay_verifier::settlement::keys;
use assay_verifier::settlement::model::{Manifest, Visibility};
use assay_verifier::settlement::node::Node;
use assay_verifier::settlement::payment::{Account, Authorisation};
use assay_verifier::signature::{Domain, PublicKey, SigningKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Digest;
use tempfile::TempDir;

pub const CHAIN: &str = "assay-golden-1";
pub const PAYER: u8 = 1;
pub const NODE: u8 = 2;
pub const PUBLISHER: u8 = 3;
pub const GOVERNANCE: u8 = 4;
pub const STRANGER: u8 = 5;
/// Blocks are a second apart.
pub const STEP_MS: u64 = 1_000;
pub const SUPPLY: u64 = 4 * 1_000_000;
pub const FEE: u64 = 10_000;

pub fn secret(who: u8) -> SigningKey {
    SigningKey::from_seed([who; 32])
}

pub fn key(who: u8) -> PublicKey {
    secret(who).public()
}

/// Everybody has a million but the stranger, who has nothing.
pub fn genesis() -> RawGenesis {
    let accounts = [GOVERNANCE, PAYER, NODE, PUBLISHER].map(|who| (key(who), SUPPLY / 4));
    RawGenesis::usual(CHAIN, &accounts)
}

pub struct Chain {
    pub app: App,
    pub genesis: Genesis,
    pub options: Options,
    pub folder: TempDir,
}

/// A hash of the block of a height, as good as any.
pub fn hash(height: u64) -> [u8; 32] {
    sha2::Sha256::digest(height.to_be_bytes()).into()
}

impl Chain {
    pub fn new() -> Self {
        Self::of(&genesis())
    }

    pub fn of(genesis: &RawGenesis) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { threads: 2, ..Options::usual(&folder.path().join("state")) };
        let genesis = genesis.check().unwrap();
        Self { app: App::open(&genesis, &options).unwrap(), genesis, options, folder }
    }

    /// A chain with a registered node, a model without keys, and a deposit of the payer.
    pub fn ready() -> Self {
        let mut chain = Self::new();
        let payloads = [(NODE, register()), (PUBLISHER, publish("model", "1")), (PAYER, deposit(1_000))];
        for (who, payload) in payloads {
            chain.good(who, payload);
        }
        chain
    }

    /// Stops without a commit and opens again.
    pub fn restart(self) -> Self {
        let Self { app, genesis, options, folder } = self;
        drop(app);
        Self { app: App::open(&genesis, &options).unwrap(), genesis, options, folder }
    }

    pub fn next(&self) -> BlockTime {
        BlockTime { height: self.app.last().height + 1, time_ms: self.app.last_time_ms() + STEP_MS }
    }

    pub fn read<T: Serialize + DeserializeOwned>(&self, key: &[u8]) -> Option<T> {
        read(&self.app.reader().store().snapshot().unwrap(), key).unwrap()
    }

    pub fn bytes(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.app.reader().store().snapshot().unwrap().get(key).unwrap()
    }

    pub fn account(&self, who: u8) -> Account {
        self.read(&keys::account(key(who))).unwrap_or_default()
    }

    pub fn body(&self, who: u8, payload: Payload) -> Body {
        let nonce = self.account(who).nonce;
        Body { chain_id: CHAIN.into(), signer: key(who), nonce, fee: FEE, payload }
    }

    pub fn tx(&self, who: u8, payload: Payload) -> Vec<u8> {
        self.body(who, payload).sign(&secret(who)).encode()
    }

    /// A block at a time of choice.
    pub fn block_at(&mut self, block: BlockTime, transactions: &[Vec<u8>]) -> Finalized {
        let finalized = self.app.finalize(transactions, block, hash(block.height)).unwrap();
        assert_eq!(self.app.commit().unwrap(), finalized.committed);
        finalized
    }

    pub fn block(&mut self, transactions: &[Vec<u8>]) -> Vec<TxResult> {
        self.block_at(self.next(), transactions).results
    }

    /// Blocks with nothing in them until a time.
    pub fn wait(&mut self, until_ms: u64) {
        let block = BlockTime { time_ms: until_ms, ..self.next() };
        self.block_at(block, &[]);
    }

    pub fn send(&mut self, who: u8, payload: Payload) -> TxResult {
        let transaction = self.tx(who, payload);
        self.block(&[transaction]).remove(0)
    }

    pub fn good(&mut self, who: u8, payload: Payload) -> TxResult {
        let result = self.send(who, payload);
        assert_eq!(result.rejection, None);
        result
    }

    #[track_caller]
    pub fn refused(&mut self, who: u8, payload: Payload, why: Rejection) {
        let before = self.records();
        assert_eq!(self.send(who, payload).rejection, Some(why));
        // Fee, nonce and the block's own record apart, nothing has changed.
        let kept =
            |(key, _): &&(Vec<u8>, Vec<u8>)| !key.starts_with(b"account/") && key != keys::TOTALS && !of_block(key);
        let after = self.records();
        assert!(before.iter().filter(kept).eq(after.iter().filter(kept)), "a refused transaction left something");
    }

    pub fn records(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.app.reader().store().snapshot().unwrap().records(b"").unwrap().map(Result::unwrap).collect()
    }
}

/// What each block writes of itself.
pub fn of_block(key: &[u8]) -> bool {
    key.starts_with(keys::BLOCK) || key.starts_with(b"recent/")
}

pub fn deposit(amount: u64) -> Payload {
    Payload::Deposit(Deposit { amount })
}

pub fn node() -> Node {
    let backends = vec![Backend::Zkml, Backend::Vanilla];
    Node { backends, endpoint: "https://node.example".into(), payee: key(NODE), stake: 5_000 }
}

pub fn register() -> Payload {
    Payload::RegisterNode(RegisterNode { node: node(), attestation: None })
}

pub fn manifest(name: &str, version: &str) -> Manifest {
    Manifest {
        publisher: key(PUBLISHER),
        name: name.into(),
        version: version.into(),
        program: Program::Circuit(CircuitDigest([7; 32])),
        keys: Vec::new(),
        price: 50,
        visibility: Visibility::Public,
    }
}

pub fn publish(name: &str, version: &str) -> Payload {
    published(manifest(name, version), Vec::new())
}

pub fn published(manifest: Manifest, files: Vec<Vec<u8>>) -> Payload {
    let signature = secret(PUBLISHER).sign(Domain::Model, CHAIN, &manifest);
    let keys = files.into_iter().map(assay_verifier::wire::Bytes).collect();
    Payload::PublishModel(PublishModel { manifest, signature, keys })
}

pub fn model() -> ModelId {
    manifest("model", "1").id()
}

/// The payer's authorisation of request `number`, of a vanilla answer for at most 100.
pub fn authorisation(number: u64) -> Authorisation {
    Authorisation {
        payer: key(PAYER),
        client_nonce: number,
        request_digest: Digest32([number as u8; 32]),
        node: key(NODE),
        model: model(),
        backend: Backend::Vanilla,
        amount: 100,
        deadline_ms: 100_000,
    }
}

pub fn reserve(authorisation: Authorisation) -> Payload {
    let signature = secret(PAYER).sign(Domain::Authorisation, CHAIN, &authorisation);
    Payload::Reserve(Reserve { authorisation, signature })
}

/// The vanilla receipt of request `number`, for 70.
pub fn receipt(number: u64) -> Receipt {
    let request_digest = Digest32([number as u8; 32]);
    Receipt {
        chain_id: CHAIN.into(),
        request: RequestId::new(CHAIN, key(PAYER), number, request_digest),
        payer: key(PAYER),
        client_nonce: number,
        request_digest,
        model: model(),
        subject: Subject::Circuit(CircuitDigest([7; 32])),
        backend: Backend::Vanilla,
        claim: Claim::SignedOnly,
        grade: Grade::Production,
        proving: None,
        inputs: Digest32([8; 32]),
        records: Vec::new(),
        outputs: Digest32([9; 32]),
        node: key(NODE),
        price: 70,
        time_ms: 1_500,
        proven: None,
    }
}

pub fn leaf(receipt: Receipt) -> Settle {
    Settle { receipt: receipt.sign(&secret(NODE)), evidence: Evidence::Signature }
}

pub fn settle(receipt: Receipt) -> Payload {
    Payload::Settle(Box::new(leaf(receipt)))
}
