//! The tensors of a request: the part of the service's JSON that an audit compares with what the model was given.
use assay_verifier::audit::RequestTensor;
use assay_verifier::digest::Digest32;
use assay_verifier::wire::Bytes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;

use super::numbers::Numbers;

/// A request, as far as it is read here.
#[derive(Deserialize)]
struct Request {
    inputs: Vec<Tensor>,
}

#[derive(Deserialize)]
struct Tensor {
    name: String,
    dtype: Dtype,
    shape: Vec<u32>,
    data: Data,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Dtype {
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    Bool,
}

/// Values, row-major.
#[derive(Deserialize)]
#[serde(untagged)]
enum Data {
    Numbers(Vec<f64>),
    /// Base64 of little-endian bytes.
    Base64(String),
    /// The numbers of a record, by its digest.
    Record {
        record: String,
    },
}

/// What is read of a request.
pub struct Read {
    /// The tensors; nothing if one of them is taken from a record that is not shown or has no numbers.
    pub tensors: Option<Vec<RequestTensor>>,
    /// The records that inputs are taken from, each once, in the order of the inputs.
    pub named: Vec<Digest32>,
}

/// The tensors of a request's bytes; nothing if they are not of the service's form, or if one of them is taken from a record.
pub fn tensors(request: &[u8]) -> Option<Vec<RequestTensor>> {
    read(request, &[])?.tensors
}

/// Reads a request's bytes, with the files of the records that it names; nothing if they are not of the service's form.
pub fn read(request: &[u8], records: &[Bytes]) -> Option<Read> {
    let Request { inputs } = serde_json::from_slice(request).ok()?;
    let mut named = Vec::new();
    for input in &inputs {
        let Data::Record { record } = &input.data else { continue };
        let digest = record.parse().ok()?;
        if !named.contains(&digest) {
            named.push(digest);
        }
    }
    let numbers = Numbers::of(records);
    Some(Read { tensors: inputs.into_iter().map(|input| input.read(&numbers)).collect(), named })
}

impl Tensor {
    fn read(self, records: &Numbers) -> Option<RequestTensor> {
        let Self { name, dtype, shape, data } = self;
        let data = match data {
            Data::Record { record } => Data::Numbers(records.get(record.parse().ok()?)?.to_vec()),
            data => data,
        };
        let values = match data {
            // What is named f32 is f32, however many digits JSON has.
            Data::Numbers(numbers) if dtype == Dtype::F32 => {
                numbers.into_iter().map(|value| f64::from(value as f32)).collect()
            }
            Data::Numbers(numbers) => numbers,
            Data::Base64(text) => dtype.all(&BASE64.decode(text).ok()?)?,
            Data::Record { .. } => return None,
        };
        Some(RequestTensor { name, shape, values })
    }
}

impl Dtype {
    fn all(self, bytes: &[u8]) -> Option<Vec<f64>> {
        fn each<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f64) -> Option<Vec<f64>> {
            let (elements, rest) = bytes.as_chunks();
            rest.is_empty().then(|| elements.iter().map(|element| read(*element)).collect())
        }
        match self {
            Self::F32 => each(bytes, |bytes| f32::from_le_bytes(bytes).into()),
            Self::F64 => each(bytes, f64::from_le_bytes),
            Self::I8 => each(bytes, |bytes| i8::from_le_bytes(bytes).into()),
            Self::I16 => each(bytes, |bytes| i16::from_le_bytes(bytes).into()),
            Self::I32 => each(bytes, |bytes| i32::from_le_bytes(bytes).into()),
            // The service takes integers that are exact as reals.
            Self::I64 => each(bytes, |bytes| i64::from_le_bytes(bytes) as f64),
            Self::U8 | Self::Bool => each(bytes, |[byte]| byte.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(dtype: &str, data: &str) -> Option<Vec<f64>> {
        let body = format!(
            r#"{{"model": "m", "inputs": [{{"name": "x", "dtype": "{dtype}", "shape": [1], "data": {data}}}], "nonce": "n"}}"#
        );
        Some(tensors(body.as_bytes())?.remove(0).values)
    }

    #[test]
    fn numbers_and_bytes_of_each_type() {
        assert_eq!(one("f32", "[0.1]"), Some(vec![f64::from(0.1f32)]));
        assert_eq!(one("f64", "[0.1]"), Some(vec![0.1]));
        for (dtype, bytes, value) in [
            ("f32", (-1.5f32).to_le_bytes().to_vec(), -1.5),
            ("f64", 0.1f64.to_le_bytes().to_vec(), 0.1),
            ("i8", vec![0xff], -1.0),
            ("i16", 256i16.to_le_bytes().to_vec(), 256.0),
            ("i32", (-7i32).to_le_bytes().to_vec(), -7.0),
            ("i64", 9i64.to_le_bytes().to_vec(), 9.0),
            ("u8", vec![0xff], 255.0),
            ("bool", vec![1], 1.0),
        ] {
            assert_eq!(one(dtype, &format!("{:?}", BASE64.encode(&bytes))), Some(vec![value]), "{dtype}");
            let long = [bytes.as_slice(), &[0]].concat();
            assert_eq!(one(dtype, &format!("{:?}", BASE64.encode(&long))).is_some(), bytes.len() == 1, "{dtype}");
        }
    }

    #[test]
    fn what_is_not_a_request_is_not_read() {
        for body in ["", "{}", "[]", r#"{"inputs": [], "inputs": []}"#, r#"{"inputs": [1]}"#] {
            assert_eq!(tensors(body.as_bytes()), None, "{body}");
        }
        assert_eq!(one("f16", "[1]"), None);
        assert_eq!(one("f32", "\"!\""), None);
        assert_eq!(one("f32", "[null]"), None);
    }
}
