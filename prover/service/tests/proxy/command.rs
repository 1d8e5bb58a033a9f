//! Does the command `assay proxy` serve what it says, and refuse what cannot be right?
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::Proxied;
use crate::passing::{PATHS, post, saying};

/// The command while it runs.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    command.args(["proxy", "--json"]).args(arguments).env_remove("ASSAY_API_KEY").env_remove("ASSAY_SERVER");
    command
}

#[test]
fn the_command_hands_on_what_it_verified() {
    let proxied = Proxied::start();
    let service = proxied.world.service();
    let (server, node) = (&proxied.world.client.url, service.node.public().to_string());
    let trust = proxied.keys.path().join("trust.json");
    std::fs::write(&trust, serde_json::to_vec(&service.trust()).unwrap()).unwrap();
    let other = "00".repeat(32);
    for (key, status) in [(node.as_str(), 200), (other.as_str(), 502)] {
        let arguments =
            ["--server", server, "--node", key, "--trust", trust.to_str().unwrap(), "--listen", "127.0.0.1:0"];
        let mut running = Running(command(&arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
        let mut line = String::new();
        BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let started: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(started["chain_id"], service.ledger.rules().chain_id);
        for path in PATHS {
            let url = format!("{}{path}", started["url"].as_str().unwrap());
            assert_eq!(post(&url, &[], &saying(path, "hello", true)).status, status, "{path}");
        }
    }
}

#[test]
fn what_cannot_be_right_is_refused() {
    let key = "00".repeat(32);
    let refused = |arguments: &[&str], words: &str| {
        let ran = command(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr).into_owned() + &String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.code() == Some(2) && said.contains(words), "{said} does not say {words}");
    };
    let server = ["--server", "https://assay.example", "--node", &key];
    refused(&server, "--trust");
    refused(&[&server[..], &["--chain-id", "a", "--listen", "0.0.0.0:8081"]].concat(), "loopback");
    refused(&[&server[..], &["--chain-id", "a", "--trust", "b"]].concat(), "--chain-id");
    refused(&[&server[..], &["--trust", "nowhere/trust.json"]].concat(), "nowhere");
    refused(&[&server[..], &["--chain-id", "a", "--origin", "upstream"]].concat(), "--origin");
    refused(&["--server", "http://assay.example", "--node", &key, "--chain-id", "a"], "--server");
    refused(&["--server", "https://assay.example", "--node", "me", "--chain-id", "a"], "--node");
}
