//! `assay client check`: whether a service could prove a model, how accurately, and what that takes.
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::super::Verdict;
use super::super::compile::show_report;
use super::super::output::Output;
use super::http::Server;
use super::publish::{ModelArguments, encoding};
use crate::routes::check::{CheckIn, CheckOut};

/// Ask whether a model can be proven, how accurately, and what that takes
#[derive(Args)]
pub struct Arguments {
    /// The model
    #[arg(value_name = "MODEL.onnx")]
    model: PathBuf,
    #[command(flatten)]
    options: ModelArguments,
}

/// Runs the command.
pub fn run(arguments: &Arguments, server: &Server, output: &Output) -> Result<Verdict> {
    let onnx = server.upload(super::super::files::read(&arguments.model)?)?;
    let samples = arguments.options.calibrate.as_deref();
    let calibration = samples.map(|path| server.upload(super::super::files::read(path)?)).transpose()?;
    let asked = CheckIn {
        onnx: onnx.to_string(),
        calibration: calibration.map(|id| id.to_string()),
        calibration_encoding: samples.map(encoding).transpose()?,
        bits: arguments.options.bits,
        batch: arguments.options.batch,
    };
    let out: CheckOut = server.post("/v1/models/check", &asked)?;
    output.field("verdict", &out.verdict);
    for node in &out.unsupported {
        output.field("", format_args!("{} {:?}: {}", node.operator, node.node, node.reason));
    }
    if let Some(reason) = &out.reason {
        output.field("because", reason);
    }
    if let Some(report) = &out.report {
        show_report(report, output);
    }
    output.json(&out);
    Ok(if out.report.is_some() { Verdict::Fine } else { Verdict::Rejected })
}
