//! The table of the comparison.
use std::fmt::Write as _;

use anyhow::Result;
use serde_json::Value;

use crate::accuracy::Accuracy;
use crate::compact::Compact;
use crate::machine;
use crate::measure::Measurement;

/// Longest message of a run that failed.
const MESSAGE_MAX: usize = 80;

/// One model: its name, our figures and, if it was run, ezkl's report.
pub struct Row<'a> {
    /// Name of the model.
    pub model: &'a str,
    /// Our figures.
    pub ours: Measurement,
    /// Our figures with the engine `halo2`.
    pub halo2: Option<Compact>,
    /// ezkl's report.
    pub peer: Option<Value>,
}

/// The table as Markdown.
///
/// # Errors
/// None that happen.
pub fn render(rows: &[Row<'_>]) -> Result<String> {
    let mut table = format!("Machine: {}.\n\n", machine::describe());
    table.push_str(
        "| model | prover | setup | prove | verify | proof | key | peak memory | top-1 as float | mean error | \
         perplexity, float and integers |\n",
    );
    table.push_str("|---|---|---|---|---|---|---|---|---|---|---|\n");
    for Row { model, ours, halo2, peer } in rows {
        writeln!(
            table,
            "| `{model}` | assay | {} | **{}** | {} | {} | {} | {} | {} | {:.4} % | {} |",
            seconds(ours.compile_s + ours.key_s),
            seconds(ours.prove_s),
            seconds(ours.verify_s),
            bytes(ours.proof_bytes as f64),
            bytes(ours.key_bytes as f64),
            bytes(ours.prove_memory_bytes as f64),
            agreement(ours.accuracy.top1_agreement, ours.accuracy.answers as u64),
            100.0 * ours.accuracy.relative_mean_error,
            perplexity(&ours.accuracy),
        )?;
        if let Some(halo2) = halo2 {
            table.push_str(&halo2_row(ours, halo2));
        }
        if let Some(peer) = peer {
            table.push_str(&peer_rows(ours, halo2.as_ref(), peer));
        }
    }
    Ok(table)
}

/// The engine `halo2`: compilation is the same, and so are the answers.
fn halo2_row(ours: &Measurement, halo2: &Compact) -> String {
    format!(
        "| | assay, halo2, k = {} | {} | **{}** | {} | {} | {} + {} | {} | | | |\n",
        halo2.k,
        seconds(ours.compile_s + halo2.key_s),
        seconds(halo2.prove_s),
        seconds(halo2.verify_s),
        bytes(halo2.proof_bytes as f64),
        bytes(halo2.key_bytes as f64),
        bytes(halo2.proving_key_bytes as f64),
        bytes(halo2.prove_memory_bytes as f64),
    )
}

/// ezkl's rows: its figures and how they compare, or why there are none.
fn peer_rows(ours: &Measurement, halo2: Option<&Compact>, peer: &Value) -> String {
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let memory = number(&peer["peak_memory_bytes"]);
    let status = peer["status"].as_str().unwrap_or("failed");
    if status != "ok" {
        let stage = peer["stage"].as_str().unwrap_or("?");
        let message: String = peer["message"].as_str().unwrap_or("").lines().next().unwrap_or("").into();
        let message: String = message.replace('|', "/").chars().take(MESSAGE_MAX).collect();
        let why = match status {
            "timeout" => format!("not done after {} s, in {stage}", number(&peer["timeout_s"])),
            "memory" => format!("over {} GiB, in {stage}", number(&peer["memory_limit_gib"])),
            _ => format!("failed in {stage}: {message}"),
        };
        return format!("| | ezkl | {why} | | | | | {} | | | |\n", bytes(memory));
    }
    let summary = &peer["summary"];
    let figures = format!(
        "| | ezkl {} | {} | {} | {} | {} | {} | {} | {} | | |\n",
        peer["ezkl_version"].as_str().unwrap_or(""),
        seconds(number(&summary["preparation_s"])),
        seconds(number(&summary["prove_s"])),
        seconds(number(&summary["verify_s"])),
        bytes(number(&peer["proof_bytes"])),
        format_args!(
            "{} + {}",
            bytes(number(&peer["verification_key_bytes"])),
            bytes(number(&peer["proving_key_bytes"]))
        ),
        bytes(memory),
        match peer["top1_places"].as_u64() {
            Some(places) => agreement(peer["top1_agreement"].as_f64(), places),
            None => String::new(),
        },
    );
    let ratios = format!(
        "| | ratio | {:.0} | **{:.0}** | {:.1} | {:.2} | {:.1} | {:.0} | | | |\n",
        number(&summary["preparation_s"]) / (ours.compile_s + ours.key_s),
        number(&summary["prove_s"]) / ours.prove_s,
        number(&summary["verify_s"]) / ours.verify_s,
        number(&peer["proof_bytes"]) / ours.proof_bytes as f64,
        number(&peer["verification_key_bytes"]) / ours.key_bytes as f64,
        memory / ours.prove_memory_bytes as f64,
    );
    let compact = halo2.map_or(String::new(), |halo2| {
        let keys = number(&peer["verification_key_bytes"]) + number(&peer["proving_key_bytes"]);
        format!(
            "| | ratio, halo2 | {:.0} | **{:.1}** | {:.1} | {:.2} | {:.1} | {:.1} | | | |\n",
            number(&summary["preparation_s"]) / (ours.compile_s + halo2.key_s),
            number(&summary["prove_s"]) / halo2.prove_s,
            number(&summary["verify_s"]) / halo2.verify_s,
            number(&peer["proof_bytes"]) / halo2.proof_bytes as f64,
            keys / (halo2.key_bytes + halo2.proving_key_bytes) as f64,
            memory / halo2.prove_memory_bytes as f64,
        )
    });
    figures + &ratios + &compact
}

fn agreement(share: Option<f64>, answers: u64) -> String {
    share.map_or("one output".into(), |share| format!("{:.1} % of {answers}", 100.0 * share))
}

fn perplexity(accuracy: &Accuracy) -> String {
    let text = |[float, integers]: [f64; 2]| format!("{float:.4}, {integers:.4} (ratio {:.5})", integers / float);
    accuracy.perplexity.map(text).unwrap_or_default()
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
