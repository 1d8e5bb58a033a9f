//! Transactions: the envelope that all share, and one file for each kind.
//!
//! A kind says three things: what can be refused from its own bytes ([`Kind::check`]), what it costs ([`Kind::work`]), and what it does
//! ([`Kind::execute`]). What a kind wrote before it was refused is dropped.
mod approve_measurement;
mod attestation;
mod deposit;
mod deprecate_model;
mod deregister_node;
mod hash;
mod heartbeat;
mod penalise_sample;
mod prove_sample;
mod publish_model;
mod refund;
mod register_node;
mod release_stake;
mod reserve;
mod revoke_measurement;
mod sample;
mod settle;
mod settle_batch;
mod text;
mod transfer;
mod withdraw;

use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::signature::{Domain, PublicKey, Signature, Signed, SigningKey, message};
use assay_verifier::wire::{self, WireError};
use serde::{Deserialize, Serialize};

pub use approve_measurement::ApproveMeasurement;
pub use attestation::{AttestNode, ShownEvidence};
pub use deposit::Deposit;
pub use deprecate_model::DeprecateModel;
pub use deregister_node::DeregisterNode;
pub use hash::TxHash;
pub use heartbeat::Heartbeat;
pub use penalise_sample::PenaliseSample;
pub use prove_sample::ProveSample;
pub use publish_model::PublishModel;
pub use refund::Refund;
pub use register_node::RegisterNode;
pub use release_stake::ReleaseStake;
pub use reserve::Reserve;
pub use revoke_measurement::RevokeMeasurement;
pub use settle::{Evidence, Settle};
pub use settle_batch::SettleBatch;
pub use transfer::Transfer;
pub use withdraw::Withdraw;

use crate::event::Event;
use crate::rejection::{Fault, Rejection};
use crate::state::{Overlay, State, StoreError};
use crate::verdicts::{Task, Verdicts};

/// A transaction with its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// What is signed.
    pub body: Body,
    /// By the signer's key.
    pub signature: Signature,
}

/// What a signer asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// The chain.
    pub chain_id: String,
    /// Who asks, and pays the fee.
    pub signer: PublicKey,
    /// How many transactions of the signer came before.
    pub nonce: u64,
    /// What is paid for the transaction.
    pub fee: u64,
    /// What is asked for.
    pub payload: Payload,
}

/// What can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is documented where it is defined")]
pub enum Payload {
    Transfer(Transfer),
    Deposit(Deposit),
    Withdraw(Withdraw),
    RegisterNode(RegisterNode),
    Heartbeat(Heartbeat),
    DeregisterNode(DeregisterNode),
    ApproveMeasurement(ApproveMeasurement),
    RevokeMeasurement(RevokeMeasurement),
    PublishModel(PublishModel),
    DeprecateModel(DeprecateModel),
    Reserve(Reserve),
    Settle(Box<Settle>),
    SettleBatch(SettleBatch),
    Refund(Refund),
    AttestNode(Box<AttestNode>),
    ReleaseStake(ReleaseStake),
    ProveSample(Box<ProveSample>),
    PenaliseSample(PenaliseSample),
}

impl wire::File for Transaction {
    const NAME: &'static str = "transaction";
    const MAGIC: [u8; 8] = *b"ASSAYTX1";
}

/// A block's place and time. The time is what consensus says, in milliseconds since 1970; no clock is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockTime {
    /// Its height.
    pub height: u64,
    /// Its time.
    pub time_ms: u64,
}

/// What a transaction is executed in.
pub struct Context<'a> {
    /// The rules of the chain.
    pub rules: &'a Parameters,
    /// The block.
    pub block: BlockTime,
    /// Verdicts on proofs.
    pub verdicts: &'a Verdicts,
    /// The state, which is changed.
    pub state: Overlay<'a>,
    /// What happened.
    pub events: Vec<Event>,
    /// Of a batch, what became of each leaf.
    pub leaves: Vec<Result<(), Rejection>>,
}

