//! Tensors in requests and answers: a name, an element type, a shape, and values as JSON numbers or as base64 of little-endian bytes.
//!
//! In an answer the integers that the proof speaks of stand beside how they read as reals; nothing is rounded on the way.
use assay_circuits::InputError;
use assay_circuits::NamedTensors;
use assay_circuits::io;
use assay_circuits::tensor::Tensor;
use assay_verifier::circuit::{CheckedCircuit, Port};
use assay_verifier::reals::Reals;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::request::RequestError;
use crate::models::FloatPort;

/// Most axes of a tensor.
const AXES_MAX: usize = 16;

/// An element type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// 32-bit floating point.
    F32,
    /// 64-bit floating point.
    F64,
    /// 8-bit integers.
    I8,
    /// 16-bit integers.
    I16,
    /// 32-bit integers.
    I32,
    /// 64-bit integers.
    I64,
    /// Unsigned bytes.
    U8,
    /// Truth values, one byte each.
    Bool,
}

/// Values of a tensor, row-major.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Data {
    /// JSON numbers.
    Numbers(Vec<f64>),
    /// Base64 of little-endian bytes.
    Base64(String),
    /// The numbers that a record of fetched data took out.
    Record {
        /// The record's digest.
        record: String,
    },
}

/// A tensor of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TensorIn {
    /// Name of the model's input.
    pub name: String,
    /// Element type; what JSON numbers are read as as well.
    pub dtype: Dtype,
    /// Shape.
    pub shape: Vec<u32>,
    /// Values.
    pub data: Data,
}

/// A tensor of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TensorOut {
    /// Name of the model's output.
    pub name: String,
    /// Shape.
    pub shape: Vec<u32>,
    /// The integers that the proof speaks of, of a model that is a circuit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integers: Option<Vec<i64>>,
    /// A real value is `integer * 2^-scale`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<i8>,
    /// The same as reals; of a model that is evaluated in floating point, its answer.
    pub data: Vec<f64>,
}

/// The tensors of an answer.
pub type Outputs = Vec<TensorOut>;

impl Dtype {
    fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 | Self::Bool => 1,
            Self::I16 => 2,
            Self::F32 | Self::I32 => 4,
            Self::F64 | Self::I64 => 8,
        }
    }

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::U8 => "u8",
            Self::Bool => "bool",
        }
    }

    /// Reads one element from its bytes.
    fn read(self, bytes: &[u8]) -> Option<f64> {
        Some(match self {
            Self::F32 => f32::from_le_bytes(bytes.try_into().ok()?).into(),
            Self::F64 => f64::from_le_bytes(bytes.try_into().ok()?),
            Self::I8 => i8::from_le_bytes(bytes.try_into().ok()?).into(),
            Self::I16 => i16::from_le_bytes(bytes.try_into().ok()?).into(),
            Self::I32 => i32::from_le_bytes(bytes.try_into().ok()?).into(),
            Self::I64 => exact(i64::from_le_bytes(bytes.try_into().ok()?))?,
            Self::U8 => (*bytes.first()?).into(),
            Self::Bool => match bytes.first()? {
                0 => 0.0,
                1 => 1.0,
                _ => return None,
            },
        })
    }

    /// Whether a JSON number is a value of the type.
    fn holds(self, value: f64) -> bool {
        let within = |low: f64, high: f64| value.fract() == 0.0 && (low..=high).contains(&value);
        match self {
            Self::F32 => value.is_finite() && value.abs() <= f64::from(f32::MAX),
            Self::F64 => value.is_finite(),
            Self::I8 => within(i8::MIN.into(), i8::MAX.into()),
            Self::I16 => within(i16::MIN.into(), i16::MAX.into()),
            Self::I32 => within(i32::MIN.into(), i32::MAX.into()),
            Self::I64 => within(-EXACT_MAX, EXACT_MAX),
            Self::U8 => within(0.0, u8::MAX.into()),
            Self::Bool => within(0.0, 1.0),
        }
    }
}

/// Integers up to here are exact as JSON numbers.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// An integer as a real, if that is exact. Integers of inputs are far smaller.
fn exact(value: i64) -> Option<f64> {
    let real = value as f64;
    (real.abs() <= EXACT_MAX).then_some(real)
}

