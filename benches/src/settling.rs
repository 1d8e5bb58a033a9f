//! A ledger with a model, its keys and requests, and real proofs to settle them.
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use assay_ledger::genesis::{Genesis, RawGenesis};
use assay_ledger::tx::{
    BlockTime, Body, Deposit, Evidence, Payload, PublishModel, RegisterNode, Reserve, Settle, SettleBatch,
};
use assay_ledger::{App, Options};
use assay_prover::halo2::choose::choose;
use assay_prover::{halo2, sumcheck};
use assay_verifier::digest::{CircuitDigest, Digest32};
use assay_verifier::halo2::shape::Visibility;
use assay_verifier::key::{Engine, Key};
use assay_verifier::receipt::{self, Backend, Claim, Grade, ModelId, Proving, Receipt, RequestId};
use assay_verifier::settlement::model::{self, Manifest};
use assay_verifier::settlement::node::Node;
use assay_verifier::settlement::payment::{Authorisation, Settlement};
use assay_verifier::settlement::{self, keys};
use assay_verifier::signature::{Domain, PublicKey, SigningKey};
use assay_verifier::statement::{Inputs, Proof};
use assay_verifier::wire::{self, Bytes};

use crate::measure::ready;
use crate::subject::Subject;

const CHAIN: &str = "assay-bench";
/// Blocks are a second apart.
const STEP_MS: u64 = 1_000;
const FEE: u64 = 10_000;
const PRICE: u64 = 50;
const DEADLINE_MS: u64 = 80_000_000;
/// Settlements in a block where their records are written only.
const FILL_BLOCK: usize = 10_000;

/// Accounts, by the byte that their keys are made of.
#[derive(Clone, Copy)]
pub enum Who {
    /// Pays for requests.
    Payer = 1,
    /// Answers them.
    Node = 2,
    /// Published the model.
    Publisher = 3,
}

impl Who {
    fn secret(self) -> SigningKey {
        SigningKey::from_seed([self as u8; 32])
    }

    fn key(self) -> PublicKey {
        self.secret().public()
    }
}

/// A prover by either engine.
pub enum Prover {
    /// By `sumcheck`.
    Sumcheck(Box<sumcheck::Prover>),
    /// By `halo2`, with public weights.
    Halo2(Box<halo2::Prover>),
}

impl Prover {
    fn prove(&self, inputs: &[Vec<i64>], context: &[u8]) -> Result<Proof> {
        Ok(match self {
            Self::Sumcheck(prover) => prover.prove(inputs, context)?,
            Self::Halo2(prover) => prover.prove(inputs, context)?.proof,
        })
    }
}

/// A model with a key of one engine.
pub struct Served {
    prover: Prover,
    key: Key,
    inputs: Vec<Vec<i64>>,
    outputs: Digest32,
}

impl Served {
    /// Compiles a model and makes its key.
    ///
    /// # Errors
    /// Any step fails.
    pub fn new(name: &str, engine: Engine) -> Result<Self> {
        let ready = ready(&Subject::named(name)?)?;
        let inputs = ready.inputs;
        let (prover, key) = match engine {
            Engine::Sumcheck => {
                let key = Key::from(ready.prover.prove_range()?);
                (Prover::Sumcheck(Box::new(ready.prover)), key)
            }
            Engine::Halo2 => {
                let circuit = ready.prover.key().circuit().clone();
                let visibility = Visibility { private_input: false, private_weights: false };
                let shape = choose(&circuit, visibility)?;
                let string = halo2::srs::make(shape.k.into(), rand_core::OsRng, |_| {})?;
                let srs = *string.srs();
                let weights = ready.prover.weights().clone();
                let string = (string.into_params(), srs);
                let prover = halo2::Prover::new(circuit, weights, (shape, visibility), string, None)?;
                let key = Key::from(prover.key().key().clone());
                (Prover::Halo2(Box::new(prover)), key)
            }
        };
        let outputs = prover.prove(&inputs, &[])?.statement.outputs_digest();
        Ok(Self { prover, key, inputs, outputs })
    }

    fn manifest(&self) -> Manifest {
        Manifest {
            publisher: Who::Publisher.key(),
            name: "model".into(),
            version: "1".into(),
            program: receipt::Program::Circuit(self.key.circuit().digest()),
            keys: vec![self.key.digest()],
            price: PRICE,
            visibility: model::Visibility::Public,
        }
    }

    /// A settlement of request `number`, with a proof of its own.
    ///
    /// # Errors
    /// The prover's.
    pub fn settle(&self, number: u64) -> Result<Settle> {
        let receipt = Receipt {
            backend: Backend::Zkml,
            claim: Claim::Proven,
            subject: receipt::Subject::Circuit(self.key.circuit().digest()),
            proving: Some(Proving { engine: self.key.engine(), key: self.key.digest(), hiding: false }),
            inputs: Inputs::Public(self.inputs.clone()).digest(),
            records: Vec::new(),
            outputs: self.outputs,
            ..vanilla(self.manifest().id(), number)
        };
        let proof = self.prover.prove(&self.inputs, &receipt.digest().0)?;
        let evidence = Evidence::Proof(Bytes(wire::encode(&proof)));
        Ok(Settle { receipt: receipt.sign(&Who::Node.secret()), evidence })
    }
}

