//! What a validator can take: real proofs of `digits_mlp`, settled by the state machine in this process, on one thread.
//!
//! ```text
//! cargo bench -p assay-benches --bench ledger -- [--proofs N] [--halo2 N] [--records N]
//! ```
//! `--proofs` and `--halo2` say how many proofs are made and settled, `--records` how many settlements on the node's word the state has in the end.
use std::time::Instant;

use anyhow::{Context, Result};
use assay_benches::machine;
use assay_benches::settling::{Chain, Served, settlements};
use assay_ledger::tx::Settle;
use assay_ledger::verdicts::Pool;
use assay_verifier::key::Engine;
use assay_verifier::receipt::Backend;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MODEL: &str = "digits_mlp";
/// Settlements in a block.
const BLOCK: usize = 50;
/// Settlements on the node's word in a block, and in a batch.
const RECORDS: u64 = 1_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str, default: u64| -> Result<u64> {
        let Some(place) = arguments.iter().position(|argument| argument == name) else { return Ok(default) };
        arguments.get(place + 1).context("a number is missing")?.parse().with_context(|| name.to_owned())
    };
    println!(
        "| engine | settlements | one by one | in batches | ratio | checked before, each | CheckTx p50 | p99, pool busy |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (engine, count) in [(Engine::Sumcheck, value("--proofs", 400)?), (Engine::Halo2, value("--halo2", 60)?)] {
        let served = Served::new(MODEL, engine)?;
        let proofs = settlements(&served, count)?;
        let one = blocks(&served, &proofs, Chain::each)?;
        let batches = blocks(&served, &proofs, |chain, proofs| vec![chain.batch(proofs)])?;
        let (each_ms, mut checks) = checked_before(&served, &proofs)?;
        checks.sort_by(f64::total_cmp);
        let at = |share: f64| checks[((checks.len() - 1) as f64 * share) as usize];
        println!(
            "| `{engine}` | {count} | {one:.0}/s | {batches:.0}/s | {:.2} | {each_ms:.2} ms | {:.2} ms | {:.2} ms |",
            batches / one,
            at(0.5),
            at(0.99)
        );
    }
    println!();
    records(value("--records", 100_000)?)
}

/// Verified settlements in a second of one thread, from bytes that were never seen to the commit.
fn blocks(served: &Served, proofs: &[Settle], pack: impl Fn(&mut Chain, &[Settle]) -> Vec<Vec<u8>>) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let mut chain = Chain::new(folder.path(), served, 1)?;
    chain.reserve(0..proofs.len() as u64, Backend::Zkml)?;
    let blocks: Vec<Vec<Vec<u8>>> = proofs.chunks(BLOCK).map(|proofs| pack(&mut chain, proofs)).collect();
    let start = Instant::now();
    for block in &blocks {
        chain.block(block)?;
    }
    Ok(proofs.len() as f64 / start.elapsed().as_secs_f64())
}

/// Execution of blocks whose proofs were verified when they were admitted, and the times of all checks while the pool verified.
fn checked_before(served: &Served, proofs: &[Settle]) -> Result<(f64, Vec<f64>)> {
    let folder = tempfile::tempdir()?;
    let mut chain = Chain::new(folder.path(), served, 1)?;
    chain.reserve(0..proofs.len() as u64, Backend::Zkml)?;
    let transactions = chain.each(proofs);
    let reader = chain.app.reader().clone();
    let pool = Pool::new(1, proofs.len(), reader.verdicts(), reader.store())?;
    let mut checks = Vec::new();
    for transaction in &transactions {
        let start = Instant::now();
        let checked = reader.check(transaction)?;
        checks.push(start.elapsed().as_secs_f64() * 1e3);
        pool.submit(checked.tasks)?;
    }
    // Waits for all verdicts.
    drop(pool);
    let start = Instant::now();
    for block in transactions.chunks(BLOCK) {
        chain.block(block)?;
    }
    Ok((start.elapsed().as_secs_f64() * 1e3 / proofs.len() as f64, checks))
}

/// Many settlements on the node's word: how fast, in how much memory, and how fast their state opens.
fn records(count: u64) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let served = Served::new(MODEL, Engine::Sumcheck)?;
    let mut chain = Chain::new(folder.path(), &served, 1)?;
    println!("| settlements on the node's word | in a second | resident memory |");
    println!("|---|---|---|");
    let (mut start, mut since) = (Instant::now(), 0);
    for first in (0..count).step_by(RECORDS as usize) {
        let numbers = first..(first + RECORDS).min(count);
        chain.reserve(numbers.clone(), Backend::Vanilla)?;
        let settlements = chain.signed_only(numbers);
        let batch = chain.batch(&settlements);
        chain.block(&[batch])?;
        let done = first + RECORDS;
        if done.is_multiple_of((count / 4).max(RECORDS)) || done >= count {
            let rate = (done - since) as f64 / start.elapsed().as_secs_f64();
            println!("| {done} | {rate:.0} | {} MB |", machine::resident_memory_bytes() / 1_000_000);
            (start, since) = (Instant::now(), done);
        }
    }
    let opened = chain.reopen()?;
    println!("\nThe state of {count} settlements opens in {:.0} ms.", opened.as_secs_f64() * 1e3);
    Ok(())
}
