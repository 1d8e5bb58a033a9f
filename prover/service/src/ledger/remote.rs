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
use assay_verifier::settlement::light::{Clock, LightBlock, Root, Trusted, validators_hash};
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::payment::Block;
use assay_verifier::settlement::{Height, Versioned, keys};

use super::{Included, Ledger, LedgerError, Whereabouts, leaves};
use crate::settle::path;

/// How long after a look at the height the next one follows.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
