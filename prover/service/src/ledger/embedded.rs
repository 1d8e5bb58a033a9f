//! A chain of this process, in a folder: made at the first start, and continued ever after.
use std::io;
use std::path::Path;
use std::time::Duration;

use assay_ledger::Options;
use assay_ledger::comet::ValidatorKey;
use assay_ledger::embedded::{Embedded, Outcome, Settings};
use assay_ledger::genesis::{Genesis, RawGenesis, RawTrustRoot};
use assay_ledger::tx::TxHash;
use assay_ledger::{LightBytes, Proven, Rejection, app};
use assay_verifier::audit::Trust;
use assay_verifier::digest::{Digest32, SrsDigest};
use assay_verifier::receipt::Grade;
use assay_verifier::settlement::Height;
use assay_verifier::settlement::node::Platform;
use assay_verifier::settlement::parameters::{Parameters, TrustRoot};
use assay_verifier::settlement::sampling::Sampling;
use assay_verifier::signature::PublicKey;
use assay_verifier::tee::Policy;
use assay_verifier::tee::roots::VENDOR_ROOTS;

use super::{Included, Ledger, LedgerError, Whereabouts, leaves};
use crate::storage::private;

/// The genesis, as JSON.
const GENESIS: &str = "genesis.json";
/// What auditors begin with.
pub const TRUST: &str = "trust.json";
/// The seed of the validator's key, in hexadecimal digits.
const VALIDATOR: &str = "validator.seed";

/// What a chain begins with. Only the first start in a folder takes any of it but the interval.
#[derive(Clone, Debug)]
pub struct Start {
    /// The chain's id.
    pub chain_id: String,
    /// Accounts and what they have. The first one governs.
    pub accounts: Vec<(PublicKey, u64)>,
    /// Reference strings that keys may use.
    pub srs: Vec<SrsDigest>,
    /// Roots of simulated attestations that it accepts; without any it accepts those of vendors.
    pub simulated_roots: Vec<TrustRoot>,
    /// How settlements on the node's word are drawn.
    pub sampling: Sampling,
    /// From one block to the next, while there is something to put in.
    pub interval: Duration,
}

/// The chain. Its blocks are made by a thread that ends when this is dropped.
pub struct Chain {
    embedded: Embedded,
    rules: Parameters,
    trust: Trust,
}

impl Chain {
    /// Opens the chain in a folder, or makes it. A stop at any moment leaves a folder that can be opened.
    ///
    /// # Errors
    /// Files and databases, or they are not of one chain.
    pub fn open(folder: &Path, start: &Start) -> Result<Self, LedgerError> {
        private::folder(folder).map_err(at(folder))?;
        let seed = folder.join(VALIDATOR);
        let validator = ValidatorKey::from_seed(private::seed(&seed).map_err(at(&seed))?);
        let genesis = genesis(&folder.join(GENESIS), start)?;
        let rules = genesis.parameters().clone();
        let [blocks, state] = ["blocks", "state"].map(|name| folder.join(name));
        for database in [&blocks, &state] {
            private::file(database).map_err(at(database))?;
        }
        let settings = Settings { blocks, app: Options::usual(&state), validator };
        let mut embedded = Embedded::open(&genesis, settings)?;
        let trust = Trust { chain_id: rules.chain_id.clone(), root: embedded.root(), genesis: Some(genesis.digest()) };
        let file = folder.join(TRUST);
        private::write(&file, assay_auditor::trust::write(&trust).as_bytes()).map_err(at(&file))?;
        embedded.start(start.interval)?;
        Ok(Self { embedded, rules, trust })
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> LedgerError {
    let file = path.display().to_string();
    move |error| LedgerError::File { file, error }
}

/// The genesis in a file, which is made at the first start.
fn genesis(path: &Path, start: &Start) -> Result<Genesis, LedgerError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(RawGenesis::from_json(&text)?.check()?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let srs = start.srs.iter().map(SrsDigest::to_string).collect();
            let usual = RawGenesis::usual(&start.chain_id, &start.accounts);
            let raw = RawGenesis { srs, sampling: start.sampling, ..trusting(usual, &start.simulated_roots) };
            let genesis = raw.check()?;
            private::write(path, raw.to_json()?.as_bytes()).map_err(at(path))?;
            Ok(genesis)
        }
        Err(error) => Err(at(path)(error)),
    }
}

/// A genesis that trusts simulated roots, or, without any, those of vendors.
fn trusting(raw: RawGenesis, simulated: &[TrustRoot]) -> RawGenesis {
    let vendors = VENDOR_ROOTS.iter().flat_map(|root| {
        let one = |platform: &Platform| (*platform, root.certificate);
        root.platforms.iter().map(one)
    });
    let (grade, roots): (_, Vec<_>) = if simulated.is_empty() {
        (Grade::Production, vendors.collect())
    } else {
        (Grade::Simulated, simulated.iter().map(|root| (root.platform, root.certificate)).collect())
    };
    let root = |(platform, certificate): (Platform, Digest32)| RawTrustRoot {
        platform,
        certificate: certificate.to_string(),
        grade,
    };
    RawGenesis { trust_roots: roots.into_iter().map(root).collect(), attestation: Policy::usual(grade), ..raw }
}

impl Ledger for Chain {
    fn rules(&self) -> &Parameters {
        &self.rules
    }

    fn trust(&self) -> &Trust {
        &self.trust
    }

    fn height(&self) -> Result<Height, LedgerError> {
        Ok(self.embedded.last()?.height)
    }

    fn wait_height(&self, height: Height, longest: Duration) -> Result<bool, LedgerError> {
        Ok(self.embedded.wait_height(height, longest)?)
    }

    fn record(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        let query = app::Query { key: key.to_vec(), height: None, proof: app::Proof::Unwanted };
        Ok(self.embedded.query(&query)?.value)
    }

    fn proven(&self, key: &[u8], height: Height) -> Result<Proven, LedgerError> {
        Ok(self.embedded.proven(key, Some(height))?)
    }

    fn light_block(&self, height: Height) -> Result<Option<LightBytes>, LedgerError> {
        Ok(self.embedded.light_bytes(height)?)
    }

    fn attempt(&self, transaction: &[u8]) -> Result<(), LedgerError> {
        Ok(self.embedded.attempt(transaction)?)
    }

    fn submit(&self, transaction: &[u8]) -> Result<TxHash, LedgerError> {
        Ok(self.embedded.submit(transaction.to_vec())?)
    }

    fn wait(&self, hash: TxHash, longest: Duration) -> Result<Whereabouts, LedgerError> {
        let included = match self.embedded.wait(hash, longest)? {
            Outcome::Included(included) => included,
            Outcome::Waiting => return Ok(Whereabouts::Waiting),
            Outcome::Dropped(reason) => return Ok(Whereabouts::Dropped(reason)),
            Outcome::Unknown => return Ok(Whereabouts::Unknown),
        };
        let refused = match included.result.code {
            0 => None,
            code => {
                let text = included.result.log;
                Some(Rejection::of_code(code).ok_or(LedgerError::RefusedUnknown { code, text })?)
            }
        };
        let leaves = leaves(&included.result.data);
        Ok(Whereabouts::Included(Included { height: included.height, refused, leaves }))
    }
}
