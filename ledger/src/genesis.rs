//! The genesis: what a chain begins with, as a JSON file and as what was checked of it.
//!
//! Keys and digests are hexadecimal digits. Unknown fields are refused, and so is anything that the state machine would stumble over later.
use std::collections::BTreeMap;

use assay_verifier::digest::{Digest32, digest};
use assay_verifier::receipt::Grade;
use assay_verifier::settlement::node::Platform;
use assay_verifier::settlement::parameters::{Fees, Limits, Parameters, TrustRoot};
use assay_verifier::settlement::payment::{Account, Block, Totals};
use assay_verifier::settlement::sampling::{Sampling, WHOLE_PPM};
use assay_verifier::settlement::{Height, Versioned, keys};
use assay_verifier::signature::PublicKey;
use assay_verifier::tee::Policy;
use assay_verifier::tee::dcap::TcbStatus;
use assay_verifier::tee::roots::is_vendor;
use assay_verifier::wire;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::state::{Overlay, State, StoreError, Writes};

/// Longest chain id in bytes, as in CometBFT.
const CHAIN_ID_LEN_MAX: usize = 50;
/// No transaction that can be of use is smaller.
const TX_BYTES_LEAST: u64 = 1 << 10;
/// What is larger could leave records that do not fit into the chunks of snapshots, of which CometBFT carries 16 MB.
const TX_BYTES_MOST: u64 = 14 << 20;

/// One settlement in twenty, with a quarter of an hour for the proof at two blocks a second.
pub const USUAL_SAMPLING: Sampling = Sampling { share_ppm: 50_000, blocks: 1_800, cut: 500 };

/// The state has the hashes of some times as many blocks.
const SAMPLING_BLOCKS_MOST: Height = 100_000;

/// The file as it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawGenesis {
    /// The chain's id.
    pub chain_id: String,
    /// The key that governs.
    pub governance: String,
    /// Balances by account.
    pub accounts: BTreeMap<String, u64>,
    /// Fees.
    pub fees: Fees,
    /// The least stake of a node.
    pub stake_min: u64,
    /// How long after its last heartbeat a node counts as alive.
    pub heartbeat_window_ms: u64,
    /// How far ahead deadlines of reservations may lie.
    pub deadline_max_ms: u64,
    /// How settlements on a node's word are drawn, to be proven after all.
    pub sampling: Sampling,
    /// What fits into transactions and blocks.
    pub limits: Limits,
    /// Digests of the reference strings that keys may use.
    #[serde(default)]
    pub srs: Vec<String>,
    /// Roots that attestations may chain to.
    #[serde(default)]
    pub trust_roots: Vec<RawTrustRoot>,
    /// What is accepted of attestations.
    #[serde(default = "usual_attestation")]
    pub attestation: Policy,
}

fn usual_attestation() -> Policy {
    Policy::usual(Grade::Production)
}

/// A root of attestations as it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTrustRoot {
    /// Whose documents it is for.
    pub platform: Platform,
    /// SHA-256 of the root certificate.
    pub certificate: String,
    /// `Production` for a vendor's own root, `Simulated` for any other. It must be the grade that the chain accepts.
    pub grade: Grade,
}

