//! `assay node attester`: a software attester, for machines without an enclave.
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use super::super::Verdict;
use super::super::output::Output;
use crate::attester::{Format, SoftwareAttester, measure};

/// Make a software attester, or look at one: its roots, and the measurement of this program
#[derive(Args)]
pub struct Arguments {
    /// The attester's secret seed; it is made if it is not there, for its owner alone
    #[arg(long, value_name = "FILE")]
    attester: PathBuf,
}

/// Runs the command.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Verdict> {
    let named = || arguments.attester.display().to_string();
    let attester = SoftwareAttester::open(&arguments.attester).with_context(named)?;
    output.field("grade", "simulated: no enclave, and only the word of this machine's owner");
    let roots = attester.roots().map(|root| format!("{:?}:{}", root.platform, root.certificate));
    for root in &roots {
        output.field("trust root", root);
    }
    output.field("next", format_args!("assay-ledger init DIR --trust-root {}", roots.join(" --trust-root ")));
    let mut measured = Vec::new();
    for format in [Format::Nitro, Format::Tdx] {
        let measurement = measure(format).context("this program's file")?;
        let registers: Vec<String> = measurement.registers.iter().map(hex::encode).collect();
        output.heading(&format!("Measurement, {format:?}"));
        output.field("id", hex::encode(measurement.id()));
        let options: String = registers.iter().map(|register| format!(" --register {register}")).collect();
        let (platform, software) = (measurement.platform, &measurement.software);
        let approve =
            format!("assay-ledger tx approve-measurement --platform {platform:?} --software '{software}'{options}");
        output.field("approve", approve);
        measured.push(json!({
            "platform": format!("{platform:?}"),
            "id": hex::encode(measurement.id()),
            "registers": registers,
            "software": software,
        }));
    }
    output.json(&json!({ "grade": "simulated", "trust_roots": roots, "measurements": measured }));
    Ok(Verdict::Fine)
}