impl<'a> Context<'a> {
    /// A context above a state in which nothing was done yet.
    pub fn new(rules: &'a Parameters, block: BlockTime, verdicts: &'a Verdicts, state: &'a dyn State) -> Self {
        let state = Overlay::new(state);
        Self { rules, block, verdicts, state, events: Vec::new(), leaves: Vec::new() }
    }
}

/// A kind of transaction.
pub trait Kind {
    /// What can be refused without the state.
    ///
    /// # Errors
    /// The reason.
    fn check(&self, rules: &Parameters) -> Result<(), Rejection>;

    /// What it costs besides envelope and size.
    ///
    /// # Errors
    /// The state could not be read.
    fn work(&self, _state: &dyn State) -> Result<u64, StoreError> {
        Ok(0)
    }

    /// The proofs in it.
    fn tasks(&self) -> Vec<Task> {
        Vec::new()
    }

    /// Does what is asked for.
    ///
    /// # Errors
    /// It is refused, or the state could not be read.
    fn execute(&self, signer: PublicKey, context: &mut Context<'_>) -> Result<(), Fault>;
}

impl Payload {
    /// The kind, with what it does.
    pub fn kind(&self) -> &dyn Kind {
        match self {
            Self::Transfer(kind) => kind,
            Self::Deposit(kind) => kind,
            Self::Withdraw(kind) => kind,
            Self::RegisterNode(kind) => kind,
            Self::Heartbeat(kind) => kind,
            Self::DeregisterNode(kind) => kind,
            Self::ApproveMeasurement(kind) => kind,
            Self::RevokeMeasurement(kind) => kind,
            Self::PublishModel(kind) => kind,
            Self::DeprecateModel(kind) => kind,
            Self::Reserve(kind) => kind,
            Self::Settle(kind) => kind.as_ref(),
            Self::SettleBatch(kind) => kind,
            Self::Refund(kind) => kind,
            Self::AttestNode(kind) => kind.as_ref(),
            Self::ReleaseStake(kind) => kind,
            Self::ProveSample(kind) => kind.as_ref(),
            Self::PenaliseSample(kind) => kind,
        }
    }
}

impl Body {
    /// Signs with the signer's key.
    pub fn sign(self, key: &SigningKey) -> Transaction {
        let signature = key.sign(Domain::Transaction, &self.chain_id, &self);
        Transaction { body: self, signature }
    }
}

impl Transaction {
    /// The bytes that are sent.
    pub fn encode(&self) -> Vec<u8> {
        wire::encode(self)
    }

    /// Decodes, and checks all that needs no state: size, encoding, chain, fee, the payload's own checks and, last, the signature.
    ///
    /// # Errors
    /// The reason.
    pub fn decode(bytes: &[u8], rules: &Parameters) -> Result<Self, Rejection> {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if size > rules.limits.tx_bytes_max {
            return Err(Rejection::TooLarge);
        }
        let transaction: Self = wire::decode(bytes).map_err(|error| match error {
            WireError::Magic(_) => Rejection::UnknownVersion,
            WireError::TooLarge(_) => Rejection::TooLarge,
            WireError::Malformed | WireError::NotCanonical => Rejection::Malformed,
            WireError::Trailing(_) => Rejection::TrailingBytes,
        })?;
        let body = &transaction.body;
        if body.chain_id != rules.chain_id {
            return Err(Rejection::WrongChain);
        }
        if body.fee < rules.fees.least(size) {
            return Err(Rejection::FeeTooLow);
        }
        body.payload.kind().check(rules)?;
        let message = message(Domain::Transaction, &body.chain_id, body);
        let signed = Signed { key: body.signer, message, signature: transaction.signature };
        signed.verify().map_err(|_| Rejection::BadSignature)?;
        Ok(transaction)
    }
}
