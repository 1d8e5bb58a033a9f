//! The comparison with ezkl: the same ONNX files and inputs through both, one after the other, in one run.
//!
//! ```text
//! cargo bench -p assay-benches --bench peers -- [--only MODEL,..] [--without-ezkl] [--repeat N] [--readme]
//! ```
//! ezkl is installed from PyPI into `target/peers/venv` by `benches/peers/setup.sh`. With `--readme` the table replaces the one
//! in the project's README. Models that ezkl is not run on (the generated ones) stand in the table with our figures alone.
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use assay_benches::machine;
use assay_benches::measure::{Measurement, Subject, measure, prove_memory, ready};
use serde_json::Value;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FIXTURES: [&str; 4] = ["digits_mlp", "cancer_tabular", "digits_cnn", "digits_resnet"];
const GENERATED: [&str; 2] = ["cnn-264k", "mlp-4m"];
const TABLE_START: &str = "<!-- peers: start, made by `cargo bench -p assay-benches --bench peers -- --readme` -->";
const TABLE_END: &str = "<!-- peers: end -->";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1).cloned()
    };
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let repeat = value("--repeat").map_or(Ok(15), |text| text.parse()).context("--repeat takes a number")?;
    // A process of its own for each figure that must not depend on what ran before.
    if let Some(model) = value("--measure") {
        println!("{}", serde_json::to_string(&measure(&model, repeat)?)?);
        return Ok(());
    }
    if let Some(file) = value("--memory") {
        println!("{}", prove_memory(&fs::read(file)?)?);
        return Ok(());
    }
    let only = value("--only").map(|list| list.split(',').map(str::to_owned).collect::<Vec<_>>());
    let wanted = |model: &&str| only.as_ref().is_none_or(|only| only.iter().any(|name| name == model));
    let work = root().join("target/peers");
    fs::create_dir_all(&work)?;
    let mut rows = Vec::new();
    for model in FIXTURES.iter().chain(&GENERATED).copied().filter(|model| wanted(model)) {
        eprintln!("{model}: assay");
        let ours = our_measurement(model, repeat, &work)?;
        let peer = if has("--without-ezkl") || GENERATED.contains(&model) {
            None
        } else {
            eprintln!("{model}: ezkl (minutes)");
            Some(ezkl(model, &work)?)
        };
        rows.push((model, ours, peer));
    }
    let table = render(&rows)?;
    println!("{table}");
    if has("--readme") {
        replace_in_readme(&table)?;
    }
    Ok(())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn our_measurement(model: &str, repeat: usize, work: &Path) -> Result<Measurement> {
    let this = std::env::current_exe()?;
    let output = Command::new(&this).args(["--measure", model, "--repeat", &repeat.to_string()]).output()?;
    ensure!(output.status.success(), "{model}: {}", String::from_utf8_lossy(&output.stderr));
    let mut measurement: Measurement = serde_json::from_slice(&output.stdout)?;
    let subject = Subject::named(model)?;
    let file = work.join(format!("{model}.circuit"));
    fs::write(&file, ready(&subject)?.to_bytes()?)?;
    let output = Command::new(&this).arg("--memory").arg(&file).output()?;
    ensure!(output.status.success(), "{model}: {}", String::from_utf8_lossy(&output.stderr));
    measurement.prove_memory_bytes = String::from_utf8(output.stdout)?.trim().parse()?;
    Ok(measurement)
}

/// Runs ezkl on a fixture and returns its report.
fn ezkl(model: &str, work: &Path) -> Result<Value> {
    let venv = work.join("venv");
    let peers = root().join("benches/peers");
    let set_up = Command::new("bash").arg(peers.join("setup.sh")).arg(&venv).stdout(std::io::stderr()).status()?;
    ensure!(set_up.success(), "benches/peers/setup.sh could not install ezkl; --without-ezkl leaves it out");
    let report = work.join(format!("{model}.json"));
    let fixtures = root().join("fixtures");
    let folder = work.join(model);
    let status = Command::new(venv.join("bin/python"))
        .arg(peers.join("ezkl_bench.py"))
        .arg("--model")
        .arg(fixtures.join(format!("{model}.onnx")))
        .arg("--input")
        .arg(fixtures.join(format!("{model}_test.npz")))
        .arg("--calibration")
        .arg(fixtures.join(format!("{model}_calibration.npz")))
        .arg("--work")
        .arg(&folder)
        .args(["--repeat", "3", "--timeout", "900", "--json"])
        .arg(&report)
        .stdout(std::io::stderr())
        .status()?;
    ensure!(status.success(), "ezkl_bench.py wrote no report for {model}");
    // Keys of gigabytes are of no use afterwards.
    let _ = fs::remove_dir_all(&folder);
    Ok(serde_json::from_slice(&fs::read(&report)?)?)
}

