//! Input and output values: files of tensors, samples for a model's inputs, and the step between reals and integers.
mod json;
mod npy;

use std::collections::BTreeMap;
use std::path::Path;

use assay_verifier::circuit::{Port, Range};

use crate::error::InputError;
use crate::onnx::Declaration;
use crate::quantize::power_of_two;
use crate::tensor::{Tensor, elements};

/// Values of a model's inputs (or outputs) by name: one sample.
pub type NamedTensors = BTreeMap<String, Tensor>;

/// Kinds of files that hold tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{"input_data": [[..]]}` in the order of the model's inputs, or `{"name": nested lists}`.
    Json,
    /// One NumPy array.
    Npy,
    /// NumPy arrays by name.
    Npz,
}

/// A tensor of a file; without a name it stands for the input at its place.
pub type FileTensor = (Option<String>, Tensor);

impl Kind {
    /// The kind that a file's name says.
    ///
    /// # Errors
    /// None that is known.
    pub fn of(path: &Path) -> Result<Self, InputError> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => Ok(Self::Json),
            Some("npy") => Ok(Self::Npy),
            Some("npz") => Ok(Self::Npz),
            _ => Err(InputError::Kind(path.display().to_string())),
        }
    }
}

/// Decodes a file of tensors.
///
/// # Errors
/// Malformed data, element types other than numbers, values that are not finite.
pub fn decode(bytes: &[u8], kind: Kind) -> Result<Vec<FileTensor>, InputError> {
    match kind {
        Kind::Json => json::decode(bytes),
        Kind::Npy => Ok(vec![(None, npy::decode("array", bytes)?)]),
        Kind::Npz => npy::decode_archive(bytes),
    }
}

/// Reads samples for a model's inputs from a file.
///
/// # Errors
/// The file cannot be read or does not hold values for the inputs.
pub fn read_inputs(path: &Path, inputs: &[Declaration]) -> Result<Vec<NamedTensors>, InputError> {
    let kind = Kind::of(path)?;
    let fail = |error: std::io::Error| InputError::File { path: path.display().to_string(), reason: error.to_string() };
    let bytes = std::fs::read(path).map_err(fail)?;
    samples(decode(&bytes, kind)?, inputs)
}

/// Cuts tensors into samples for a model's inputs. A tensor belongs to the input of its name; if the model has one
/// input, an unnamed tensor, one called `inputs` or `input`, or the only one. Its shape is the input's, or flat, or
/// has a first axis that is a multiple of the input's: then it holds several samples.
///
/// # Errors
/// A missing input, a shape that does not fit, or values that are not finite.
pub fn samples(tensors: Vec<FileTensor>, inputs: &[Declaration]) -> Result<Vec<NamedTensors>, InputError> {
    let mut all: Vec<NamedTensors> = Vec::new();
    for (place, input) in inputs.iter().enumerate() {
        let tensor = find(&tensors, inputs, place).ok_or_else(|| InputError::Missing(input.name.clone()))?;
        if let Some(position) = tensor.values.iter().position(|value| !value.is_finite()) {
            return Err(InputError::NotFinite { input: input.name.clone(), position });
        }
        let parts = parts(tensor, input)?;
        if place == 0 {
            all = parts.iter().map(|_| NamedTensors::new()).collect();
        }
        if parts.len() != all.len() {
            return Err(mismatch(tensor, input));
        }
        for (sample, values) in all.iter_mut().zip(parts) {
            sample.insert(input.name.clone(), Tensor { dims: input.dims.clone(), values });
        }
    }
    if all.is_empty() { Err(InputError::Empty) } else { Ok(all) }
}

fn find<'a>(tensors: &'a [FileTensor], inputs: &[Declaration], place: usize) -> Option<&'a Tensor> {
    let named =
        |wanted: &str| tensors.iter().find(|(name, _)| name.as_deref() == Some(wanted)).map(|(_, tensor)| tensor);
    let single = || match (inputs, tensors) {
        ([_], [(_, tensor)]) => Some(tensor),
        ([_], _) => named("inputs").or_else(|| named("input")),
        _ => None,
    };
    let unnamed = || tensors.iter().filter(|(name, _)| name.is_none()).nth(place).map(|(_, tensor)| tensor);
    named(&inputs[place].name).or_else(unnamed).or_else(single)
}

/// The samples in a tensor.
fn parts(tensor: &Tensor, input: &Declaration) -> Result<Vec<Vec<f64>>, InputError> {
    let length = elements(&input.dims).unwrap_or(0).max(1);
    let same = |dims: &[u32], input: &[u32]| {
        dims == input || dims.iter().filter(|&&dim| dim != 1).eq(input.iter().filter(|&&dim| dim != 1))
    };
    let batched = match (tensor.dims.split_first(), input.dims.split_first()) {
        (Some((&first, rest)), Some((&own, own_rest))) => rest == own_rest && own > 0 && first % own == 0 && first > 0,
        _ => false,
    };
    let flat = matches!(tensor.dims[..], [count] if count as usize == length);
    if same(&tensor.dims, &input.dims) || batched || flat {
        return Ok(tensor.values.chunks_exact(length).map(<[f64]>::to_vec).collect());
    }
    // Several samples of an input that has no batch axis.
    match tensor.dims.split_first() {
        Some((&count, rest)) if count > 0 && same(rest, &input.dims) => {
            Ok(tensor.values.chunks_exact(length).map(<[f64]>::to_vec).collect())
        }
        _ => Err(mismatch(tensor, input)),
    }
}

fn mismatch(tensor: &Tensor, input: &Declaration) -> InputError {
    InputError::Shape { input: input.name.clone(), expected: input.dims.clone(), actual: tensor.dims.clone() }
}

/// Real values to a port's integers, in the model's order.
///
/// # Errors
/// Another shape, values that are not finite or outside the range; the error names the value.
pub fn quantize(port: &Port, range: Range, tensor: &Tensor) -> Result<Vec<i64>, InputError> {
    let input = || port.name.clone();
    if tensor.dims != port.dims
        || tensor.values.len() as u64 != tensor.dims.iter().map(|&dim| u64::from(dim)).product::<u64>()
    {
        return Err(InputError::Shape { input: input(), expected: port.dims.clone(), actual: tensor.dims.clone() });
    }
    if let Some(position) = tensor.values.iter().position(|value| !value.is_finite()) {
        return Err(InputError::NotFinite { input: input(), position });
    }
    let factor = power_of_two(i32::from(port.scale));
    let quantised = |(position, &value): (usize, &f64)| {
        let (low, high) = (range.low as f64 / factor, range.high as f64 / factor);
        port.quantize(range, value).ok_or_else(|| InputError::Range { input: input(), position, value, low, high })
    };
    tensor.values.iter().enumerate().map(quantised).collect()
}

/// A port's integers to real values; both in the model's order.
pub fn dequantize(port: &Port, integers: &[i64]) -> Tensor {
    let factor = power_of_two(-i32::from(port.scale));
    Tensor { dims: port.dims.clone(), values: integers.iter().map(|&integer| integer as f64 * factor).collect() }
}