impl TensorIn {
    fn fault(&self, reason: impl Into<String>) -> RequestError {
        RequestError::Tensor { name: self.name.clone(), reason: reason.into() }
    }

    /// The values as reals.
    fn tensor(&self) -> Result<Tensor, RequestError> {
        if self.shape.len() > AXES_MAX {
            return Err(self.fault(format!("a shape of more than {AXES_MAX} axes")));
        }
        let count = self.shape.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim as usize));
        let count = count.ok_or_else(|| self.fault("a shape that is too large"))?;
        let values = match &self.data {
            Data::Numbers(numbers) => {
                if let Some(place) = numbers.iter().position(|&value| !self.dtype.holds(value)) {
                    return Err(self.fault(format!("value {place} is no {}", self.dtype.name())));
                }
                // What is named f32 is f32, however many digits JSON has.
                let narrow = |&value: &f64| if self.dtype == Dtype::F32 { f64::from(value as f32) } else { value };
                numbers.iter().map(narrow).collect::<Vec<_>>()
            }
            Data::Record { .. } => return Err(self.fault("its record was not read")),
            Data::Base64(text) => {
                let bytes = BASE64.decode(text).map_err(|_| self.fault("data is not base64"))?;
                let elements = bytes.chunks_exact(self.dtype.size());
                if !elements.remainder().is_empty() {
                    return Err(self.fault(format!(
                        "{} bytes are no whole number of {}",
                        bytes.len(),
                        self.dtype.name()
                    )));
                }
                let read = |(place, bytes)| {
                    self.dtype
                        .read(bytes)
                        .ok_or_else(|| self.fault(format!("value {place} is no {}", self.dtype.name())))
                };
                elements.enumerate().map(read).collect::<Result<_, _>>()?
            }
        };
        if values.len() != count {
            return Err(self.fault(format!("{} values for a shape of {count}", values.len())));
        }
        Ok(Tensor { dims: self.shape.clone(), values })
    }
}

/// Integers of each input of a circuit, in the order of its ports.
///
/// # Errors
/// Inputs are missing, unknown, twice, of another shape, not finite or out of range; the error names the input.
pub fn integers(circuit: &CheckedCircuit, inputs: &[TensorIn]) -> Result<Vec<Vec<i64>>, RequestError> {
    let ports = &circuit.circuit().inputs;
    let names: Vec<&str> = ports.iter().map(|port| port.name.as_str()).collect();
    let named = named(&names, inputs)?;
    let quantised = |port: &Port| {
        let missing = || RequestError::Input(InputError::Missing(port.name.clone()));
        let tensor = named.get(&port.name).ok_or_else(missing)?;
        let range = circuit.range(port.node).ok_or_else(missing)?;
        Ok(io::quantize(port, range, tensor)?)
    };
    ports.iter().map(quantised).collect()
}

/// Reals of each input of a model that is evaluated in floating point, in its order.
///
/// # Errors
/// Inputs are missing, unknown, twice or malformed; the error names the input. Whether they fit the model its evaluation says.
pub fn reals(ports: &[FloatPort], inputs: &[TensorIn]) -> Result<Vec<Reals>, RequestError> {
    let names: Vec<&str> = ports.iter().map(|port| port.name.as_str()).collect();
    let named = named(&names, inputs)?;
    let read = |name: &&str| {
        let missing = || RequestError::Input(InputError::Missing((*name).into()));
        let Tensor { dims, values } = named.get(*name).ok_or_else(missing)?;
        Ok(Reals::new(dims.clone(), values))
    };
    names.iter().map(read).collect()
}

/// Tensors of a request by their names, all of which the model has.
fn named(names: &[&str], inputs: &[TensorIn]) -> Result<NamedTensors, RequestError> {
    let mut named = NamedTensors::new();
    for input in inputs {
        if !names.contains(&input.name.as_str()) {
            return Err(input.fault(format!("the model has no such input; it has {}", names.join(", "))));
        }
        if named.insert(input.name.clone(), input.tensor()?).is_some() {
            return Err(input.fault("it is there twice"));
        }
    }
    Ok(named)
}

