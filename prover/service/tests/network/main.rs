//! Does a network of real validators keep what it acknowledged, whatever happens to some of them?
//!
//! Four CometBFT nodes on loopback, each with its `assay-ledger run`, settle fresh proofs of both engines without pause, while one node is
//! killed, one application alone is killed, one node is stopped for some blocks, a node joins by state sync, a proposer proposes a forged proof,
//! and at last all are killed at once. At the end each acknowledged settlement is proven from some node against one header that a light client
//! followed from the genesis, all nodes have the same state, and no money was made or lost. Then the service itself settles an answer there.
//!
//! This test has no harness of the standard library, because its program is the ledger too: started again with [`APPLICATION`] set it is
//! `assay-ledger`, so that real processes run without a second build. CometBFT is built once, by Go, into `target/cometbft`; where there is no
//! Go, `ASSAY_WITHOUT_COMETBFT=1` leaves the test out.
mod comet;
mod forgery;
mod joiner;
mod load;
mod model;
mod network;
mod outcome;
mod people;
mod process;
mod proposer;
mod request;
mod served;

use std::sync::Arc;
use std::time::{Duration, Instant};

use load::Load;
use model::Service;
use network::Network;

/// Set for processes that are an application.
const APPLICATION: &str = "ASSAY_NETWORK_TEST_APPLICATION";
/// Set by those who have no Go.
const WITHOUT: &str = "ASSAY_WITHOUT_COMETBFT";
/// Settlements that must be acknowledged.
const SETTLEMENTS: usize = 200;
/// How long anything may take that the network does by itself.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> anyhow::Result<()> {
    if std::env::var_os(APPLICATION).is_some() {
        return assay_ledger::cli::main();
    }
    if !selected("validators_settle_through_crashes") {
        return Ok(());
    }
    if std::env::var(WITHOUT).is_ok_and(|value| value == "1") {
        println!("network: SKIPPED, because {WITHOUT}=1: no validator was run");
        return Ok(());
    }
    validators_settle_through_crashes();
    Ok(())
}

/// What the usual harness does with names and `--list`.
fn selected(name: &str) -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        println!("{name}: test");
        return false;
    }
    let with_value = ["--test-threads", "--skip", "--format", "--color", "--logfile"];
    let mut filters = Vec::new();
    let mut before = "";
    for argument in &arguments {
        if !argument.starts_with('-') && !with_value.contains(&before) {
            filters.push(argument);
        }
        before = argument;
    }
    filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()))
}

fn validators_settle_through_crashes() {
    let start = Instant::now();
    let say = |what: &str| println!("network {:6.1} s  {what}", start.elapsed().as_secs_f64());
    let program = comet::program();
    say("CometBFT is there");
    let service = Arc::new(Service::new());
    say("digits_mlp has a key of each engine");
    let mut network = Network::start(program, people::genesis(&service.srs()));
    network.wait_all(2);
    say("four validators make blocks");

    let clients = network.clients();
    people::open(&clients, &service);
    say("the model is published, the node registered, money deposited");
    let forged = forgery::refused_everywhere(&clients, &service);
    say("every validator refuses a forged proof");
    let (unseen, proposal) = forgery::unseen(&clients, &service);

    let load = Load::start(clients.clone(), Arc::clone(&service));
    load.wait(SETTLEMENTS / 8);
    network.join();

    network.kill(1);
    network.wait_blocks(0, 3);
    network.run(1);
    network.wait_level(1);
    say(&format!("one validator was killed and is back; {} settled", load.acknowledged()));

    network.wait_joined();
    say(&format!("a node has joined by state sync; {} settled", load.acknowledged()));

    network.kill_application(2);
    network.wait_blocks(0, 3);
    network.run(2);
    network.wait_level(2);
    say(&format!("one application was killed, CometBFT stopped, both are back; {} settled", load.acknowledged()));

    network.pause(3);
    network.wait_blocks(0, 4);
    network.resume(3);
    network.wait_level(3);
    say(&format!("one validator was stopped for some blocks and is back; {} settled", load.acknowledged()));

    network.forge(&proposal);
    let (proposer, heights) = network.wait_forgeries();
    forgery::never_decided(&clients, &proposal, &proposer, heights);
    say(&format!("one validator proposed a forged proof, which no other voted for; {} settled", load.acknowledged()));

    (0..=joiner::JOINER).for_each(|node| network.kill(node));
    (0..=joiner::JOINER).for_each(|node| network.run(node));
    network.wait_all_blocks(2);
    network.wait_level(joiner::JOINER);
    say(&format!("all were killed and are back; {} settled", load.acknowledged()));

    load.wait(SETTLEMENTS);
    let settled = load.finish();
    say(&format!("{} settlements are acknowledged", settled.len()));
    assert!(settled.len() >= SETTLEMENTS);
    let all: Vec<_> = clients.iter().cloned().chain([network.joiner()]).collect();
    outcome::check(&all, network.root(), &settled, &[forged, unseen]);
    say("states are equal, every settlement is there, money is conserved");
    served::settled(clients[1].address(), &service);
    say("the service's own settler settles by a validator that it does not trust, and its bundle is audited");
    println!("validators_settle_through_crashes ... ok");
}