type Row<'a> = (&'a str, Measurement, Option<Value>);

fn render(rows: &[Row<'_>]) -> Result<String> {
    let mut table = format!("Machine: {}.\n\n", machine::describe());
    table.push_str(
        "| model | prover | setup | prove | verify | proof | key | peak memory | top-1 as float | mean error |\n",
    );
    table.push_str("|---|---|---|---|---|---|---|---|---|---|\n");
    for (model, ours, peer) in rows {
        let agreement = ours.top1_agreement.map_or("one output".into(), |share| format!("{:.1} %", 100.0 * share));
        writeln!(
            table,
            "| `{model}` | assay | {} | **{}** | {} | {} | {} | {} | {agreement} of {} | {:.4} % |",
            seconds(ours.compile_s + ours.key_s),
            seconds(ours.prove_s),
            seconds(ours.verify_s),
            bytes(ours.proof_bytes as f64),
            bytes(ours.key_bytes as f64),
            bytes(ours.prove_memory_bytes as f64),
            ours.samples,
            100.0 * ours.relative_mean_error,
        )?;
        let Some(peer) = peer else { continue };
        let status = peer["status"].as_str().unwrap_or("failed");
        if status != "ok" {
            let (stage, message) = (peer["stage"].as_str().unwrap_or("?"), peer["message"].as_str().unwrap_or(""));
            writeln!(table, "| | ezkl | {status} in {stage}: {message} | | | | | | | |")?;
            continue;
        }
        let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        let summary = &peer["summary"];
        let agrees = match peer["argmax_agrees"].as_bool() {
            Some(true) => "yes, of 1",
            Some(false) => "no, of 1",
            None => "one output",
        };
        writeln!(
            table,
            "| | ezkl {} | {} | {} | {} | {} | {} | {} | {agrees} | |",
            peer["ezkl_version"].as_str().unwrap_or(""),
            seconds(number(&summary["preparation_s"])),
            seconds(number(&summary["prove_s"])),
            seconds(number(&summary["verify_s"])),
            bytes(number(&peer["proof_bytes"])),
            bytes(number(&peer["verification_key_bytes"])),
            bytes(number(&peer["peak_memory_bytes"])),
        )?;
        writeln!(
            table,
            "| | ratio | {:.0} | **{:.0}** | {:.1} | {:.2} | {:.1} | {:.0} | | |",
            number(&summary["preparation_s"]) / (ours.compile_s + ours.key_s),
            number(&summary["prove_s"]) / ours.prove_s,
            number(&summary["verify_s"]) / ours.verify_s,
            number(&peer["proof_bytes"]) / ours.proof_bytes as f64,
            number(&peer["verification_key_bytes"]) / ours.key_bytes as f64,
            number(&peer["peak_memory_bytes"]) / ours.prove_memory_bytes as f64,
        )?;
    }
    Ok(table)
}

fn seconds(value: f64) -> String {
    if value < 1.0 { format!("{:.1} ms", 1e3 * value) } else { format!("{value:.1} s") }
}

fn bytes(value: f64) -> String {
    match value {
        value if value < 1e6 => format!("{:.0} kB", value / 1e3),
        value if value < 1e9 => format!("{:.0} MB", value / 1e6),
        value => format!("{:.1} GB", value / 1e9),
    }
}

fn replace_in_readme(table: &str) -> Result<()> {
    let path = root().join("README.md");
    let text = fs::read_to_string(&path)?;
    let (Some(start), Some(end)) = (text.find(TABLE_START), text.find(TABLE_END)) else {
        bail!("README.md has no place for the table");
    };
    let (before, after) = (&text[..start + TABLE_START.len()], &text[end..]);
    fs::write(&path, format!("{before}\n\n{table}\n{after}"))?;
    Ok(())
}