/// An answer in floating point.
pub fn answer(ports: &[FloatPort], outputs: &[Reals]) -> Outputs {
    let shown = |(port, reals): (&FloatPort, &Reals)| TensorOut {
        name: port.name.clone(),
        shape: reals.dims.clone(),
        integers: None,
        scale: None,
        data: reals.values().collect(),
    };
    ports.iter().zip(outputs).map(shown).collect()
}

/// Outputs as they are answered.
pub fn outputs(ports: &[Port], integers: &[Vec<i64>]) -> Outputs {
    let shown = |(port, integers): (&Port, &Vec<i64>)| TensorOut {
        name: port.name.clone(),
        shape: port.dims.clone(),
        integers: Some(integers.clone()),
        scale: Some(port.scale),
        data: io::dequantize(port, integers).values,
    };
    ports.iter().zip(integers).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Dtype; 8] =
        [Dtype::F32, Dtype::F64, Dtype::I8, Dtype::I16, Dtype::I32, Dtype::I64, Dtype::U8, Dtype::Bool];

    fn tensor(dtype: Dtype, shape: Vec<u32>, data: Data) -> TensorIn {
        TensorIn { name: "x".into(), dtype, shape, data }
    }

    #[test]
    fn what_is_no_value_of_its_type_is_refused() {
        let refused = |dtype, value| tensor(dtype, vec![1], Data::Numbers(vec![value])).tensor().is_err();
        assert!(refused(Dtype::U8, 256.0) && refused(Dtype::U8, -1.0) && refused(Dtype::U8, 0.5));
        assert!(refused(Dtype::I8, 128.0) && refused(Dtype::Bool, 2.0) && refused(Dtype::I64, 1e17));
        assert!(refused(Dtype::F32, 1e39) && refused(Dtype::F64, f64::NAN) && refused(Dtype::F64, f64::INFINITY));
        assert!(tensor(Dtype::F32, vec![2], Data::Numbers(vec![1.0])).tensor().is_err());
        assert!(tensor(Dtype::F32, vec![1], Data::Base64("AAA=".into())).tensor().is_err());
        assert!(tensor(Dtype::F32, vec![1], Data::Base64("!".into())).tensor().is_err());
        assert!(tensor(Dtype::F32, vec![u32::MAX; 16], Data::Numbers(vec![])).tensor().is_err());
        assert!(tensor(Dtype::F32, vec![0; 17], Data::Numbers(vec![])).tensor().is_err());
        assert!(tensor(Dtype::Bool, vec![1], Data::Base64("Ag==".into())).tensor().is_err());
    }

    proptest! {
        /// What the service reads of a request is what an auditor reads of it.
        #[test]
        fn an_auditor_reads_the_same(dtype in prop::sample::select(&ALL), bytes in proptest::collection::vec(any::<u8>(), 0..32), number in -200.0..300.0f64) {
            let count = (bytes.len() / dtype.size()) as u32;
            let given = [
                tensor(dtype, vec![count], Data::Base64(BASE64.encode(&bytes))),
                tensor(dtype, vec![1], Data::Numbers(vec![number])),
                tensor(dtype, vec![1], Data::Numbers(vec![number.round()])),
            ];
            for tensor in given {
                let Ok(read) = tensor.tensor() else { continue };
                let body = serde_json::to_vec(&serde_json::json!({ "model": "m", "inputs": [tensor] })).unwrap();
                let audited = assay_auditor::request::tensors(&body).unwrap();
                prop_assert_eq!(&audited[0].shape, &read.dims);
                // Not a number is a number to neither.
                let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(bits(&audited[0].values), bits(&read.values));
            }
        }

        #[test]
        fn bytes_and_numbers_say_the_same(values in proptest::collection::vec(any::<f32>().prop_filter("finite", |v| v.is_finite()), 0..40)) {
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            let shape = vec![values.len() as u32];
            let numbers = Data::Numbers(values.iter().map(|&value| f64::from(value)).collect());
            let by_bytes = tensor(Dtype::F32, shape.clone(), Data::Base64(BASE64.encode(bytes))).tensor().unwrap();
            let by_numbers = tensor(Dtype::F32, shape, numbers).tensor().unwrap();
            prop_assert_eq!(by_bytes.values, by_numbers.values);
        }
    }
}
