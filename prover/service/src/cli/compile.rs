//! `assay compile`: an ONNX model becomes a circuit file.
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use assay_circuits::report::{Calibration, Report, TensorError};
use assay_circuits::{CompileError, CompileOptions, Compiled, Model, ModelError, Stage, Width};
use assay_prover::file::CircuitFile;
use assay_verifier::wire;
use clap::Args;
use serde::Serialize;

use super::output::{self, Output, grouped, milliseconds};
use super::problem::problem;
use super::progress::Progress;
use super::{Verdict, files, inputs};

const EXAMPLES: &str = "\
Examples:
  assay compile model.onnx --calibrate samples.npz
  assay compile model.onnx --calibrate samples.json --bits 12 -o small.circuit
  assay compile model.onnx --calibrate samples.npz --bits 16 --bits '*attention*=12'

Calibration inputs are what the model meets in use; a hundred are enough. Scales are chosen on them, and inputs more \
than twice as large are refused later. The same model, inputs and options give the same bytes.";

/// Compile an ONNX model to a circuit
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The model
    #[arg(value_name = "MODEL.onnx")]
    model: PathBuf,
    /// Sample inputs to choose scales and measure accuracy on: .npz, .npy or .json
    #[arg(long, value_name = "INPUTS")]
    calibrate: Option<PathBuf>,
    /// Width of the integers: 8, 12 or 16 [default: 16]; PATTERN=BITS (8 to 16) for the nodes whose names match. Fewer
    /// bits prove faster and follow the model less closely
    #[arg(long, value_name = "BITS|PATTERN=BITS", value_parser = bits)]
    bits: Vec<Bits>,
    /// Batch size where the model leaves it open
    #[arg(long, value_name = "N", default_value_t = 1)]
    batch: u32,
    /// Where to write the circuit [default: MODEL.circuit in the current folder]
    #[arg(long, short, value_name = "FILE.circuit")]
    output: Option<PathBuf>,
}

/// A width for all nodes or for some.
#[derive(Clone, Debug)]
enum Bits {
    All(u8),
    Some(Width),
}

/// Parses a width.
fn bits(text: &str) -> Result<Bits, String> {
    let fail = || format!("{text:?} is not 8, 12 or 16, nor PATTERN=BITS with 8 to 16 bits");
    // A name may hold `=`; a width does not.
    match text.rsplit_once('=') {
        None => text.parse().ok().filter(|bits| [8, 12, 16].contains(bits)).map(Bits::All).ok_or_else(fail),
        Some((pattern, bits)) => {
            let bits = bits.parse().ok().filter(|bits| (8..=16).contains(bits)).ok_or_else(fail)?;
            Ok(Bits::Some(Width { pattern: pattern.into(), bits }))
        }
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    file: &'a Path,
    file_size_bytes: usize,
    circuit: String,
    key: String,
    compile_duration_ms: f64,
    report: &'a Report,
}

/// Runs the command.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Verdict> {
    let target = arguments.output.clone().unwrap_or_else(|| files::beside(&arguments.model, "circuit"));
    files::check_target(&target)?;
    let start = Instant::now();
    let progress = Progress::steps(6, "Reading the model");
    let model = open(&arguments.model)?;
    let mut options = CompileOptions { batch: arguments.batch, ..CompileOptions::default() };
    for bits in arguments.bits.iter().cloned() {
        match bits {
            Bits::All(bits) => options.bits = bits,
            Bits::Some(width) => options.widths.push(width),
        }
    }
    if let Some(path) = &arguments.calibrate {
        let declared = model.inputs(arguments.batch).map_err(|error| refused(&arguments.model, &error.into()))?;
        options.calibration = Some(inputs::read(path, &declared)?);
    }
    let Compiled { circuit, weights, report } = compile(&model, &options, &progress).map_err(|error| {
        // Faults of samples are faults of the other file.
        let path = arguments.calibrate.as_ref().filter(|_| matches!(error, CompileError::Calibration { .. }));
        refused(path.unwrap_or(&arguments.model), &error)
    })?;
    // Committing takes the most memory, and needs only the circuit.
    drop(model);
    progress.at(5, "Committing to the weights");
    let file = CircuitFile::new(circuit, weights, report)
        .map_err(|error| problem(format!("{}: {error}", arguments.model.display()), "the model is too large"))?;
    let bytes = wire::encode(&file);
    files::write(&target, &bytes)?;
    drop(progress);
    let answer = Answer {
        file: &target,
        file_size_bytes: bytes.len(),
        circuit: file.circuit.digest().to_string(),
        key: file.key_digest().to_string(),
        compile_duration_ms: milliseconds(start.elapsed()),
        report: &file.report,
    };
    show(&answer, start.elapsed(), output);
    output.json(&answer);
    Ok(Verdict::Fine)
}

