//! Folders of CometBFT nodes, all on this machine: what `cometbft node --home DIR` needs, and nothing that its defaults are good for.
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::genesis::{CometGenesis, CometGenesisError};
use super::keys::{NodeKey, ValidatorKey};
use crate::abci::{Address, AddressError};
use crate::genesis::RawGenesis;

/// Ports that a node takes, from its first one on.
const PORTS_OF_NODE: u16 = 10;
/// Bytes of waiting transactions, in largest transactions.
const WAITING_TRANSACTIONS: u64 = 64;

/// Why there is no layout.
#[derive(Debug, Error)]
pub enum LayoutError {
    /// The genesis is refused.
    #[error(transparent)]
    Genesis(#[from] CometGenesisError),
    /// Something is there already, and would be lost.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// A file cannot be written.
    #[error("{}: {}", .0.display(), .1)]
    Io(PathBuf, io::Error),
    /// There are not so many ports.
    #[error("{0} nodes have no room above port {1}")]
    Ports(usize, u16),
}

/// Where a node listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// For its peers.
    pub peers: u16,
    /// For clients.
    pub rpc: u16,
    /// The application, for the node.
    pub app: u16,
}

/// Nodes to be laid out.
pub struct Layout {
    /// The folder of all.
    pub folder: PathBuf,
    /// What the chain begins with.
    pub genesis: RawGenesis,
    /// When, as in RFC 3339.
    pub time: String,
    /// The validators' keys, one for each node.
    pub validators: Vec<(ValidatorKey, NodeKey)>,
    /// The first node's first port.
    pub first_port: u16,
    /// How long after a block the next begins.
    pub block_interval_ms: u64,
}

impl Layout {
    /// The folder of a node: CometBFT's home, where `assay-ledger` has its database too.
    pub fn home(&self, node: usize) -> PathBuf {
        self.folder.join(format!("node{node}"))
    }

    /// Where a node listens.
    ///
    /// # Errors
    /// Ports end at 65535.
    pub fn ports(&self, node: usize) -> Result<Ports, LayoutError> {
        let no_room = || LayoutError::Ports(self.validators.len(), self.first_port);
        let offset = u16::try_from(node).ok().and_then(|node| node.checked_mul(PORTS_OF_NODE)).ok_or_else(no_room)?;
        let first = self.first_port.checked_add(offset).ok_or_else(no_room)?;
        let port = |place: u16| first.checked_add(place).ok_or_else(no_room);
        Ok(Ports { peers: port(0)?, rpc: port(1)?, app: port(2)? })
    }

    /// Writes all files. Nothing is overwritten.
    ///
    /// # Errors
    /// The genesis is refused, a folder is there already, or a file cannot be written.
    pub fn write(&self) -> Result<(), LayoutError> {
        let keys: Vec<ValidatorKey> = self.validators.iter().map(|(key, _)| key.clone()).collect();
        let genesis = CometGenesis::new(self.genesis.clone(), &self.time, &keys)?.to_json()?;
        let homes: Vec<PathBuf> = (0..self.validators.len()).map(|node| self.home(node)).collect();
        if let Some(home) = homes.iter().find(|home| home.exists()) {
            return Err(LayoutError::Exists(home.clone()));
        }
        for (node, (validator, key)) in self.validators.iter().enumerate() {
            let file = |name: &str, text: &str| write_private(&homes[node].join(name), text);
            file("config/genesis.json", &genesis)?;
            file("config/priv_validator_key.json", &pretty(&validator.file()))?;
            file("config/node_key.json", &pretty(&key.file()))?;
            file("data/priv_validator_state.json", &pretty(&ValidatorKey::fresh_state()))?;
            file("config/config.toml", &self.config(node)?)?;
        }
        Ok(())
    }

    /// `config.toml`. What waits is asked for again after each block, so that what no block will have does not wait for ever.
    fn config(&self, node: usize) -> Result<String, LayoutError> {
        let Ports { peers, rpc, app } = self.ports(node)?;
        let mut others = Vec::new();
        for (other, (_, key)) in self.validators.iter().enumerate().filter(|(other, _)| *other != node) {
            others.push(format!("{}@127.0.0.1:{}", key.id(), self.ports(other)?.peers));
        }
        let others = others.join(",");
        let interval = self.block_interval_ms;
        let transaction = self.genesis.limits.tx_bytes_max;
        let waiting = transaction.saturating_mul(WAITING_TRANSACTIONS);
        // Clients send transactions as base64 within JSON.
        let body = transaction.saturating_mul(2).saturating_add(1 << 16);
        Ok(format!(
            r#"proxy_app = "tcp://127.0.0.1:{app}"
moniker = "node{node}"

[rpc]
laddr = "tcp://127.0.0.1:{rpc}"
max_body_bytes = {body}
timeout_broadcast_tx_commit = "30s"

[p2p]
laddr = "tcp://127.0.0.1:{peers}"
persistent_peers = "{others}"
addr_book_strict = false
allow_duplicate_ip = true

[mempool]
recheck = true
max_tx_bytes = {transaction}
max_txs_bytes = {waiting}

[consensus]
timeout_commit = "{interval}ms"
"#
        ))
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// The configuration names no application.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// Not TOML.
    #[error("not a configuration of CometBFT: {0}")]
    Toml(#[from] toml::de::Error),
    /// No address.
    #[error("proxy_app: {0}")]
    Address(#[from] AddressError),
}

/// Where a node looks for its application, by its `config.toml`.
///
/// # Errors
/// It does not say so.
pub fn proxy_app(config: &str) -> Result<Address, ConfigError> {
    #[derive(Deserialize)]
    struct Config {
        proxy_app: String,
    }
    let Config { proxy_app } = toml::from_str(config)?;
    Ok(proxy_app.parse()?)
}

/// Writes a new file that only its owner reads: some hold keys.
///
/// # Errors
/// It cannot be written, or is there already.
pub fn write_private(path: &Path, text: &str) -> Result<(), LayoutError> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let failed = |error| LayoutError::Io(path.to_owned(), error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}
