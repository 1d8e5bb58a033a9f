//! A chain elsewhere, by the RPC endpoint of a CometBFT node.
//!
//! The node is asked, not trusted: the chain's rules are proven from the first validators on, and so is whatever ends in evidence. Where the node is
//! taken at its word, the worst that it can do is to delay: the ledger settles nothing twice, and a settlement counts when it is proven.
use std::thread::sleep;
use std::time::{Duration, Instant};

use assay_ledger::client::{Client, ClientError, Root as State};
use assay_ledger::tx::TxHash;
use assay_ledger::{LightBytes, Proven};
use assay_verifier::audit::Trust;
use assay_verifier::settlement::light::Root;
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::payment::Block;
use assay_verifier::settlement::{Height, Versioned, keys};

use super::path::path;
use super::{Included, Ledger, LedgerError, Whereabouts, leaves};

/// How long after a look at the height the next one follows.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// The first height whose state is proven by a later header, and by a header that is not the root.
const FIRST: Height = 2;

/// The chain.
pub struct Remote {
    client: Client,
    rules: Parameters,
    trust: Trust,
}

impl Remote {
    /// Asks the node at an address, `http://HOST:PORT`, for the chain's rules.
    ///
    /// Without something to trust, the first validators that the node shows are taken: it is for its operator to know whose node it is. What was
    /// taken is in [`Ledger::trust`].
    ///
    /// # Errors
    /// No answer, the chain has no blocks yet, or it is not the one that is trusted.
    pub fn connect(address: &str, trust: Option<Trust>) -> Result<Self, LedgerError> {
        let client = Client::new(address)?;
        let trust = trust.map_or_else(|| first_seen(&client), Ok)?;
        let height = client.last()?.height;
        if height < FIRST {
            return Err(LedgerError::Unavailable("the chain has made no blocks yet".into()));
        }
        // The header of the last height proves the state before it.
        let fetch = |height| light_block(&client, height);
        let app_hash = path(&trust, &fetch, height)?.end.app_hash();
        let state = State { height: height - 1, app_hash };
        let missing = || LedgerError::NotProven("it has no rules".into());
        let rules: Versioned<Parameters> = client.record(keys::PARAMETERS, &state)?.ok_or_else(missing)?;
        let block: Block = client.record(keys::BLOCK, &state)?.ok_or_else(missing)?;
        if trust.genesis.is_some_and(|genesis| genesis != block.genesis) {
            return Err(LedgerError::NotProven("it began with another genesis than the trusted one".into()));
        }
        let trust = Trust { genesis: Some(block.genesis), ..trust };
        Ok(Self { client, rules: rules.record, trust })
    }
}

/// The chain as the node shows it.
fn first_seen(client: &Client) -> Result<Trust, LedgerError> {
    let missing = || LedgerError::Unavailable("there is no block 1".into());
    let block = light_block(client, 1)?.ok_or_else(missing)?.decode()?;
    let chain_id = client.status()?.chain_id;
    Ok(Trust { chain_id, root: Root::Validators(block.validators_hash()), genesis: None })
}

fn light_block(client: &Client, height: Height) -> Result<Option<LightBytes>, LedgerError> {
    match client.light_bytes(height) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(ClientError::NoBlock(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Ledger for Remote {
    fn rules(&self) -> &Parameters {
        &self.rules
    }

    fn trust(&self) -> &Trust {
        &self.trust
    }

    fn height(&self) -> Result<Height, LedgerError> {
        Ok(self.client.last()?.height)
    }

    fn wait_height(&self, height: Height, longest: Duration) -> Result<bool, LedgerError> {
        let start = Instant::now();
        loop {
            let reached = self.height()? >= height;
            if reached || start.elapsed() >= longest {
                return Ok(reached);
            }
            sleep(LOOK_INTERVAL);
        }
    }

    fn record(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.client.bytes(key, &self.client.last()?)?)
    }

    fn proven(&self, key: &[u8], height: Height) -> Result<Proven, LedgerError> {
        let header = self.client.header(Some(height.saturating_add(1)))?;
        Ok(self.client.proven(key, &header.root())?)
    }

    fn light_block(&self, height: Height) -> Result<Option<LightBytes>, LedgerError> {
        light_block(&self.client, height)
    }

    fn attempt(&self, transaction: &[u8]) -> Result<(), LedgerError> {
        Ok(self.client.attempt(transaction)?)
    }

    fn submit(&self, transaction: &[u8]) -> Result<TxHash, LedgerError> {
        Ok(self.client.submit(transaction)?)
    }

    fn wait(&self, hash: TxHash, longest: Duration) -> Result<Whereabouts, LedgerError> {
        let included = match self.client.wait(hash, longest) {
            Ok(included) => included,
            // A node does not say what waits.
            Err(ClientError::NotIncluded { .. }) => return Ok(Whereabouts::Unknown),
            Err(error) => return Err(error.into()),
        };
        let refused = match included.outcome.refused.map(LedgerError::from) {
            None => None,
            Some(LedgerError::Refused(reason)) => Some(reason),
            Some(unknown) => return Err(unknown),
        };
        let leaves = leaves(&included.outcome.data);
        Ok(Whereabouts::Included(Included { height: included.height, refused, leaves }))
    }
}
