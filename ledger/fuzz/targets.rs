//! What the fuzz targets do with their bytes. The ledger's tests replay the corpora through the same functions.
//!
//! In this folder: `cargo +nightly fuzz run --fuzz-dir . execute -- -max_total_time=600 -rss_limit_mb=2048`. What is found goes to
//! `corpus/` as a small file once it is fixed.
use std::sync::{Mutex, OnceLock};

use assay_ledger::genesis::RawGenesis;
use assay_ledger::tx::{BlockTime, Body, Payload, Transaction};
use assay_ledger::{App, Options};
use assay_verifier::settlement::light::{Clock, LightBlock, Root, Trusted};
use assay_verifier::settlement::{inclusion, keys};
use assay_verifier::signature::SigningKey;
use assay_verifier::wire;

const CHAIN: &str = "assay-golden-1";

/// A chain at its genesis. Five people have money; the seed of number `n` is `n` in every byte.
fn chain() -> &'static Mutex<App> {
    static CHAIN_APP: OnceLock<Mutex<App>> = OnceLock::new();
    CHAIN_APP.get_or_init(|| {
        let people: Vec<_> = (1..=5).map(|number| (person(number).public(), 1_000_000_000)).collect();
        let genesis = RawGenesis::usual(CHAIN, &people).check().expect("the genesis is one");
        let folder = tempfile::tempdir().expect("a folder").keep();
        let options = Options { threads: 1, ..Options::usual(&folder.join("state")) };
        Mutex::new(App::open(&genesis, &options).expect("the chain opens"))
    })
}

fn person(number: u8) -> SigningKey {
    SigningKey::from_seed([number; 32])
}

/// Decodes a transaction, which must have that one encoding, and checks it against the state.
pub fn check(data: &[u8]) {
    let app = chain().lock().expect("no target panics");
    let checked = app.reader().check(data).expect("the state is read");
    if let Ok(transaction) = Transaction::decode(data, app.reader().rules()) {
        assert!(transaction.encode() == data, "two encodings of one transaction");
    } else {
        assert!(checked.rejection.is_some(), "what does not decode is admitted");
    }
}

/// Decodes a signer and a payload, signs it, and runs a block with it twice over, then nothing. The block is not committed.
pub fn execute(data: &[u8]) {
    let Some((signer, payload)) = data.split_first() else { return };
    let Ok(payload) = wire::decode_untagged::<Payload>(payload) else { return };
    let key = person(signer % 6);
    let body =
        |nonce| Body { chain_id: CHAIN.into(), signer: key.public(), nonce, fee: 100_000, payload: payload.clone() };
    let transactions = [body(0), body(1)].map(|body| body.sign(&key).encode()).to_vec();
    let mut app = chain().lock().expect("no target panics");
    let block = BlockTime { height: app.last().height + 1, time_ms: 10_000 };
    let chosen = app.prepare(&transactions, 1 << 30, block).expect("the state is read");
    let fits = app.process(&chosen, block).expect("the state is read");
    assert!(fits.is_ok(), "what is proposed is refused");
    // Money is counted there.
    let first = app.finalize(&transactions, block, [7; 32]).expect("the block is executed");
    assert!(
        first == app.finalize(&transactions, block, [7; 32]).expect("the block is executed"),
        "a block has two outcomes"
    );
}

/// Blocks that CometBFT made, as [`light`] takes them: one that is trusted, and later ones.
const GENUINE: [&[u8]; 3] =
    [include_bytes!("golden/light_2.bin"), include_bytes!("golden/light_5.bin"), include_bytes!("golden/light_6.bin")];

/// Reads a block and the validators of the next height; the first two bytes are the length of the block.
fn light_block(data: &[u8]) -> Option<LightBlock> {
    let (length, rest) = data.split_first_chunk::<2>()?;
    let (block, next) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
    LightBlock::decode(block, next).ok()
}

fn root(block: &LightBlock) -> Root {
    Root::Header(block.hash().as_bytes().try_into().expect("headers have hashes"))
}

/// Whatever is said to be a block, none follows from a genuine one but those that its validators have signed.
pub fn light(data: &[u8]) {
    let Some(block) = light_block(data) else { return };
    let [first, later @ ..] = GENUINE.map(|bytes| light_block(bytes).expect("it is one"));
    let clock = Clock { now_ms: first.time_ms() + 600_000, trusting_ms: 86_400_000, drift_ms: 10_000 };
    let trusted = Trusted::begin("assay-local", root(&first), first).expect("it is trusted");
    if trusted.advance(block.clone(), &clock).is_ok() {
        assert!(later.iter().any(|genuine| genuine.hash() == block.hash()), "a block is forged");
    }
    let _ = Trusted::begin("assay-local", root(&block), block.clone());
    assert!(Trusted::begin("assay-local", Root::Validators([7; 32]), block).is_err(), "a root is hit by chance");
}

/// Nothing can be shown to be in a state that nobody knows.
pub fn show(data: &[u8]) {
    for (key, value) in [(keys::TOTALS, None), (keys::TOTALS, Some(b"value".as_slice())), (b"other".as_slice(), None)] {
        assert!(inclusion::verify(&[7; 32], key, value, data).is_err(), "a root is hit by chance");
    }
}