/// Reads a model.
pub fn open(path: &Path) -> Result<Model> {
    // Checks existence and kind first, for a clear error.
    let bytes = files::read(path)?;
    if let Some((_, name, _)) = files::kind(&bytes) {
        let what = format!("{} is not an ONNX model but a {name} of this program", path.display());
        return Err(problem(what, "name the model that it was made from, or `assay inspect` it"));
    }
    drop(bytes);
    Model::open(path).map_err(|error| refused(path, &error.into()))
}

/// Compiles a model, showing how far it is.
pub fn compile(model: &Model, options: &CompileOptions, progress: &Progress) -> Result<Compiled, CompileError> {
    assay_circuits::compile(model, options, &|stage, _| match stage {
        Stage::Import => progress.at(0, "Importing operators"),
        Stage::Calibrate => progress.at(1, "Running the float model on samples"),
        Stage::Lower => progress.at(2, "Choosing scales and lowering to integers"),
        Stage::Check => progress.at(3, "Checking the circuit"),
        Stage::Measure => progress.at(4, "Measuring accuracy"),
    })
}

/// Says why a model was not compiled.
pub fn refused(path: &Path, error: &CompileError) -> anyhow::Error {
    let next = match error {
        CompileError::Model(ModelError::Unsupported(_)) => {
            "replace these nodes by supported operators and export again"
        }
        CompileError::Model(ModelError::Opset(_)) => "export the model again with operator set 17",
        CompileError::Model(ModelError::Malformed(_)) => "check that this is an ONNX file and complete",
        CompileError::Calibration { .. } => "give samples in the model's shapes; `assay inspect MODEL.onnx` shows them",
        CompileError::Batch | CompileError::Bits(_) | CompileError::Width { .. } => "see `assay compile --help`",
        CompileError::Pattern { .. } => "see the names of the nodes with `assay inspect MODEL.onnx`",
        CompileError::DivisionByZero { .. } => "check the calibration inputs, or keep the divisor away from zero",
        CompileError::NotFinite { .. } => "check the calibration inputs, or the model",
        CompileError::Range { .. } => "give calibration inputs like those in use, or fewer bits",
        _ => "mend the model and export it again",
    };
    match error {
        CompileError::Model(ModelError::File { .. }) => problem(error, next),
        _ => problem(format!("{}: {error}", path.display()), next),
    }
}

fn show(answer: &Answer<'_>, elapsed: Duration, output: &Output) {
    output
        .field("circuit", format_args!("{} ({})", answer.file.display(), output::bytes(answer.file_size_bytes as u64)));
    output.field("  digest", &answer.circuit);
    output.field("  key", &answer.key);
    output.field("compiled in", output::duration(elapsed));
    show_report(answer.report, output);
    output.line("");
    output.field("next", format_args!("assay key {}", answer.file.display()));
    output.field("", format_args!("assay prove {} --input IN --proof OUT", answer.file.display()));
}

/// Shows a compiler's report.
pub fn show_report(report: &Report, output: &Output) {
    let operators: Vec<String> = report.operators.iter().map(|(name, count)| format!("{name} {count}")).collect();
    output.heading("Model");
    output.field("operators", operators.join(", "));
    output.field("parameters", grouped(report.parameters));
    output.field(
        "circuit",
        format_args!(
            "{} nodes, {} cells, {} table entries; activations of {} bits in limbs of {}",
            grouped(report.nodes),
            grouped(report.size.cells),
            grouped(report.size.table_entries),
            report.bits,
            report.limb_bits
        ),
    );
    for Width { pattern, bits } in &report.widths {
        output.field("", format_args!("activations of {bits} bits in {pattern}"));
    }
    output.heading("Accuracy against the float model");
    match report.calibration {
        Calibration::Given { samples } => output.field("calibration", format_args!("{samples} samples")),
        Calibration::Synthetic { samples } => output.field(
            "calibration",
            format_args!(
                "NONE GIVEN: scales come from {samples} samples of random numbers, which is worth little. \
                 Real inputs may lose accuracy or be refused, and the figures below do not speak of them. \
                 Give samples with --calibrate."
            ),
        ),
    }
    let accuracy = &report.accuracy;
    if let Some(share) = accuracy.top1_agreement {
        output.field("same answer", format_args!("{:.2} % in {} samples", share * 100.0, accuracy.samples));
    }
    output.field(
        "error",
        format_args!(
            "mean {:.2e}, largest {:.2e}; mean is {:.4} % of the output range",
            accuracy.mean_error,
            accuracy.max_error,
            accuracy.relative_mean_error() * 100.0
        ),
    );
    for (place, TensorError { name, share }) in report.worst.iter().enumerate() {
        let label = if place == 0 { "worst inside" } else { "" };
        output.field(label, format_args!("{} is off by {:.4} % of its range", name.escape_debug(), share * 100.0));
    }
    output.heading("Predicted cost of a proof");
    let prediction = &report.prediction;
    output.field("time", output::duration(Duration::from_secs_f64(prediction.prove_duration_ms.max(0.0) / 1e3)));
    output.field("memory", output::bytes(prediction.memory_bytes));
    output.field("proof size", output::bytes(prediction.proof_size_bytes));
}
