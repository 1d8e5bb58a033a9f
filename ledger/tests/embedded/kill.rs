//! `kill -9` at any moment: what was acknowledged is there, and the chain goes on where it was.
use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use assay_ledger::tx::TxHash;
use assay_verifier::settlement::light::{Clock, Trusted};

use super::common::CHAIN;
use super::node::*;

/// The folder of the process that is to be killed.
const FOLDER: &str = "ASSAY_KILLED_NODE";

/// The process that is killed: makes blocks, and says so, until then.
fn make_blocks(folder: &Path) {
    let node = open(folder);
    let mut time = START_MS + 1_000 * node.last().unwrap().height;
    for nonce in node.last().unwrap().height.. {
        let id = node.submit(pay(nonce, 1)).unwrap();
        time += 1_000;
        node.make_block(time).unwrap();
        assert_eq!(included(&node, id).0, nonce + 1);
        println!("acknowledged {}", nonce + 1);
    }
}

#[test]
fn killed_at_any_moment() {
    // The test starts itself as the process that it kills.
    if let Some(folder) = env::var_os(FOLDER) {
        return make_blocks(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut reached = 0;
    for round in 0..8u64 {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", "kill::killed_at_any_moment", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let height = |line: &str| line.split_once("acknowledged ").map(|(_, height)| height.parse::<u64>().unwrap());
        let mut acknowledged = 0;
        while acknowledged < reached + 3 {
            let line = lines.next().expect("the process ended by itself").unwrap();
            acknowledged = height(&line).unwrap_or(acknowledged);
        }
        // Somewhere within a block.
        std::thread::sleep(Duration::from_micros(1_700 * round));
        process.kill().unwrap();
        acknowledged = lines.filter_map(|line| height(&line.unwrap())).last().unwrap_or(acknowledged);
        process.wait().unwrap();

        let node = open(folder.path());
        let last = node.last().unwrap().height;
        assert!((acknowledged..=acknowledged + 1).contains(&last), "{last} after {acknowledged}");
        let clock = Clock { now_ms: START_MS + 1_000 * last, trusting_ms: 1 << 40, drift_ms: 1_000 };
        let mut trusted = Trusted::begin(CHAIN, node.root(), node.light_block(1).unwrap().unwrap()).unwrap();
        for height in 2..=last {
            let block = node.block(height).unwrap().unwrap();
            assert_eq!(included(&node, TxHash::of(&pay(height - 1, 1))), (height, 0, 0));
            trusted = trusted.advance(block.light_block().unwrap(), &clock).unwrap();
        }
        reached = last;
    }
    // The same blocks without a kill lead to the same state.
    let elsewhere = tempfile::tempdir().unwrap();
    let straight = grown(elsewhere.path(), reached);
    let node = open(folder.path());
    assert_eq!(node.last().unwrap(), straight.last().unwrap());
    assert_eq!(node.block(reached).unwrap(), straight.block(reached).unwrap());
}
