//! What can be asked for on the command line.
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use assay_verifier::digest::{Digest32, KeyDigest};
use assay_verifier::key::Key;
use assay_verifier::receipt::{Backend, ModelId, Program, RequestId, SignedReceipt};
use assay_verifier::settlement::Height;
use assay_verifier::settlement::model::{Manifest, Visibility};
use assay_verifier::settlement::node::{Measurement, Node, Platform};
use assay_verifier::settlement::payment::Authorisation;
use assay_verifier::signature::{Domain, PublicKey};
use assay_verifier::wire::{self, Bytes};
use clap::{Args, Subcommand};

use super::super::names::{self, Register};
use super::super::show::Card;
use crate::client::Signer;
use crate::tx::{
    ApproveMeasurement, AttestNode, Deposit, DeprecateModel, DeregisterNode, Evidence, Heartbeat, Payload,
    PenaliseSample, ProveSample, PublishModel, Refund, RegisterNode, ReleaseStake, Reserve, RevokeMeasurement, Settle,
    SettleBatch, ShownEvidence, Transfer, Withdraw,
};

#[derive(Subcommand)]
pub enum Kind {
    /// Send money from the signer's balance
    Transfer { to: PublicKey, amount: u64 },
    /// Move money from the signer's balance to its escrow
    Deposit { amount: u64 },
    /// Move money from the signer's escrow to its balance
    Withdraw { amount: u64 },
    /// Register the signer as a node
    RegisterNode(Registration),
    /// Say that the signer, a node, is alive
    Heartbeat,
    /// End the signer's registration; the stake is released some time later
    DeregisterNode {
        /// Why, for people
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Publish a model's version with its keys; the signer is the publisher
    PublishModel(Publication),
    /// End a version of a model; the signer is the publisher
    DeprecateModel {
        #[arg(value_parser = names::model)]
        model: ModelId,
        /// The first height at which nothing more of it is settled
        #[arg(long, value_name = "HEIGHT")]
        from: Height,
        /// Why, for people
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Reserve money of the signer's escrow for one request
    Reserve(Reservation),
    /// Settle a request by its receipt, with its proof if there must be one
    Settle { receipt: PathBuf, proof: Option<PathBuf> },
    /// Settle requests together: RECEIPT, or RECEIPT:PROOF where there must be a proof, each
    SettleBatch {
        #[arg(required = true, value_name = "RECEIPT[:PROOF]")]
        leaves: Vec<String>,
    },
    /// Approve software that enclaves may run; the signer governs
    ApproveMeasurement(Approval),
    /// End what was approved; the signer governs
    RevokeMeasurement {
        /// What was approved, by its id: 64 hexadecimal digits
        measurement: Digest32,
        /// The first height at which it is no longer approved
        #[arg(long, value_name = "HEIGHT")]
        from: Height,
        /// Why, for people
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Give back what was reserved for a request, after its deadline
    Refund { request: RequestId },
    /// Give the signer its stake back, which stopped being a node long enough ago
    ReleaseStake,
    /// Prove a settlement on a node's word that was drawn
    ProveSample {
        /// The receipt that was settled
        receipt: PathBuf,
        /// The key of the proof
        key: KeyDigest,
        /// The proof, with the receipt's digest as context
        proof: PathBuf,
    },
    /// Cut the stake of a node that did not prove a drawn settlement in time
    PenaliseSample { request: RequestId },
    /// Show a new attestation of the signer, a node of the backend tee
    AttestNode {
        /// The evidence, as `assay node evidence` writes it
        #[arg(value_name = "FILE.evidence")]
        evidence: PathBuf,
        /// The block whose app hash it is bound to
        #[arg(long, value_name = "HEIGHT")]
        nonce_height: Height,
    },
}

#[derive(Args)]
pub struct Registration {
    /// How it answers: zkml, tee or vanilla; as often as there are ways
    #[arg(long = "backend", required = true, value_parser = names::backend)]
    backends: Vec<Backend>,
    /// Where it is reached
    #[arg(long, value_name = "URL")]
    endpoint: String,
    /// What is staked
    #[arg(long, value_name = "AMOUNT")]
    stake: u64,
    /// The account that is paid [default: the signer's]
    #[arg(long, value_name = "KEY")]
    payee: Option<PublicKey>,
    /// Evidence of its enclave, for the backend tee
    #[arg(long, value_name = "FILE.evidence", requires = "nonce_height")]
    evidence: Option<PathBuf>,
    /// The block whose app hash the evidence is bound to
    #[arg(long, value_name = "HEIGHT", requires = "evidence")]
    nonce_height: Option<Height>,
}

#[derive(Args)]
pub struct Publication {
    /// The model's name
    #[arg(long)]
    name: String,
    /// The version. Once published it cannot change
    #[arg(long)]
    version: String,
    /// What a request costs
    #[arg(long, value_name = "AMOUNT")]
    price: u64,
    /// Keys under which proofs are accepted, as `assay key` writes them
    #[arg(required_unless_present = "onnx", conflicts_with = "onnx", value_name = "FILE.key")]
    keys: Vec<PathBuf>,
    /// SHA-256 of an ONNX file that nodes evaluate in floating point, in enclaves and without proofs
    #[arg(long, value_name = "DIGEST")]
    onnx: Option<Digest32>,
    /// Publish only this commitment to circuit and weights
    #[arg(long, value_name = "DIGEST")]
    private: Option<Digest32>,
}

#[derive(Args)]
pub struct Approval {
    /// Who measures: Nitro, Tdx, Sgx or Snp
    #[arg(long, value_parser = names::platform)]
    platform: Platform,
    /// A register in hexadecimal digits; as often as the platform has registers, in its order
    #[arg(long = "register", required = true, value_name = "HEX", value_parser = names::register)]
    registers: Vec<Register>,
    /// Name and version of the software, for people
    #[arg(long)]
    software: String,
    /// The first height at which it is no longer approved [default: none]
    #[arg(long, value_name = "HEIGHT")]
    expires: Option<Height>,
}

#[derive(Args)]
pub struct Reservation {
    /// The node that is to answer
    #[arg(long, value_name = "KEY")]
    node: PublicKey,
    /// The model that is to answer
    #[arg(long, value_parser = names::model)]
    model: ModelId,
    /// Digest of the exact bytes of the request
    #[arg(long, value_name = "DIGEST")]
    request_digest: Digest32,
    /// At most this is charged
    #[arg(long)]
    amount: u64,
    /// What must stand behind the answer
    #[arg(long, default_value = "zkml", value_parser = names::backend)]
    backend: Backend,
    /// How long it can be earned
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    within: u64,
    /// A number that the signer uses once [default: the milliseconds since 1970]
    #[arg(long, value_name = "N")]
    client_nonce: Option<u64>,
}

/// A payload, and what is to be said of it.
pub struct Made {
    pub payload: Payload,
    pub about: Card,
}

impl Kind {
    /// The payload, with what of it the signer has to sign besides the transaction.
    pub fn payload(&self, signer: &Signer) -> Result<Made> {
        let key = signer.key().public();
        let chain_id = &signer.rules().chain_id;
        let (payload, about) = match self {
            Self::Transfer { to, amount } => (Payload::Transfer(Transfer { to: *to, amount: *amount }), Card::new()),
            Self::Deposit { amount } => (Payload::Deposit(Deposit { amount: *amount }), Card::new()),
            Self::Withdraw { amount } => (Payload::Withdraw(Withdraw { amount: *amount }), Card::new()),
            Self::RegisterNode(registration) => (registration.payload(key)?, Card::new().text("node", key)),
            Self::AttestNode { evidence, nonce_height } => {
                let shown = shown(evidence, *nonce_height)?;
                let about = Card::new().text("evidence", shown.evidence.digest());
                (Payload::AttestNode(Box::new(AttestNode { shown })), about)
            }
            Self::Heartbeat => (Payload::Heartbeat(Heartbeat {}), Card::new()),
            Self::DeregisterNode { reason } => {
                (Payload::DeregisterNode(DeregisterNode { reason: reason.clone() }), Card::new())
            }
            Self::PublishModel(publication) => {
                let manifest = publication.manifest(key)?;
                let signature = signer.key().sign(Domain::Model, chain_id, &manifest.0);
                let about = Card::new().text("model", manifest.0.id());
                (Payload::PublishModel(PublishModel { manifest: manifest.0, signature, keys: manifest.1 }), about)
            }
            Self::DeprecateModel { model, from, reason } => {
                let payload = DeprecateModel { model: *model, from: *from, reason: reason.clone() };
                (Payload::DeprecateModel(payload), Card::new())
            }
            Self::Reserve(reservation) => {
                let authorisation = reservation.authorisation(key)?;
                let signature = signer.key().sign(Domain::Authorisation, chain_id, &authorisation);
                let about = Card::new().text("request", authorisation.request_id(chain_id));
                let about = about.with("client_nonce", authorisation.client_nonce);
                (Payload::Reserve(Reserve { authorisation, signature }), about)
            }
            Self::Settle { receipt, proof } => {
                let settle = settlement(receipt, proof.as_deref())?;
                let about = Card::new().text("request", settle.receipt.receipt.request);
                (Payload::Settle(Box::new(settle)), about)
            }
            Self::SettleBatch { leaves } => {
                let leaf = |text: &String| match text.split_once(':') {
                    Some((receipt, proof)) => settlement(Path::new(receipt), Some(Path::new(proof))),
                    None => settlement(Path::new(text), None),
                };
                let leaves = leaves.iter().map(leaf).collect::<Result<Vec<Settle>>>()?;
                let requests: Vec<String> =
                    leaves.iter().map(|leaf| leaf.receipt.receipt.request.to_string()).collect();
                (Payload::SettleBatch(SettleBatch { leaves }), Card::new().with("requests", requests))
            }
            Self::ApproveMeasurement(approval) => {
                let measurement = approval.measurement();
                let about = Card::new().text("measurement", hex::encode(measurement.id()));
                let payload = ApproveMeasurement { measurement, expires: approval.expires };
                (Payload::ApproveMeasurement(payload), about)
            }
            Self::RevokeMeasurement { measurement, from, reason } => {
                let payload = RevokeMeasurement { measurement: measurement.0, from: *from, reason: reason.clone() };
                (Payload::RevokeMeasurement(payload), Card::new())
            }
            Self::ReleaseStake => (Payload::ReleaseStake(ReleaseStake {}), Card::new()),
            Self::ProveSample { receipt, key, proof } => {
                let receipt: SignedReceipt = load(receipt)?.0;
                let receipt = receipt.receipt;
                let about = Card::new().text("request", receipt.request);
                let payload = ProveSample { receipt, key: *key, proof: Bytes(read(proof)?) };
                (Payload::ProveSample(Box::new(payload)), about)
            }
            Self::PenaliseSample { request } => {
                (Payload::PenaliseSample(PenaliseSample { request: *request }), Card::new())
            }
            Self::Refund { request } => (Payload::Refund(Refund { request: *request }), Card::new()),
        };
        Ok(Made { payload, about })
    }
}

impl Approval {
    fn measurement(&self) -> Measurement {
        let registers = self.registers.iter().map(|register| register.0.clone()).collect();
        Measurement { platform: self.platform, registers, software: self.software.clone() }
    }
}

impl Registration {
    fn payload(&self, key: PublicKey) -> Result<Payload> {
        let mut backends = self.backends.clone();
        backends.sort_unstable();
        backends.dedup();
        let payee = self.payee.unwrap_or(key);
        let node = Node { backends, endpoint: self.endpoint.clone(), payee, stake: self.stake };
        let attestation = match (&self.evidence, self.nonce_height) {
            (Some(evidence), Some(height)) => Some(Box::new(shown(evidence, height)?)),
            _ => None,
        };
        Ok(Payload::RegisterNode(RegisterNode { node, attestation }))
    }
}

fn shown(evidence: &Path, nonce_height: Height) -> Result<ShownEvidence> {
    Ok(ShownEvidence { evidence: load(evidence)?.0, nonce_height })
}

impl Publication {
    /// The manifest and the keys' files.
    fn manifest(&self, publisher: PublicKey) -> Result<(Manifest, Vec<Bytes>)> {
        let (mut circuits, mut digests, mut files) = (Vec::new(), Vec::new(), Vec::new());
        for path in &self.keys {
            let (key, file): (Key, Vec<u8>) = load(path)?;
            circuits.push(key.circuit().digest());
            digests.push(key.digest());
            files.push(Bytes(file));
        }
        let circuit = circuits.first().copied().filter(|first| circuits.iter().all(|other| other == first));
        let Some(program) = self.onnx.map(Program::Onnx).or(circuit.map(Program::Circuit)) else {
            bail!("the keys are of different circuits; make them from one: `assay key FILE.circuit`");
        };
        let visibility = self.private.map_or(Visibility::Public, Visibility::Private);
        let (name, version) = (self.name.clone(), self.version.clone());
        let manifest = Manifest { publisher, name, version, program, keys: digests, price: self.price, visibility };
        Ok((manifest, files))
    }
}

impl Reservation {
    fn authorisation(&self, payer: PublicKey) -> Result<Authorisation> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
        let now_ms = u64::try_from(now.as_millis()).context("the clock is far ahead")?;
        Ok(Authorisation {
            payer,
            client_nonce: self.client_nonce.unwrap_or(now_ms),
            request_digest: self.request_digest,
            node: self.node,
            model: self.model,
            backend: self.backend,
            amount: self.amount,
            deadline_ms: now_ms.saturating_add(self.within.saturating_mul(1_000)),
        })
    }
}

/// A receipt with what stands behind it.
fn settlement(receipt: &Path, proof: Option<&Path>) -> Result<Settle> {
    let receipt: SignedReceipt = load(receipt)?.0;
    let evidence = match proof {
        Some(proof) => Evidence::Proof(Bytes(read(proof)?)),
        None => Evidence::Signature,
    };
    Ok(Settle { receipt, evidence })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| path.display().to_string())
}

/// One of our files, and its bytes.
fn load<T: wire::File>(path: &Path) -> Result<(T, Vec<u8>)> {
    let bytes = read(path)?;
    let value = wire::decode(&bytes).with_context(|| format!("{}: not a {}", path.display(), T::NAME))?;
    Ok((value, bytes))
}
