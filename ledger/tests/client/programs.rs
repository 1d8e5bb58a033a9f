//! Do `assay-ledger query` and `assay-ledger tx` do what their help says?
use std::process::Command;

use assay_ledger::comet::CometGenesis;
use assay_verifier::settlement::light::Root;
use assay_verifier::settlement::payment::Authorisation;
use assay_verifier::wire;
use serde_json::Value;
use tempfile::TempDir;

use crate::common::{
    GOVERNANCE, NODE, PAYER, PUBLISHER, STRANGER, SUPPLY, authorisation, key, model, publish, receipt, reserve, secret,
};
use crate::node::Node;

struct Run {
    fine: bool,
    stdout: String,
    stderr: String,
}

fn seeds() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for who in [PAYER, NODE, GOVERNANCE, STRANGER] {
        std::fs::write(folder.path().join(format!("{who}.seed")), hex::encode([who; 32]) + "\n").unwrap();
    }
    folder
}

fn run(node: &Node, folder: &TempDir, line: &str) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_assay-ledger"))
        .args(line.split(' '))
        .args(["--rpc", &node.address])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { fine: output.status.success(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn json(node: &Node, folder: &TempDir, line: &str) -> Value {
    let run = run(node, folder, &format!("{line} --json"));
    assert!(run.fine, "{line}: {}", run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn money_is_moved_and_looked_at() {
    let (node, folder) = (Node::honest(), seeds());
    let to = key(NODE);
    let sent = run(&node, &folder, &format!("tx transfer {to} 500 --key 1.seed"));
    assert!(sent.fine, "{}", sent.stderr);
    for words in ["height  2", "code    0", "refused none", "amount=500"] {
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(squeezed(&sent.stdout).contains(&squeezed(words)), "{words:?} is not in {}", sent.stdout);
    }
    assert_eq!(json(&node, &folder, "tx deposit 70 --key 1.seed")["code"], 0);
    assert_eq!(json(&node, &folder, "tx withdraw 20 --key 1.seed")["height"], 4);
    let account = json(&node, &folder, &format!("query account {}", key(PAYER)));
    assert_eq!((&account["escrow"], &account["nonce"], &account["proof"]), (&50.into(), &3.into(), &"verified".into()));
    let hash = account["app_hash"].as_str().unwrap();
    // That app hash is in the next header; who trusts that header needs no word of the node's.
    node.empty_block();
    let trusted = json(&node, &folder, &format!("query account {} --trust 5:{hash}", key(PAYER)));
    assert_eq!((&trusted["escrow"], &trusted["app_hash_from"]), (&50.into(), &"--trust".into()));
    let other = run(&node, &folder, &format!("query account {} --trust 5:{}", key(PAYER), "07".repeat(32)));
    assert!(!other.fine && other.stderr.contains("not proven") && other.stderr.contains("Next:"), "{}", other.stderr);
    assert_eq!(json(&node, &folder, "query totals")["supply"], SUPPLY.to_string());
}

#[test]
fn nodes_and_reservations() {
    let (node, folder) = (Node::honest(), seeds());
    let registration = "tx register-node --backend vanilla --backend zkml --endpoint https://node.example --stake 5000";
    json(&node, &folder, &format!("{registration} --key 2.seed"));
    json(&node, &folder, "tx heartbeat --key 2.seed");
    let found = json(&node, &folder, &format!("query node {}", key(NODE)));
    assert_eq!((&found["found"], &found["heartbeat_height"]), (&true.into(), &3.into()));
    assert_eq!(found["backends"], serde_json::json!(["zkml", "vanilla"]));
    let missing = json(&node, &folder, &format!("query model {}/name/1", key(NODE)));
    assert_eq!((&missing["found"], &missing["proof"]), (&false.into(), &"verified".into()));

    let reserve = format!(
        "tx reserve --node {} --model {} --request-digest {} --amount 90 --key 1.seed",
        key(NODE),
        model(),
        "05".repeat(32)
    );
    let poor = run(&node, &folder, &reserve);
    assert!(!poor.fine && poor.stderr.contains("code 21") && poor.stderr.contains("tx deposit"), "{}", poor.stderr);
    json(&node, &folder, "tx deposit 100 --key 1.seed");
    let reserved = json(&node, &folder, &reserve);
    let request = reserved["request"].as_str().unwrap();
    let reservation = json(&node, &folder, &format!("query reservation {request}"));
    assert_eq!((&reservation["amount"], &reservation["backend"]), (&90.into(), &"zkml".into()));
    let early = run(&node, &folder, &format!("tx refund {request} --key 1.seed"));
    assert!(!early.fine && early.stderr.contains("code 76"), "{}", early.stderr);
    let block = json(&node, &folder, &format!("query block {}", reserved["height"]));
    assert_eq!(block["transactions"][0]["kind"], "reserve");
    assert_eq!(json(&node, &folder, &format!("query tx {}", reserved["hash"].as_str().unwrap()))["found"], true);
    assert_eq!(json(&node, &folder, "query status")["catching_up"], false);
    assert_eq!(json(&node, &folder, "query parameters")["stake_min"], 1_000);
}

#[test]
fn batches_and_measurements() {
    let (node, folder) = (Node::honest(), seeds());
    let registration = "tx register-node --backend vanilla --endpoint https://node.example --stake 5000";
    json(&node, &folder, &format!("{registration} --key 2.seed"));
    json(&node, &folder, "tx deposit 1000 --key 1.seed");
    {
        let mut ledger = node.ledger.lock().unwrap();
        let publish = ledger.chain.tx(PUBLISHER, publish("model", "1"));
        ledger.block(vec![publish]);
        for number in [1, 2] {
            let deadline_ms = ledger.chain.next().time_ms + 60_000;
            let reserved = ledger.chain.tx(PAYER, reserve(Authorisation { deadline_ms, ..authorisation(number) }));
            ledger.block(vec![reserved]);
        }
    }
    for number in [1, 2] {
        let receipt = wire::encode(&receipt(number).sign(&secret(NODE)));
        std::fs::write(folder.path().join(format!("{number}.receipt")), receipt).unwrap();
    }
    let settled = json(&node, &folder, "tx settle-batch 1.receipt 2.receipt --key 2.seed");
    assert_eq!((&settled["code"], settled["requests"].as_array().unwrap().len()), (&0.into(), 2));
    for request in settled["requests"].as_array().unwrap() {
        let found = json(&node, &folder, &format!("query settlement {}", request.as_str().unwrap()));
        assert_eq!(found["found"], true);
    }
    let missing = run(&node, &folder, "tx settle-batch 1.receipt:1.proof --key 2.seed");
    assert!(!missing.fine && missing.stderr.contains("1.proof"), "{}", missing.stderr);

    let approve =
        format!("tx approve-measurement --platform Tdx --register {} --software one --key 4.seed", "ab".repeat(48));
    let approved = json(&node, &folder, &approve);
    let again = run(&node, &folder, &approve);
    assert!(!again.fine && again.stderr.contains("code 31"), "{}", again.stderr);
    let measurement = approved["measurement"].as_str().unwrap();
    let height = approved["height"].as_u64().unwrap() + 5;
    let revoked =
        json(&node, &folder, &format!("tx revoke-measurement {measurement} --from {height} --reason old --key 4.seed"));
    assert_eq!(revoked["code"], 0);
    let other = run(&node, &folder, "tx approve-measurement --platform tpm --register 0 --software one --key 4.seed");
    assert!(!other.fine && other.stderr.contains("--platform"), "{}", other.stderr);
}

/// Each says what to do next.
#[test]
fn errors_give_advice() {
    let (node, folder) = (Node::honest(), seeds());
    let to = key(NODE);
    for (line, words) in [
        (format!("tx transfer {to} 5 --key 5.seed"), ["code 20", "query account"]),
        (format!("tx transfer {to} 5 --key 9.seed"), ["9.seed", "--key"]),
        (format!("tx transfer {to} 5 --fee 1 --key 1.seed"), ["code 10", "leave --fee out"]),
        ("tx heartbeat --key 1.seed".into(), ["code 41", "tx register-node"]),
    ] {
        let run = run(&node, &folder, &line);
        assert!(!run.fine && words.iter().all(|word| run.stderr.contains(word)), "{line}: {}", run.stderr);
        assert!(run.stdout.is_empty());
    }
    let gone = Node { address: "http://127.0.0.1:1".into(), ..node };
    let run = run(&gone, &folder, "query status");
    assert!(!run.fine && run.stderr.contains("assay-ledger run"), "{}", run.stderr);
}

/// What an auditor is to trust follows from the genesis file alone, and is the chain that it begins.
#[test]
fn what_is_trusted_of_a_chain() {
    let folder = tempfile::tempdir().unwrap();
    let program = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_assay-ledger")).args(arguments).current_dir(folder.path()).output().unwrap()
    };
    assert!(program(&["init", "chain", "--validators", "3", "--chain-id", "assay-trust"]).status.success());
    let path = "chain/node0/config/genesis.json";
    let output = program(&["trust", path]);
    let trust: Value = serde_json::from_slice(&output.stdout).unwrap();
    let file = CometGenesis::from_json(&std::fs::read_to_string(folder.path().join(path)).unwrap()).unwrap();
    let Ok(Root::Validators(hash)) = file.root() else { panic!("three validators") };
    assert_eq!(trust["chain_id"], "assay-trust");
    assert_eq!(trust["validators_hash"], hex::encode(hash));
    assert_eq!(trust["genesis"], file.state().unwrap().digest().to_string());
    assert!(!program(&["trust", "nothing.json"]).status.success());
}
