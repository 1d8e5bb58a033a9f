//! What the service adds to prover and ledger: latency of answers while proofs run and while ten thousand wait, proofs a second beside a bare loop, and
//! the time from an answer to its proven settlement. Client and service share the machine.
//!
//! ```text
//! cargo bench -p assay-benches --bench service -- [--seconds N] [--queued N] [--settled N]
//! ```
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use assay_benches::machine;
use assay_benches::measure::ready;
use assay_benches::serving::Serving;
use assay_benches::subject::Subject;
use assay_service::inference::{Data, Dtype, Mode, Request, TensorIn};
use assay_service::jobs::Filter;
use assay_verifier::key::CheckedKey;
use assay_verifier::verify;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MODEL: &str = "digits_cnn";
/// Requests a second.
const RATE: u32 = 100;
/// Connections that ask at this rate.
const CALLERS: u32 = 8;
/// For how long the bare loop proves and verifies.
const BARE: Duration = Duration::from_secs(5);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str, default: u32| -> Result<u32> {
        let Some(place) = arguments.iter().position(|argument| argument == name) else { return Ok(default) };
        arguments.get(place + 1).context("a number is missing")?.parse().with_context(|| name.to_owned())
    };
    let (seconds, queued, settled) = (value("--seconds", 10)?, value("--queued", 10_000)?, value("--settled", 20)?);
    println!("Machine: {}. Model: `{MODEL}`, engine `sumcheck`.\n", machine::describe());
    println!("| what | p50 | p99 | other |");
    println!("|---|---|---|---|");
    let subject = Subject::named(MODEL)?;
    let bodies = bodies(&subject)?;

    let bare = bare(&subject)?;
    let serving = Serving::start(MODEL, 1, false)?;
    let times = load(&serving, &bodies, seconds * RATE)?;
    row(&format!("answers at {RATE}/s, proofs running"), &times, &format!("{} asked", times.len()));
    let (proofs, elapsed) = drain(&serving)?;
    let sustained = f64::from(proofs) / elapsed.as_secs_f64();
    println!(
        "| proofs while the queue is emptied | | | {sustained:.1}/s, {:.0} % of the {bare:.1}/s of a bare loop |",
        100.0 * sustained / bare
    );
    drop(serving);

    let serving = Serving::start(MODEL, 0, false)?;
    let before = machine::resident_memory_bytes();
    fill(&serving, &bodies, queued)?;
    let times = load(&serving, &bodies, 5 * RATE)?;
    let memory = machine::resident_memory_bytes();
    let other = format!("{} MB resident, {} MB before", memory / 1_000_000, before / 1_000_000);
    row(&format!("answers at {RATE}/s, {queued} proofs waiting"), &times, &other);
    drop(serving);

    let serving = Serving::start(MODEL, 1, true)?;
    let times = settlements(&serving, &bodies, settled)?;
    row("from an answer to its proven settlement, idle", &times, &format!("{settled} paid requests, blocks of 500 ms"));
    Ok(())
}

/// Requests for each test image, with a number that makes each another one.
fn bodies(subject: &Subject) -> Result<Vec<Vec<u8>>> {
    let body = |sample: &assay_circuits::NamedTensors| -> Result<Vec<u8>> {
        let inputs = sample.iter().map(|(name, tensor)| TensorIn {
            name: name.clone(),
            dtype: Dtype::F32,
            shape: tensor.dims.clone(),
            data: Data::Numbers(tensor.values.clone()),
        });
        let (model, inputs) = (MODEL.to_owned(), inputs.collect());
        Ok(serde_json::to_vec(&Request {
            model,
            inputs,
            mode: Mode::Zkml,
            engine: None,
            deadline_s: None,
            nonce: None,
        })?)
    };
    subject.tests.iter().take(100).map(body).collect()
}

/// Proofs a second of prover and verifier alone.
fn bare(subject: &Subject) -> Result<f64> {
    let ready = ready(subject)?;
    let key = CheckedKey::from(ready.prover.key().clone());
    let (start, mut proofs) = (Instant::now(), 0u32);
    while start.elapsed() < BARE {
        let proof = ready.prover.prove(&ready.inputs, &[0; 32])?;
        verify(&key, &proof)?;
        proofs += 1;
    }
    Ok(f64::from(proofs) / start.elapsed().as_secs_f64())
}

/// Asks at the rate, each connection at its own times, whether or not answers are late.
fn load(serving: &Serving, bodies: &[Vec<u8>], count: u32) -> Result<Vec<Duration>> {
    let start = Instant::now() + Duration::from_millis(50);
    let ask = |first: u32| -> Result<Vec<Duration>> {
        let (caller, mut times) = (serving.caller(), Vec::new());
        caller.get::<serde_json::Value>("/v1/supported")?;
        for number in (first..count).step_by(CALLERS as usize) {
            let due = start + Duration::from_secs(1) * number / RATE;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            caller.ask(&bodies[number as usize % bodies.len()])?;
            // From when it was due: a late answer delays none of the figures after it.
            times.push(due.elapsed());
        }
        Ok(times)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CALLERS).map(|first| scope.spawn(move || ask(first))).collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().expect("callers do not panic")?);
        }
        Ok(all)
    })
}

/// Asks as fast as answers come.
fn fill(serving: &Serving, bodies: &[Vec<u8>], count: u32) -> Result<()> {
    let ask = |first: u32| -> Result<()> {
        let caller = serving.caller();
        for number in (first..count).step_by(CALLERS as usize) {
            caller.ask(&bodies[number as usize % bodies.len()])?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CALLERS).map(|first| scope.spawn(move || ask(first))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("callers do not panic"))
    })
}

/// Waits until no proof waits; gives how many were made meanwhile, and in what time.
fn drain(serving: &Serving) -> Result<(u32, Duration)> {
    let left = || serving.service.jobs.counts(0).to_prove;
    let (start, first) = (Instant::now(), left());
    ensure!(first > 0, "no proof waits: ask for longer");
    while left() > 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let elapsed = start.elapsed();
    let failed = Filter { proof: Some(assay_service::jobs::states::Proving::Failed), ..Filter::default() };
    ensure!(serving.service.jobs.list(None, &failed, None, 1)?.jobs.is_empty(), "a proof failed");
    Ok((u32::try_from(first)?, elapsed))
}

/// Pays for one request after the other, and waits until each is settled.
fn settlements(serving: &Serving, bodies: &[Vec<u8>], count: u32) -> Result<Vec<Duration>> {
    let caller = serving.caller();
    let mut times = Vec::new();
    for number in 0..count {
        let job = caller.pay(&bodies[number as usize % bodies.len()], &serving.payer)?;
        let start = Instant::now();
        let over = caller.over(&job.id)?;
        ensure!(over.states.settlement == "verified", "job {} ended {:?}", job.id, over.states);
        times.push(start.elapsed());
    }
    Ok(times)
}

fn row(what: &str, times: &[Duration], other: &str) {
    let mut times: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("| {what} | {:.1} ms | {:.1} ms | {other} |", at(0.5), at(0.99));
}
