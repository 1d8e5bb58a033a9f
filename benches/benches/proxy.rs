//! What a node adds that forwards to an upstream: to a request, to each event of a stream, and to events of many streams at once. Client, node and
//! upstream share the machine and this process.
//!
//! ```text
//! cargo bench -p assay-benches --bench proxy -- [--requests N] [--events N] [--streams N] [--seconds N]
//! ```
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use assay_benches::machine;
use assay_benches::proxying::{Caller, Proxying};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Between two events of the stream that is measured alone.
const GAP: Duration = Duration::from_millis(2);
/// Between two events of each of many streams.
const GAP_OF_MANY: Duration = Duration::from_millis(200);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str, default: u32| -> Result<u32> {
        let Some(place) = arguments.iter().position(|argument| argument == name) else { return Ok(default) };
        arguments.get(place + 1).context("a number is missing")?.parse().with_context(|| name.to_owned())
    };
    let (requests, events) = (value("--requests", 500)?, value("--events", 1_000)?);
    let (streams, seconds) = (value("--streams", 500)?, value("--seconds", 5)?);
    println!("Machine: {}.\n", machine::describe());
    println!("| what | direct, p50 | p99 | forwarded, p50 | p99 | added, p50 |");
    println!("|---|---|---|---|---|---|");
    let proxying = Proxying::start()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (direct, node) = (proxying.upstream.as_str(), proxying.node.as_str());

    let ask = |host: &str, more: &str| runtime.block_on(asked(host, more, requests));
    let (before, after) = (ask(direct, "")?, ask(node, "")?);
    row("a request", &before, &after);
    row("a request, with its receipt", &before, &ask(node, "prefer: receipt\r\n")?);
    row(
        "an event of one stream",
        &runtime.block_on(streamed(direct, 1, events, GAP))?,
        &runtime.block_on(streamed(node, 1, events, GAP))?,
    );
    let each = u32::try_from(u128::from(seconds) * 1000 / GAP_OF_MANY.as_millis())?;
    let before = runtime.block_on(streamed(direct, streams, each, GAP_OF_MANY))?;
    let memory = machine::resident_memory_bytes();
    let begun = Instant::now();
    let after = runtime.block_on(streamed(node, streams, each, GAP_OF_MANY))?;
    let elapsed = begun.elapsed();
    row(&format!("an event of {streams} streams, each every {} ms", GAP_OF_MANY.as_millis()), &before, &after);
    let more = machine::resident_memory_bytes().saturating_sub(memory) / 1000 / u64::from(streams);
    let rate = f64::from(streams * each) / elapsed.as_secs_f64();
    println!("\n{streams} streams at once: all complete, {rate:.0} events/s, {more} kB more resident for each.");
    println!(
        "One synchronisation of this disk, which a receipt waits for that comes with its answer: {:.1} ms.",
        synchronisation()?
    );
    Ok(())
}

async fn asked(host: &str, more: &str, requests: u32) -> Result<Vec<Duration>> {
    let mut caller = Caller::connect(host).await?;
    for _ in 0..50 {
        caller.ask(more).await?;
    }
    let mut times = Vec::new();
    for _ in 0..requests {
        times.push(caller.ask(more).await?);
    }
    Ok(times)
}

async fn streamed(host: &str, streams: u32, events: u32, gap: Duration) -> Result<Vec<Duration>> {
    let mut all = Vec::new();
    for number in 0..streams {
        let mut caller = Caller::connect(host).await?;
        // Not all at the same moment.
        let offset = gap * number / streams;
        all.push(tokio::spawn(async move {
            tokio::time::sleep(offset).await;
            caller.stream(events, gap).await
        }));
    }
    let mut times = Vec::new();
    for stream in all {
        times.extend(stream.await??);
    }
    Ok(times)
}

/// The usual time of a synchronisation, in milliseconds.
fn synchronisation() -> Result<f64> {
    let mut file = tempfile::NamedTempFile::new()?;
    let mut times = Vec::new();
    for _ in 0..50 {
        file.write_all(&[0; 512])?;
        let begun = Instant::now();
        file.as_file().sync_data()?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

fn row(what: &str, direct: &[Duration], forwarded: &[Duration]) {
    let at = |times: &[Duration], share: f64| {
        let mut times: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e6).collect();
        times.sort_by(f64::total_cmp);
        times[((times.len() - 1) as f64 * share) as usize]
    };
    let (median, forwarded_median) = (at(direct, 0.5), at(forwarded, 0.5));
    let (rare, forwarded_rare) = (at(direct, 0.99), at(forwarded, 0.99));
    println!(
        "| {what} | {median:.0} µs | {rare:.0} µs | {forwarded_median:.0} µs | {forwarded_rare:.0} µs | {:.0} µs |",
        forwarded_median - median
    );
}
