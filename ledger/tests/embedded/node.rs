//! A node in a folder, and transactions for it.
use std::path::Path;

use assay_ledger::Options;
use assay_ledger::comet::ValidatorKey;
use assay_ledger::embedded::{Embedded, EmbeddedError, Outcome, Settings};
use assay_ledger::tx::{Body, Payload, Transfer, TxHash};

use super::common::{CHAIN, FEE, PAYER, STRANGER, genesis, key, secret};

/// Time of the first block.
pub const START_MS: u64 = 1_000_000;

pub fn settings(folder: &Path, validator: u8) -> Settings {
    Settings {
        blocks: folder.join("blocks"),
        app: Options { threads: 2, ..Options::usual(&folder.join("state")) },
        validator: ValidatorKey::from_seed([validator; 32]),
    }
}

pub fn try_open(folder: &Path, validator: u8) -> Result<Embedded, EmbeddedError> {
    Embedded::open(&genesis().check().unwrap(), settings(folder, validator))
}

pub fn open(folder: &Path) -> Embedded {
    try_open(folder, 1).unwrap()
}

pub fn pay(nonce: u64, amount: u64) -> Vec<u8> {
    let payload = Payload::Transfer(Transfer { to: key(STRANGER), amount });
    Body { chain_id: CHAIN.into(), signer: key(PAYER), nonce, fee: FEE, payload }.sign(&secret(PAYER)).encode()
}

/// A node with so many blocks, a second apart, each with one transfer of one unit.
pub fn grown(folder: &Path, blocks: u64) -> Embedded {
    let node = open(folder);
    grow(&node, blocks);
    node
}

pub fn grow(node: &Embedded, blocks: u64) {
    let last = node.last().unwrap().height;
    for height in last + 1..=last + blocks {
        let id = node.submit(pay(height - 1, 1)).unwrap();
        node.make_block(START_MS + 1_000 * height).unwrap();
        assert_eq!(included(node, id).0, height);
    }
}

/// Height, place and code of a transaction.
pub fn included(node: &Embedded, id: TxHash) -> (u64, usize, u32) {
    match node.outcome(id).unwrap() {
        Outcome::Included(included) => (included.height, included.place, included.result.code),
        other => panic!("{other:?}"),
    }
}
