//! What a validator can take: real proofs of `digits_mlp`, settled by the state machine in this process, on one thread.
//!
//! ```text
//! cargo bench -p assay-benches --bench ledger -- [--proofs N] [--halo2 N] [--records N] [--state N] [--comet PROGRAM]
//! ```
//! `--proofs` and `--halo2` say how many proofs are made and settled, `--records` how many settlements on the node's word the state has in the end,
//! `--state` how many records of settlements there are in a state that is opened; 0 leaves each of them out. With `--comet` proofs are settled by a
//! real CometBFT, the application and a client on this machine, and by nothing else.
use std::path::Path;
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result};
use assay_benches::machine;
use assay_benches::settling::{Chain, People, Served, Who, genesis, settlements};
use assay_benches::validator::{APPLICATION, Through, Validator};
use assay_ledger::tx::Settle;
use assay_ledger::verdicts::Pool;
use assay_verifier::key::Engine;
use assay_verifier::receipt::Backend;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MODEL: &str = "digits_mlp";
/// A model whose proofs by `sumcheck` have 200 kB.
const LARGE: &str = "cnn-264k";
/// Settlements in a block.
const BLOCK: usize = 50;
/// Settlements on the node's word in a block, and in a batch.
const RECORDS: u64 = 1_000;

fn main() -> Result<()> {
    if std::env::var_os(APPLICATION).is_some() {
        return assay_ledger::cli::main();
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str, default: u64| -> Result<u64> {
        let Some(place) = arguments.iter().position(|argument| argument == name) else { return Ok(default) };
        arguments.get(place + 1).context("a number is missing")?.parse().with_context(|| name.to_owned())
    };
    let counts = [(Engine::Sumcheck, value("--proofs", 400)?), (Engine::Halo2, value("--halo2", 60)?)];
    if let Some(place) = arguments.iter().position(|argument| argument == "--comet") {
        return behind_comet(Path::new(arguments.get(place + 1).context("--comet names no program")?), counts);
    }
    println!(
        "| engine | settlements | one by one | in batches | ratio | checked before, each | CheckTx p50 | p99, pool busy |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (engine, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        let served = Served::new(MODEL, engine)?;
        let proofs = settlements(&served, count)?;
        let one = blocks(&served, &proofs, |people, proofs| people.each(Who::Node, proofs))?;
        let batches = blocks(&served, &proofs, |people, proofs| vec![people.batch(proofs)])?;
        let (each_ms, mut checks) = checked_before(&served, &proofs)?;
        checks.sort_by(f64::total_cmp);
        println!(
            "| `{engine}` | {count} | {one:.0}/s | {batches:.0}/s | {:.2} | {each_ms:.2} ms | {:.2} ms | {:.2} ms |",
            batches / one,
            at(&checks, 0.5),
            at(&checks, 0.99)
        );
    }
    println!();
    records(value("--records", 100_000)?)?;
    state(value("--state", 1_000_000)?)
}

/// Settlements by a real CometBFT: of large proofs, and of small ones.
fn behind_comet(comet: &Path, counts: [(Engine, u64); 2]) -> Result<()> {
    println!("| engine | model | proof | settlements | in a second | submit p50 | p99 | CheckTx p99 within |");
    println!("|---|---|---|---|---|---|---|---|");
    for ((engine, count), model) in counts.into_iter().zip([LARGE, MODEL]).filter(|((_, count), _)| *count > 0) {
        let served = Served::new(model, engine)?;
        let proofs = settlements(&served, count)?;
        let folder = tempfile::tempdir()?;
        let validator = Validator::start(comet, &folder.path().join("chain"), genesis(&served))?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let mut people = People::new(&served, u64::try_from(now.as_millis())?);
        for transaction in people.opening(&served) {
            validator.deliver(&[vec![transaction]])?;
        }
        validator.deliver(&[people.reservations(0..count, Backend::Zkml)])?;
        // Two clients, since one of them waits for most of its time.
        let (first, second) = proofs.split_at(proofs.len() / 2);
        let lists = [people.each(Who::Node, first), people.each(Who::Publisher, second)];
        let bytes = lists.iter().flatten().map(Vec::len).sum::<usize>() / proofs.len();
        let Through { per_second, mut submit_ms } = validator.deliver(&lists)?;
        submit_ms.sort_by(f64::total_cmp);
        println!(
            "| `{engine}` | `{model}` | {} kB | {count} | {per_second:.0} | {:.1} ms | {:.1} ms | {} ms |",
            bytes / 1_000,
            at(&submit_ms, 0.5),
            at(&submit_ms, 0.99),
            validator.check_p99_ms()?,
        );
    }
    Ok(())
}

/// The value below which a share of sorted values lies.
fn at(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

/// Verified settlements in a second of one thread, from bytes that were never seen to the commit.
fn blocks(served: &Served, proofs: &[Settle], pack: impl Fn(&mut People, &[Settle]) -> Vec<Vec<u8>>) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let mut chain = Chain::new(folder.path(), served, 1)?;
    chain.reserve(0..proofs.len() as u64, Backend::Zkml)?;
    let blocks: Vec<Vec<Vec<u8>>> = proofs.chunks(BLOCK).map(|proofs| pack(&mut chain.people, proofs)).collect();
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
    let transactions = chain.people.each(Who::Node, proofs);
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

/// Many settlements on the node's word: how fast, and in how much memory.
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
        let settlements = chain.people.signed_only(numbers);
        let batch = chain.people.batch(&settlements);
        chain.block(&[batch])?;
        let done = first + RECORDS;
        if done.is_multiple_of((count / 4).max(RECORDS)) || done >= count {
            let rate = (done - since) as f64 / start.elapsed().as_secs_f64();
            println!("| {done} | {rate:.0} | {} MB |", machine::resident_memory_bytes() / 1_000_000);
            (start, since) = (Instant::now(), done);
        }
    }
    Ok(())
}

/// How fast a large state opens.
fn state(count: u64) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut chain = Chain::new(folder.path(), &Served::new(MODEL, Engine::Sumcheck)?, 1)?;
    chain.fill(count)?;
    let [closed, killed] = chain.reopen()?.map(|took| took.as_secs_f64() * 1e3);
    println!("\nThe state of {count} settlements opens in {closed:.0} ms, after a kill in {killed:.0} ms.");
    Ok(())
}
