//! Configuration: what is read ([`RawConfig`]) and what was checked of it ([`Config`]). Only this module reads the environment.
//!
//! A file in TOML, then variables `ASSAY_FIELD` of the environment, then options of the command line; later ones win. What cannot be right is
//! refused before anything is opened, by the name of the field.
mod raw;
mod sources;
mod upstreams;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use assay_verifier::signature::PublicKey;
use thiserror::Error;

use crate::attester::Format;

pub use raw::RawConfig;
pub use sources::{RawSource, Source};
pub(crate) use upstreams::address;
pub use upstreams::{RawUpstream, Upstream};

/// What a configuration is refused for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{field}: {reason}")]
pub struct ConfigError {
    /// The field.
    pub field: &'static str,
    /// Why.
    pub reason: String,
}

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder of everything that is kept.
    pub data: PathBuf,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Certificate and key, as PEM files.
    pub tls: Option<Tls>,
    /// Whether callers need keys.
    pub access: Access,
    /// Where settlements go.
    pub ledger: LedgerChoice,
    /// Whether requests are paid for.
    pub payment: PaymentMode,
    /// Workers in this process.
    pub workers: usize,
    /// Whether workers elsewhere are told what hides private inputs and weights.
    pub workers_may_know_secrets: bool,
    /// The reference string of keys of the engine `halo2`.
    pub srs: Option<PathBuf>,
    /// Whose models requests are forwarded to.
    pub upstreams: Vec<Upstream>,
    /// What may be fetched.
    pub sources: Vec<Source>,
    /// The enclave that it runs in.
    pub tee: Option<Tee>,
    /// What is allowed.
    pub limits: Limits,
    /// What is kept.
    pub retention: Retention,
}

/// An enclave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tee {
    /// None: the software attester says what an enclave would. Everything under it is simulated.
    Software {
        /// The attester's secret seed.
        seed: PathBuf,
        /// The format of its documents.
        format: Format,
    },
    /// A program that asks the hardware.
    Program(PathBuf),
}

/// Files of a certificate chain and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The chain.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody who reaches it. On loopback only.
    Open,
    /// Whoever has an API key.
    Keys,
}

/// A ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerChoice {
    /// In this process.
    Embedded {
        /// Its id, of a new chain.
        chain_id: String,
        /// Balances at its beginning, of a new chain.
        accounts: BTreeMap<PublicKey, u64>,
        /// How far blocks are apart.
        block_interval: Duration,
    },
    /// A node of CometBFT, and the file that says what its chain begins with.
    Remote {
        /// `http://HOST:PORT`.
        address: String,
        /// The file.
        trust: PathBuf,
    },
}

/// Whether requests are paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentMode {
    /// They are not. Nothing is settled.
    Free,
    /// By x402, on the ledger.
    X402,
}

/// What is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Bytes of an uploaded blob.
    pub blob_bytes: usize,
    /// Items of a batch.
    pub batch_items: usize,
    /// Proofs that wait.
    pub queue_jobs: usize,
    /// Predicted time until a new proof would be ready.
    pub backlog: Duration,
    /// Answers that are computed at once.
    pub executions: usize,
    /// Requests that are in work at once.
    pub requests: usize,
    /// Requests that are forwarded at once, until their answers have passed.
    pub forwarded: usize,
    /// Longest time that a request waits for its proof.
    pub wait: Duration,
    /// Bytes of loaded circuits, and of what proves them.
    pub cache_bytes: u64,
}

/// What is kept of what is over. Evidence of what was settled stays until its owner lets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// For how long.
    pub age: Duration,
    /// How many bytes of blobs.
    pub bytes: u64,
}

fn refused(field: &'static str, reason: impl Into<String>) -> ConfigError {
    ConfigError { field, reason: reason.into() }
}

fn positive<T: Copy + Default + PartialEq>(field: &'static str, value: Option<T>, usual: T) -> Result<T, ConfigError> {
    match value {
        Some(value) if value == T::default() => Err(refused(field, "must be more than 0")),
        value => Ok(value.unwrap_or(usual)),
    }
}

impl Config {
    /// The folder of blobs.
    pub fn blobs(&self) -> PathBuf {
        self.data.join("blobs")
    }

    /// The address for people.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.listen)
    }
}
