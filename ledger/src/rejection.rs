//! Why a transaction is refused: one table of reasons. Codes and names never change; a test freezes them.
use std::fmt;

use thiserror::Error;

use crate::state::StoreError;

macro_rules! rejections {
    ($($space:literal: { $($code:literal $name:ident = $text:literal,)* })*) => {
        /// A reason to refuse a transaction or a leaf of a batch.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u32)]
        pub enum Rejection {
            $($(#[doc = concat!("`", $space, "` ", stringify!($code), ": ", $text, ".")] $name = $code,)*)*
        }

        impl Rejection {
            /// All reasons in the order of their codes.
            pub const ALL: &'static [Self] = &[$($(Self::$name,)*)*];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $($(Self::$name => stringify!($name),)*)* }
            }

            /// What it is about: the namespace that ABCI has for codes. Codes differ even between namespaces.
            pub fn codespace(self) -> &'static str {
                match self { $($(Self::$name => $space,)*)* }
            }

            /// What it says to people.
            pub fn text(self) -> &'static str {
                match self { $($(Self::$name => $text,)*)* }
            }
        }
    };
}

rejections! {
    "envelope": {
        1 TooLarge = "the transaction has more bytes than the chain allows",
        2 UnknownVersion = "not a transaction of a supported version",
        3 Malformed = "malformed encoding, or not the canonical one",
        4 TrailingBytes = "bytes after the transaction",
        6 WrongChain = "for another chain",
        7 BadSignature = "the signer's signature does not hold",
        8 NonceUsed = "the nonce was used before",
        9 NonceAhead = "transactions of this signer with lower nonces are missing",
        10 FeeTooLow = "the fee is lower than what the size asks for",
        11 BlockBytes = "the block has no room for so many bytes",
        12 BlockWork = "the block has no room for so much work",
        13 FieldLength = "a text or list is empty or too long, or has characters that are not allowed",
    }
    "money": {
        20 InsufficientBalance = "the balance is lower than the amount",
        21 InsufficientEscrow = "the escrow is lower than the amount",
        23 ZeroAmount = "the amount is zero",
    }
    "measurements": {
        30 NotGovernance = "only governance may do this",
        31 MeasurementExists = "the measurement is approved already",
        32 MeasurementUnknown = "there is no such measurement",
        33 MeasurementEnded = "the measurement is not in force",
        34 HeightPast = "the height has passed",
    }
    "nodes": {
        40 NodeExists = "the node is registered already",
        41 NodeUnknown = "there is no such node",
        42 NodeDeregistered = "the node is not registered any more, so nothing is staked",
        43 StakeTooLow = "the stake is lower than the chain asks for",
        45 HeartbeatMissed = "the node's last heartbeat is too old",
        46 NodeLacksBackend = "the node is not registered for this backend",
        47 StakeUnknown = "nothing is staked",
        48 StakeBonded = "the stake is not free yet",
    }
    "models": {
        50 ModelExists = "this version of the model is published already",
        51 ModelUnknown = "there is no such model",
        52 ModelNotInForce = "the model is deprecated",
        53 NotPublisher = "only the publisher may do this",
        54 ManifestSignature = "the publisher's signature does not hold",
        55 KeysDiffer = "keys are not those that the manifest names, in its order, each once",
        56 KeyMalformed = "a key is malformed",
        57 KeyRefused = "a key does not pass its checks",
        58 KeyOtherCircuit = "a key is of another circuit",
        59 SrsNotAllowed = "a key uses a reference string that the chain does not allow",
    }
    "reservations": {
        70 AuthorisationSignature = "the payer's signature does not hold",
        71 RequestReserved = "money is reserved for this request already",
        72 RequestSettled = "the request is settled already",
        73 DeadlinePast = "the deadline has passed",
        74 DeadlineTooFar = "the deadline lies further ahead than the chain allows",
        75 ReservationUnknown = "nothing is reserved for this request",
        76 DeadlineAhead = "the deadline has not passed",
    }
    "receipts": {
        80 ReceiptChain = "the receipt is for another chain",
        81 ReceiptVersion = "the receipt is not the one that went with the answer",
        82 ReceiptRequest = "the receipt's request id is not that of its other fields",
        83 ReceiptSignature = "the node's signature does not hold",
        84 ReceiptNode = "the reservation is for another node",
        85 ReceiptModel = "the reservation is for another model",
        86 ReceiptBackend = "the reservation is for another backend",
        87 ReceiptClaim = "the claim is not what the backend gives",
        88 ReceiptCircuit = "the model has another circuit",
        89 ReceiptPrice = "the price is higher than what is reserved",
        90 ReceiptKey = "the key is not registered for the model",
        91 ReceiptEngine = "the key is of another engine",
        92 ReceiptHiding = "the receipt says of hiding what the key does not",
        93 EvidenceKind = "the evidence is not of the kind that the backend gives",
        95 ReceiptGrade = "the receipt says another grade than the node's attestation has",
    }
    "proofs": {
        100 ProofMalformed = "the proof is malformed",
        101 ProofKey = "the proof is for another key",
        102 ProofRefused = "the proof does not hold",
        103 ProofInputs = "the proof is of other inputs than the receipt",
        104 ProofOutputs = "the proof is of other outputs than the receipt",
        105 ProofReceipt = "the proof is bound to another receipt",
    }
    "batches": {
        110 BatchLength = "no leaves, or more than the chain allows",
        111 BatchNothingSettled = "no leaf of the batch is settled",
    }
    "attestations": {
        120 AttestationMissing = "nodes that answer in enclaves must show an attestation, and no others may",
        121 NonceNotRemembered = "the attestation is bound to a block that is not remembered, or no longer",
        122 AttestationNonce = "the attestation is bound to another hash than that of the block it names",
        123 AttestationBinding = "the attestation is bound to another key or chain",
        124 EvidenceMalformed = "the evidence is too large, malformed, or of a kind that is not verified",
        125 EvidenceRoot = "the evidence rests on a root that the chain does not trust",
        126 EvidenceGrade = "the evidence is of another grade than the chain accepts",
        127 CertificateChain = "the evidence's certificates do not lead from the root to what signed",
        128 CertificateTime = "a certificate of the evidence has expired, or is not valid yet",
        129 CertificateRevoked = "a certificate of the evidence was revoked",
        130 EvidenceSignature = "a signature of the evidence does not hold",
        131 EvidenceTime = "the evidence is too old, or from the future",
        132 EnclaveDebug = "the enclave is in debug mode",
        133 EnclaveAttributes = "the enclave has attributes that are not allowed",
        134 EnclavePlatform = "the evidence is not of the platform and the vendor's enclaves that it names",
        135 EnclaveFirmware = "the platform's firmware is not accepted",
        136 MeasurementNotApproved = "the software in the enclave is not approved",
        137 AttestationExpired = "the node's attestation has expired",
        138 MeasurementRevoked = "the software in the node's enclave is no longer approved",
        139 AttestationReplayed = "the attestation is bound to no later block than the node's last one",
    }
    "samples": {
        150 SettlementUnknown = "there is no settlement of this request",
        151 SampleUndecided = "the block that decides the draw is not there yet",
        152 SampleForgotten = "the hash of the block that decided the draw is not kept any more",
        153 SampleNotDrawn = "the settlement was not drawn",
        154 SampleConcluded = "the sample is proven or penalised already",
        155 SampleLate = "the time for the proof has passed",
        156 SampleOpen = "the time for the proof has not passed",
        157 SampleReceipt = "the receipt is not the one that was settled",
    }
}

impl Rejection {
    /// The code. 0 is for what is not refused.
    pub fn code(self) -> u32 {
        self as u32
    }

    /// The reason of a code.
    pub fn of_code(code: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for Rejection {}

/// Why a transaction did not happen: it is refused, or the node has to stop.
#[derive(Debug, Error)]
pub enum Fault {
    /// It is refused.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The node has to stop.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault {
    /// The reason, or what stops the node.
    ///
    /// # Errors
    /// What stops the node.
    pub fn rejection(self) -> Result<Rejection, StoreError> {
        match self {
            Self::Rejected(reason) => Ok(reason),
            Self::Store(error) => Err(error),
        }
    }
}
