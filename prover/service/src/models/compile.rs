//! From an uploaded ONNX file to a circuit's file, and the dry run of it that tells whether a model can be proven and what that takes.
use assay_circuits::io::{self, Kind};
use assay_circuits::onnx::NoExternalData;
use assay_circuits::report::Report;
use assay_circuits::{CompileError, CompileOptions, Compiled, InputError, Model, compile};
use assay_prover::file::CircuitFile;
use assay_prover::sumcheck::ProveError;
use thiserror::Error;

/// Why a model is not compiled.
#[derive(Debug, Error)]
pub enum CheckError {
    /// The model, or its samples.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// Sample inputs.
    #[error(transparent)]
    Samples(#[from] InputError),
    /// An encoding of samples that is not known.
    #[error("{0:?} is neither npz, npy nor json")]
    Encoding(String),
    /// The circuit is too large to be committed to.
    #[error(transparent)]
    Commit(#[from] ProveError),
}

/// What to compile, and how.
pub struct Checked<'a> {
    /// The ONNX file.
    pub model: &'a [u8],
    /// Sample inputs and their encoding.
    pub calibration: Option<(&'a [u8], &'a str)>,
    /// Bits of activations.
    pub bits: u8,
    /// The batch where the model leaves it open.
    pub batch: u32,
}

/// Compiles without committing: accuracy and predictions.
///
/// # Errors
/// It cannot be compiled.
pub fn check(wanted: &Checked<'_>) -> Result<Report, CheckError> {
    Ok(compiled(wanted)?.report)
}

/// Compiles and commits.
///
/// # Errors
/// It cannot be compiled, or is too large.
pub fn file(wanted: &Checked<'_>) -> Result<CircuitFile, CheckError> {
    let Compiled { circuit, weights, report } = compiled(wanted)?;
    Ok(CircuitFile::new(circuit, weights, report)?)
}

fn compiled(wanted: &Checked<'_>) -> Result<Compiled, CheckError> {
    let model = Model::from_bytes(wanted.model, &NoExternalData).map_err(CompileError::from)?;
    let mut options = CompileOptions { bits: wanted.bits, batch: wanted.batch, ..CompileOptions::default() };
    if let Some((bytes, encoding)) = wanted.calibration {
        let kind = match encoding {
            "npz" => Kind::Npz,
            "npy" => Kind::Npy,
            "json" => Kind::Json,
            other => return Err(CheckError::Encoding(other.into())),
        };
        let declared = model.inputs(wanted.batch).map_err(CompileError::from)?;
        let mut tensors = io::decode(bytes, kind)?;
        // An archive of test data has labels beside the inputs.
        if declared.len() == 1 && tensors.iter().any(|(name, _)| name.as_deref() == Some("inputs")) {
            tensors.retain(|(name, _)| name.as_deref() == Some("inputs"));
        }
        options.calibration = Some(io::samples(tensors, &declared)?);
    }
    Ok(compile(&model, &options, &|_, _| {})?)
}