fn request(number: u64) -> Digest32 {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&number.to_le_bytes());
    Digest32(digest)
}

/// The receipt of a request that was answered on the node's word.
fn vanilla(model: ModelId, number: u64) -> Receipt {
    let request_digest = request(number);
    Receipt {
        chain_id: CHAIN.into(),
        request: RequestId::new(CHAIN, Who::Payer.key(), number, request_digest),
        payer: Who::Payer.key(),
        client_nonce: number,
        request_digest,
        model,
        subject: receipt::Subject::Circuit(CircuitDigest([0; 32])),
        backend: Backend::Vanilla,
        claim: Claim::SignedOnly,
        grade: Grade::Production,
        proving: None,
        inputs: Digest32([0; 32]),
        records: Vec::new(),
        outputs: Digest32([0; 32]),
        node: Who::Node.key(),
        price: PRICE,
        time_ms: 0,
        proven: None,
    }
}

/// What settling leaves of a receipt.
fn settled(receipt: &Receipt, height: u64) -> Settlement {
    Settlement {
        request: receipt.request,
        receipt: receipt.digest(),
        backend: receipt.backend,
        proof: None,
        model: receipt.model,
        model_revision: 0,
        node: receipt.node,
        node_revision: 0,
        heartbeat: 1,
        attestation_revision: None,
        payer: receipt.payer,
        payee: receipt.node,
        price: receipt.price,
        returned: PRICE,
        height,
        time_ms: height * STEP_MS,
    }
}

/// A genesis in which everybody has money, and no block is too large or too much work.
pub fn genesis(served: &Served) -> RawGenesis {
    let accounts = [Who::Payer, Who::Node, Who::Publisher].map(|who| (who.key(), u64::MAX / 8));
    let mut genesis = RawGenesis::usual(CHAIN, &accounts);
    if let Key::Halo2(key) = &served.key {
        genesis.srs.push(key.srs.digest().to_string());
    }
    genesis.heartbeat_window_ms = DEADLINE_MS;
    genesis.limits.block_work_max = u64::MAX;
    genesis.limits.block_bytes_max = u64::MAX;
    genesis.limits.tx_bytes_max = 14 << 20;
    genesis.limits.batch_leaves_max = 1 << 16;
    genesis
}

/// Those who sign transactions, each with its next nonce.
pub struct People {
    model: ModelId,
    subject: receipt::Subject,
    deadline_ms: u64,
    nonces: [u64; 4],
}

/// A chain in a folder, in this process.
pub struct Chain {
    /// The state machine.
    pub app: App,
    /// Who signs.
    pub people: People,
    genesis: Genesis,
    options: Options,
}

impl People {
    /// People who have signed nothing, on a chain whose time is this now.
    pub fn new(served: &Served, now_ms: u64) -> Self {
        let manifest = served.manifest();
        let (model, deadline_ms) = (manifest.id(), now_ms + DEADLINE_MS);
        let subject = match manifest.program {
            receipt::Program::Circuit(circuit) => receipt::Subject::Circuit(circuit),
            receipt::Program::Onnx(file) => receipt::Subject::Onnx(file),
        };
        Self { model, subject, deadline_ms, nonces: [0; 4] }
    }

    fn sign(&mut self, who: Who, payload: Payload) -> Vec<u8> {
        let nonce = &mut self.nonces[who as usize];
        let body = Body { chain_id: CHAIN.into(), signer: who.key(), nonce: *nonce, fee: 1 << 24, payload };
        *nonce += 1;
        let fee = FEE.max(u64::try_from(wire::bytes(&body).len()).unwrap_or(u64::MAX));
        Body { fee, ..body }.sign(&who.secret()).encode()
    }

    /// A node, the model with its key, and money in escrow.
    pub fn opening(&mut self, served: &Served) -> Vec<Vec<u8>> {
        let manifest = served.manifest();
        let backends = vec![Backend::Zkml, Backend::Vanilla];
        let node = Node { backends, endpoint: "https://node".into(), payee: Who::Node.key(), stake: 1 << 20 };
        let signature = Who::Publisher.secret().sign(Domain::Model, CHAIN, &manifest);
        let keys = vec![Bytes(wire::encode(&served.key))];
        vec![
            self.sign(Who::Node, Payload::RegisterNode(RegisterNode { node, attestation: None })),
            self.sign(Who::Publisher, Payload::PublishModel(PublishModel { manifest, signature, keys })),
            self.sign(Who::Payer, Payload::Deposit(Deposit { amount: 1 << 50 })),
        ]
    }