/// Why a genesis is refused. Each names the field.
#[derive(Debug, Error)]
pub enum GenesisError {
    /// Not JSON of this form.
    #[error("not a genesis: {0}")]
    Json(#[from] serde_json::Error),
    /// A chain id that no chain can have.
    #[error("chain_id must be 1 to {CHAIN_ID_LEN_MAX} letters, digits, dots, dashes and underscores")]
    ChainId,
    /// Not a key or digest.
    #[error("{0}: not 64 hexadecimal digits")]
    Hex(&'static str),
    /// The same thing twice.
    #[error("{0}: the same one twice")]
    Twice(&'static str),
    /// All balances together are too much.
    #[error("accounts: the supply is more than 2^64 - 1")]
    Supply,
    /// A number that would stop everything.
    #[error("{0} is too small")]
    TooSmall(&'static str),
    /// A root that says of itself what it is not, or that the chain never accepts.
    #[error("trust_roots: {0}")]
    Root(RootFault),
    /// Keys that are known to be compromised are accepted by no chain.
    #[error("attestation.tcb_statuses: `Revoked` is never accepted")]
    Revoked,
    /// Larger than what the network carries.
    #[error("{0} is too large")]
    TooLarge(&'static str),
}

/// A genesis that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    parameters: Parameters,
    accounts: Vec<(PublicKey, u64)>,
}

impl RawGenesis {
    /// A chain with everything at usual values: accounts with balances, the first account governs.
    pub fn usual(chain_id: &str, accounts: &[(PublicKey, u64)]) -> Self {
        let governance = accounts.first().map(|(key, _)| key.to_string()).unwrap_or_default();
        Self {
            chain_id: chain_id.into(),
            governance,
            accounts: accounts.iter().map(|(key, balance)| (key.to_string(), *balance)).collect(),
            fees: Fees { base: 10, per_kib: 1 },
            stake_min: 1_000,
            heartbeat_window_ms: 600_000,
            deadline_max_ms: 86_400_000,
            sampling: USUAL_SAMPLING,
            limits: Limits {
                tx_bytes_max: 4 << 20,
                block_bytes_max: 16 << 20,
                // Two seconds of one core.
                block_work_max: 2_000_000,
                batch_leaves_max: 256,
            },
            srs: Vec::new(),
            trust_roots: Vec::new(),
            attestation: usual_attestation(),
        }
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// Not JSON of this form.
    pub fn from_json(text: &str) -> Result<Self, GenesisError> {
        Ok(serde_json::from_str(text)?)
    }

    /// Writes JSON.
    ///
    /// # Errors
    /// None in practice.
    pub fn to_json(&self) -> Result<String, GenesisError> {
        Ok(serde_json::to_string_pretty(self)?)
    }

    /// Checks all fields.
    ///
    /// # Errors
    /// The first fault found.
    pub fn check(&self) -> Result<Genesis, GenesisError> {
        let id = &self.chain_id;
        if !(1..=CHAIN_ID_LEN_MAX).contains(&id.len()) || !id.bytes().all(chain_id_has) {
            return Err(GenesisError::ChainId);
        }
        let mut accounts = Vec::new();
        for (key, balance) in &self.accounts {
            accounts.push((key.parse().map_err(|_| GenesisError::Hex("accounts"))?, *balance));
        }
        accounts.sort_unstable();
        distinct(accounts.iter().map(|(key, _)| key), "accounts")?;
        let supply = accounts.iter().try_fold(0u64, |sum, (_, balance)| sum.checked_add(*balance));
        let mut srs = Vec::new();
        for digest in &self.srs {
            srs.push(digest.parse().map_err(|_| GenesisError::Hex("srs"))?);
        }
        srs.sort_unstable();
        distinct(srs.iter(), "srs")?;
        let trust_roots = self.roots()?;
        let attestation = self.policy()?;
        let parameters = Parameters {
            chain_id: id.clone(),
            governance: self.governance.parse().map_err(|_| GenesisError::Hex("governance"))?,
            supply: supply.ok_or(GenesisError::Supply)?,
            fees: self.fees,
            stake_min: self.stake_min,
            heartbeat_window_ms: self.heartbeat_window_ms,
            deadline_max_ms: self.deadline_max_ms,
            sampling: self.sampling,
            limits: self.limits,
            srs,
            trust_roots,
            attestation,
        };
        check_limits(&parameters)?;
        Ok(Genesis { parameters, accounts })
    }
}

/// What is wrong with a trust root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RootFault {
    /// Real evidence rests on roots of vendors only.
    #[error("a root of the grade `Production` must be one that a vendor of enclaves publishes")]
    NotVendor,
    /// A vendor's root is never a simulated one.
    #[error("a vendor's root has the grade `Production`")]
    Vendor,
    /// The chain accepts the other grade.
    #[error("a root has another grade than `attestation.grade`")]
    Grade,
}

impl RawGenesis {
    /// The roots, in order, each once, all of the grade that the chain accepts. What a grade says is not a matter of opinion: vendors' roots
    /// are known.
    fn roots(&self) -> Result<Vec<TrustRoot>, GenesisError> {
        let mut roots = Vec::new();
        for RawTrustRoot { platform, certificate, grade } in &self.trust_roots {
            let certificate = certificate.parse().map_err(|_| GenesisError::Hex("trust_roots"))?;
            let fault = match (grade, is_vendor(*platform, certificate)) {
                (Grade::Production, false) => Some(RootFault::NotVendor),
                (Grade::Simulated, true) => Some(RootFault::Vendor),
                _ if *grade != self.attestation.grade => Some(RootFault::Grade),
                _ => None,
            };
            if let Some(fault) = fault {
                return Err(GenesisError::Root(fault));
            }
            roots.push(TrustRoot { platform: *platform, certificate, grade: *grade });
        }
        let place = |root: &TrustRoot| (root.platform, root.certificate);
        roots.sort_unstable_by_key(place);
        let places: Vec<_> = roots.iter().map(place).collect();
        distinct(places.iter(), "trust_roots")?;
        Ok(roots)
    }

    fn policy(&self) -> Result<Policy, GenesisError> {
        let mut policy = self.attestation.clone();
        policy.tcb_statuses.sort_unstable();
        distinct(policy.tcb_statuses.iter(), "attestation.tcb_statuses")?;
        if policy.tcb_statuses.contains(&TcbStatus::Revoked) { Err(GenesisError::Revoked) } else { Ok(policy) }
    }
}

/// Light clients know no other names of chains.
fn chain_id_has(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)
}

fn distinct<'a, T: PartialEq + 'a>(
    sorted: impl Iterator<Item = &'a T>,
    what: &'static str,
) -> Result<(), GenesisError> {
    let mut before = None;
    for member in sorted {
        if before.replace(member) == Some(member) {
            return Err(GenesisError::Twice(what));
        }
    }
    Ok(())
}

fn check_limits(parameters: &Parameters) -> Result<(), GenesisError> {
    let Limits { tx_bytes_max, block_bytes_max, block_work_max, batch_leaves_max } = parameters.limits;
    let checks = [
        (parameters.stake_min > 0, "stake_min"),
        (parameters.heartbeat_window_ms > 0, "heartbeat_window_ms"),
        (parameters.deadline_max_ms > 0, "deadline_max_ms"),
        (tx_bytes_max >= TX_BYTES_LEAST, "limits.tx_bytes_max"),
        (block_bytes_max >= tx_bytes_max, "limits.block_bytes_max"),
        (block_work_max > 0, "limits.block_work_max"),
        (batch_leaves_max > 0, "limits.batch_leaves_max"),
        (parameters.attestation.age_max_ms > 0, "attestation.age_max_ms"),
        (parameters.attestation.lifetime_ms > 0, "attestation.lifetime_ms"),
    ];
    match checks.into_iter().find(|(holds, _)| !holds) {
        Some((_, field)) => Err(GenesisError::TooSmall(field)),
        None if parameters.sampling.share_ppm > WHOLE_PPM => Err(GenesisError::TooLarge("sampling.share_ppm")),
        None if parameters.sampling.blocks > SAMPLING_BLOCKS_MOST => Err(GenesisError::TooLarge("sampling.blocks")),
        None if tx_bytes_max > TX_BYTES_MOST => Err(GenesisError::TooLarge("limits.tx_bytes_max")),
        None => Ok(()),
    }
}

impl Genesis {
    /// The rules of the chain.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The identity of the genesis. It is in the state, so a chain cannot be continued from another one.
    pub fn digest(&self) -> Digest32 {
        Digest32(digest("assay genesis v1", &wire::bytes(&(&self.parameters, &self.accounts))))
    }

    /// The state at height 0.
    pub(crate) fn writes(&self) -> Writes {
        let mut state = Overlay::new(&Nothing);
        for (key, balance) in &self.accounts {
            state.write(keys::account(*key), &Account { balance: *balance, ..Account::default() });
        }
        state.write(keys::TOTALS.to_vec(), &Totals { balances: self.parameters.supply, ..Totals::default() });
        state.write(keys::PARAMETERS.to_vec(), &Versioned::first(0, self.parameters.clone()));
        state.write(keys::BLOCK.to_vec(), &Block { height: 0, time_ms: 0, genesis: self.digest() });
        state.into_writes()
    }
}

/// The state before the genesis.
struct Nothing;

impl State for Nothing {
    fn get(&self, _: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }
}
