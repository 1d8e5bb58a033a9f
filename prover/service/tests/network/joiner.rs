//! A node that joins late: it has the genesis and a header that it trusts, and fetches the state instead of all blocks.
use std::fs;

use assay_ledger::client::Client;
use assay_ledger::comet::{Layout, ValidatorKey, write_private};

use crate::network::{NODES, node_key};

/// The joiner's place: after the validators.
pub const JOINER: usize = NODES;
/// Validators that it asks for headers.
const ASKED: [usize; 2] = [0, 2];
/// How far behind the last block the trusted header is.
const BEHIND: u64 = 2;

/// Writes the joiner's home: that of the first validator, with other keys and ports, all validators as peers, and state sync.
pub fn lay_out(layout: &Layout, client: &Client) {
    let (home, model) = (layout.home(JOINER), layout.home(0).join("config"));
    let read = |name: &str| fs::read_to_string(model.join(name)).expect("the first validator is laid out");
    let ports = |node| layout.ports(node).expect("there are ports");
    let mut config = read("config.toml").replace("node0", &format!("node{JOINER}"));
    let (from, to) = (ports(0), ports(JOINER));
    for (from, to) in [(from.peers, to.peers), (from.rpc, to.rpc), (from.app, to.app)] {
        config = config.replace(&format!("tcp://127.0.0.1:{from}\""), &format!("tcp://127.0.0.1:{to}\""));
    }
    let peer = |node: usize| format!("{}@127.0.0.1:{}", node_key(node).id(), ports(node).peers);
    let peers = format!("persistent_peers = \"{}\"", (0..NODES).map(peer).collect::<Vec<_>>().join(","));
    let own = config.lines().find(|line| line.starts_with("persistent_peers")).expect("it has peers").to_owned();
    let trusted = client.last().expect("a validator answers").height - BEHIND;
    let hash = client.block(Some(trusted)).expect("it has the block").hash;
    let servers = ASKED.map(|node| format!("127.0.0.1:{}", ports(node).rpc)).join(",");
    config = config.replace(&own, &peers)
        + &format!(
            r#"
[statesync]
enable = true
rpc_servers = "{servers}"
trust_height = {trusted}
trust_hash = "{hash}"
trust_period = "24h0m0s"
discovery_time = "5s"
"#
        );
    let file = |name: &str, text: &str| write_private(&home.join(name), text).expect("the folder is new");
    file("config/config.toml", &config);
    file("config/genesis.json", &read("genesis.json"));
    file("config/node_key.json", &node_key(JOINER).file().to_string());
    file("config/priv_validator_key.json", &ValidatorKey::from_seed([99; 32]).file().to_string());
    file("data/priv_validator_state.json", &ValidatorKey::fresh_state().to_string());
}

/// Whether a node has a state and not the blocks from the first on.
pub fn joined(client: &Client) -> bool {
    client.last().is_ok_and(|root| root.height > 0) && client.block(Some(1)).is_err()
}
