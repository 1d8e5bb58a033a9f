//! The comparison with ezkl: the same ONNX files and inputs through both, one after the other, in one run.
//!
//! ```text
//! cargo bench -p assay-benches --bench peers -- [--only MODEL,..] [--repeat N] [--readme]
//!     [--halo2 MODEL,..] [--without-ezkl | --ezkl MODEL,..] [--timeout [MODEL=]SECONDS,..] [--memory-gib [MODEL=]GIB,..]
//! ```
//! ezkl is installed from PyPI into `target/peers/venv` by `benches/peers/setup.sh`. It is run on the trained models, or on those
//! that `--ezkl` names, for at most 600 seconds and in at most 16 GiB unless other limits are given; a run that fails or goes over
//! a limit has a row that says so. With `--readme` the table replaces the one in the project's README.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use assay_benches::compact::{self, Compact};
use assay_benches::ezkl::{self, Limit, Limits};
use assay_benches::measure::{Measurement, measure, prove_memory};
use assay_benches::table::{Row, render};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TRAINED: [&str; 8] = [
    "digits_mlp",
    "cancer_tabular",
    "digits_cnn",
    "digits_resnet",
    "digits_vit",
    "sunspots_lstm",
    "sentence_bert",
    "chargpt",
];
/// GPT-2 takes more memory than many machines have, and is measured where `--only` asks for it.
const GENERATED: [&str; 3] = ["cnn-264k", "mlp-4m", "gpt-10m"];
const LARGE: [&str; 1] = ["gpt2"];
/// Proven with the engine `halo2` too, unless `--halo2` names others.
const HALO2: [&str; 6] = ["digits_mlp", "cancer_tabular", "digits_cnn", "digits_resnet", "digits_vit", "cnn-264k"];
const TIMEOUT_S: f64 = 600.0;
const MEMORY_GIB: f64 = 16.0;
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
        let prepared = value("--prepared").context("--measure needs --prepared")?;
        println!("{}", serde_json::to_string(&measure(&model, repeat, Path::new(&prepared))?)?);
        return Ok(());
    }
    if let Some(prepared) = value("--measure-halo2") {
        println!("{}", serde_json::to_string(&compact::measure(Path::new(&prepared), repeat)?)?);
        return Ok(());
    }
    if let Some(prepared) = value("--memory-of") {
        println!("{}", prove_memory(Path::new(&prepared))?);
        return Ok(());
    }
    let list = |name: &str| value(name).map(|list| list.split(',').map(str::to_owned).collect::<Vec<_>>());
    let limit = |name: &str, default| Limit::parse(&value(name).unwrap_or_default(), default).context(name.to_owned());
    let limits = Limits { time: limit("--timeout", TIMEOUT_S)?, memory: limit("--memory-gib", MEMORY_GIB)? };
    let all: Vec<&str> = TRAINED.into_iter().chain(GENERATED).collect();
    let models = chosen(list("--only").as_deref(), &all)?;
    let with_ezkl = match (has("--without-ezkl"), list("--ezkl")) {
        (true, _) => Vec::new(),
        (false, names) => chosen(names.as_deref(), &TRAINED)?,
    };
    let with_halo2 = chosen(list("--halo2").as_deref(), &HALO2)?;
    let work = root().join("target/peers");
    fs::create_dir_all(&work)?;
    let mut rows = Vec::new();
    for model in models {
        eprintln!("{model}: assay");
        let (ours, halo2) = our_measurements(model, repeat, with_halo2.contains(&model), &work)?;
        let peer = if with_ezkl.contains(&model) {
            eprintln!("{model}: ezkl (minutes)");
            Some(ezkl::run(model, &limits, &work)?)
        } else {
            None
        };
        rows.push(Row { model, ours, halo2, peer });
    }
    let table = render(&rows)?;
    println!("{table}");
    if has("--readme") {
        replace_in_readme(&table)?;
    }
    Ok(())
}

/// The models with the names, in our order; without names, those that are taken by default.
fn chosen<'a>(names: Option<&[String]>, default: &[&'a str]) -> Result<Vec<&'a str>> {
    let Some(names) = names else { return Ok(default.to_vec()) };
    let known: Vec<&str> = TRAINED.into_iter().chain(GENERATED).chain(LARGE).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("no model {unknown}; there are {}", known.join(", "));
    }
    Ok(known.into_iter().filter(|model| names.iter().any(|name| name == model)).collect())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Proofs of the engine `halo2` take seconds: so many for each one that is asked for.
const HALO2_SHARE: usize = 3;

fn our_measurements(
    model: &str,
    repeat: usize,
    with_halo2: bool,
    work: &Path,
) -> Result<(Measurement, Option<Compact>)> {
    let this = std::env::current_exe()?;
    let prepared = work.join(format!("{model}.prepared"));
    let run = |command: &mut Command| -> Result<Vec<u8>> {
        let output = command.output()?;
        ensure!(output.status.success(), "{model}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(output.stdout)
    };
    let times = repeat.to_string();
    let measured =
        run(Command::new(&this).args(["--measure", model, "--repeat", &times, "--prepared"]).arg(&prepared))?;
    let mut measurement: Measurement = serde_json::from_slice(&measured)?;
    let memory = run(Command::new(&this).arg("--memory-of").arg(&prepared))?;
    measurement.prove_memory_bytes = String::from_utf8(memory)?.trim().parse()?;
    let halo2 = if with_halo2 {
        eprintln!("{model}: assay, halo2");
        let times = repeat.div_ceil(HALO2_SHARE).to_string();
        let measured = run(Command::new(&this).arg("--measure-halo2").arg(&prepared).args(["--repeat", &times]))?;
        Some(serde_json::from_slice(&measured)?)
    } else {
        None
    };
    fs::remove_file(&prepared)?;
    Ok((measurement, halo2))
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