    /// Reservations for requests.
    pub fn reservations(&mut self, numbers: std::ops::Range<u64>, backend: Backend) -> Vec<Vec<u8>> {
        let mut transactions = Vec::new();
        for number in numbers {
            let authorisation = Authorisation {
                payer: Who::Payer.key(),
                client_nonce: number,
                request_digest: request(number),
                node: Who::Node.key(),
                model: self.model,
                backend,
                amount: 2 * PRICE,
                deadline_ms: self.deadline_ms,
            };
            let signature = Who::Payer.secret().sign(Domain::Authorisation, CHAIN, &authorisation);
            transactions.push(self.sign(Who::Node, Payload::Reserve(Reserve { authorisation, signature })));
        }
        transactions
    }

    /// A transaction for each settlement, handed in by somebody.
    pub fn each(&mut self, who: Who, settlements: &[Settle]) -> Vec<Vec<u8>> {
        settlements.iter().map(|settle| self.sign(who, Payload::Settle(Box::new(settle.clone())))).collect()
    }

    /// One transaction for all settlements.
    pub fn batch(&mut self, settlements: &[Settle]) -> Vec<u8> {
        self.sign(Who::Node, Payload::SettleBatch(SettleBatch { leaves: settlements.to_vec() }))
    }

    /// Settlements on the node's word.
    pub fn signed_only(&self, numbers: std::ops::Range<u64>) -> Vec<Settle> {
        let settle = |number| {
            let receipt = Receipt { subject: self.subject.clone(), ..vanilla(self.model, number) };
            Settle { receipt: receipt.sign(&Who::Node.secret()), evidence: Evidence::Signature }
        };
        numbers.map(settle).collect()
    }
}

impl Chain {
    /// A chain with the model published, a node, and money in escrow.
    ///
    /// # Errors
    /// The database's, or a transaction is refused.
    pub fn new(folder: &Path, served: &Served, threads: usize) -> Result<Self> {
        let options = Options { threads, verdicts_max: 1 << 18, ..Options::usual(&folder.join("state")) };
        let genesis = genesis(served).check()?;
        let app = App::open(&genesis, &options)?;
        let mut chain = Self { app, people: People::new(served, 0), genesis, options };
        let opening = chain.people.opening(served);
        chain.block(&opening)?;
        Ok(chain)
    }

    /// Closes the database and opens it again, and then as a process leaves it that is killed; says how long opening took.
    ///
    /// # Errors
    /// The database's.
    pub fn reopen(self) -> Result<[Duration; 2]> {
        let Self { app, genesis, mut options, .. } = self;
        let open = |options: &Options| -> Result<Duration> {
            let start = Instant::now();
            App::open(&genesis, options)?;
            Ok(start.elapsed())
        };
        // What a process has on disk when it is killed is what is there while it runs.
        let killed = options.database.with_extension("killed");
        std::fs::copy(&options.database, &killed)?;
        drop(app);
        let closed = open(&options)?;
        options.database = killed;
        Ok([closed, open(&options)?])
    }

    /// Writes records of settlements into the state, as settling leaves them, so many and ten thousand in a block.
    ///
    /// # Errors
    /// The database's.
    pub fn fill(&mut self, count: u64) -> Result<()> {
        let store = self.app.reader().store().clone();
        let mut height = self.app.last().height;
        for first in (0..count).step_by(FILL_BLOCK) {
            height += 1;
            let numbers = first..(first + FILL_BLOCK as u64).min(count);
            let write = |number| {
                let receipt = vanilla(self.people.model, number);
                let settlement = settled(&receipt, height);
                (keys::settlement(receipt.request), Some(settlement::encode(&settlement)))
            };
            store.commit(store.stage(height, numbers.map(write).collect())?)?;
        }
        Ok(())
    }

    /// Where the next block is.
    pub fn next(&self) -> BlockTime {
        BlockTime { height: self.app.last().height + 1, time_ms: self.app.last_time_ms() + STEP_MS }
    }

    /// A block in which everything must succeed.
    ///
    /// # Errors
    /// The database's, or a transaction or a leaf of a batch is refused.
    pub fn block(&mut self, transactions: &[Vec<u8>]) -> Result<()> {
        let next = self.next();
        let finalized = self.app.finalize(transactions, next, [0; 32])?;
        for result in &finalized.results {
            ensure!(result.rejection.is_none(), "refused: {:?}", result.rejection);
            ensure!(result.data.iter().all(|byte| *byte == 0), "a leaf was refused");
        }
        self.app.commit()?;
        Ok(())
    }

    /// Reserves for requests.
    ///
    /// # Errors
    /// As [`Self::block`].
    pub fn reserve(&mut self, numbers: std::ops::Range<u64>, backend: Backend) -> Result<()> {
        let transactions = self.people.reservations(numbers, backend);
        self.block(&transactions)
    }
}

/// Real settlements of one engine, made before anything is measured.
///
/// # Errors
/// The prover's.
pub fn settlements(served: &Served, count: u64) -> Result<Vec<Settle>> {
    (0..count).map(|number| served.settle(number).with_context(|| format!("request {number}"))).collect()
}
