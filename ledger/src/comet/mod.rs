//! Files that CometBFT reads: keys, its genesis and the configuration of a node. Only this folder knows their forms.
mod genesis;
mod home;
mod keys;

pub use genesis::{CometGenesis, CometGenesisError};
pub use home::{ConfigError, Layout, LayoutError, Ports, proxy_app, write_private};
pub use keys::{NodeKey, ValidatorKey};
