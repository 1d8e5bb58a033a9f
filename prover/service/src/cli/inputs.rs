//! Input files: reading samples for a circuit, choosing one, and turning it into integers.
use std::path::{Path, PathBuf};

use anyhow::Result;
use assay_circuits::InputError;
use assay_circuits::io::{self, Kind, NamedTensors};
use assay_circuits::onnx::Declaration;
use assay_verifier::circuit::{CheckedCircuit, Port};
use clap::Args;

use super::files;
use super::output::Output;
use super::problem::problem;

/// The options that name an input.
#[derive(Args)]
pub struct InputArguments {
    /// Input values: JSON (`{"input_data": [[..]]}` or tensors by name), .npy or .npz
    #[arg(long, short, value_name = "FILE")]
    pub input: PathBuf,
    /// Which sample of the file to take, from 0 on
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub sample: usize,
}

impl InputArguments {
    /// Integers for each input port of a circuit, in the order of the model's own axes.
    pub fn integers(&self, checked: &CheckedCircuit, output: &Output) -> Result<Vec<Vec<i64>>> {
        let ports = &checked.circuit().inputs;
        let declarations: Vec<Declaration> =
            ports.iter().map(|port| Declaration::new(&port.name, port.dims.clone())).collect();
        let mut samples = read(&self.input, &declarations)?;
        let path = self.input.display();
        let count = samples.len();
        if self.sample >= count {
            let what = format!("--sample {}: {path} has {count} samples", self.sample);
            return Err(problem(what, format!("choose one from 0 to {}", count - 1)));
        }
        if count > 1 {
            output.note(format_args!("{path} has {count} samples; this is sample {} (--sample N)", self.sample));
        }
        quantize(checked, &samples.swap_remove(self.sample)).map_err(|error| refused(&self.input, &error))
    }
}

/// Reads the samples of a file.
pub fn read(path: &Path, inputs: &[Declaration]) -> Result<Vec<NamedTensors>> {
    let fail = |error: InputError| refused(path, &error);
    let kind = Kind::of(path).map_err(fail)?;
    let bytes = files::read(path)?;
    io::decode(&bytes, kind).and_then(|tensors| io::samples(tensors, inputs)).map_err(fail)
}

/// A sample's integers, for each input port.
pub fn quantize(checked: &CheckedCircuit, sample: &NamedTensors) -> Result<Vec<Vec<i64>>, InputError> {
    let port = |port: &Port| {
        let missing = || InputError::Missing(port.name.clone());
        let tensor = sample.get(&port.name).ok_or_else(missing)?;
        io::quantize(port, checked.range(port.node).ok_or_else(missing)?, tensor)
    };
    checked.circuit().inputs.iter().map(port).collect()
}

fn refused(path: &Path, error: &InputError) -> anyhow::Error {
    let next = match error {
        InputError::Kind(_) => "convert the inputs to one of these",
        InputError::Range { .. } => {
            "give a smaller value, or compile again with calibration inputs that reach this far"
        }
        InputError::Malformed { .. } => "write numbers as nested lists (JSON) or as float32 in C order (NumPy)",
        InputError::NotFinite { .. } => "replace the value by a finite number",
        _ => "give one tensor for each input, by name; `assay inspect` shows names and shapes",
    };
    match error {
        InputError::Kind(_) | InputError::File { .. } => problem(error, next),
        _ => problem(format!("{}: {error}", path.display()), next),
    }
}
