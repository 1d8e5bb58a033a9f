//! Decodes ONNX's constants: typed fields, raw bytes or another file, in any of the element types that models use.
use super::external::ExternalData;
use super::proto::TensorProto;
use crate::error::{ExternalFault, TensorFault};
use crate::tensor::{Tensor, elements};

/// ONNX's numbers of the element types.
pub(super) mod kind {
    pub const FLOAT: i32 = 1;
    pub const UINT8: i32 = 2;
    pub const INT8: i32 = 3;
    pub const UINT16: i32 = 4;
    pub const INT16: i32 = 5;
    pub const INT32: i32 = 6;
    pub const INT64: i32 = 7;
    pub const BOOL: i32 = 9;
    pub const FLOAT16: i32 = 10;
    pub const DOUBLE: i32 = 11;
    pub const UINT32: i32 = 12;
    pub const UINT64: i32 = 13;
    pub const BFLOAT16: i32 = 16;
}

/// Decodes a constant.
///
/// # Errors
/// A shape that is negative or too large, a type that is not supported, missing or surplus data, values that are no
/// numbers.
pub fn decode(proto: &TensorProto, external: &dyn ExternalData) -> Result<Tensor, TensorFault> {
    let shape_fault = || TensorFault::Shape(proto.dims.clone());
    let dims: Vec<u32> =
        proto.dims.iter().map(|&dim| u32::try_from(dim)).collect::<Result<_, _>>().map_err(|_| shape_fault())?;
    let count = elements(&dims).ok_or_else(shape_fault)?;
    let width = width(proto.data_type)?;
    let values = if proto.data_location == 1 {
        let bytes = read_external(proto, count * width, external)?;
        from_bytes(proto.data_type, &bytes)
    } else if let Some(raw) = &proto.raw_data {
        if raw.len() != count * width {
            return Err(TensorFault::Length { expected: (count * width) as u64, actual: raw.len() as u64 });
        }
        from_bytes(proto.data_type, raw)
    } else {
        typed(proto)
    };
    if values.len() != count {
        return Err(TensorFault::Length { expected: count as u64, actual: values.len() as u64 });
    }
    match values.iter().position(|value| value.is_nan()) {
        Some(position) => Err(TensorFault::NotFinite(position)),
        None => Ok(Tensor { dims, values: values.into_iter().map(bounded).collect() }),
    }
}

/// The largest 32-bit float.
pub(super) const LARGEST: f64 = f32::MAX as f64;

/// Masks are written as infinities or as the largest floats, which means the same.
fn bounded(value: f64) -> f64 {
    if value.is_infinite() { LARGEST.copysign(value) } else { value }
}

/// Bytes of one element.
fn width(data_type: i32) -> Result<usize, TensorFault> {
    match data_type {
        kind::UINT8 | kind::INT8 | kind::BOOL => Ok(1),
        kind::INT16 | kind::UINT16 | kind::FLOAT16 | kind::BFLOAT16 => Ok(2),
        kind::FLOAT | kind::INT32 | kind::UINT32 => Ok(4),
        kind::INT64 | kind::UINT64 | kind::DOUBLE => Ok(8),
        other => Err(TensorFault::Type(other)),
    }
}

/// Values of the typed fields; small types share the field of 32-bit integers.
fn typed(proto: &TensorProto) -> Vec<f64> {
    match proto.data_type {
        kind::FLOAT => proto.float_data.iter().map(|&value| value.into()).collect(),
        kind::DOUBLE => proto.double_data.clone(),
        kind::INT64 => proto.int64_data.iter().map(|&value| value as f64).collect(),
        kind::UINT32 | kind::UINT64 => proto.uint64_data.iter().map(|&value| value as f64).collect(),
        kind::FLOAT16 => proto.int32_data.iter().map(|&bits| half(bits as u16)).collect(),
        kind::BFLOAT16 => proto.int32_data.iter().map(|&bits| bfloat(bits as u16)).collect(),
        _ => proto.int32_data.iter().map(|&value| value.into()).collect(),
    }
}

/// Values of little-endian bytes, whose length is a multiple of the element's.
fn from_bytes(data_type: i32, bytes: &[u8]) -> Vec<f64> {
    fn each<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        bytes.as_chunks().0.iter().map(|&chunk| value(chunk)).collect()
    }
    match data_type {
        kind::FLOAT => each(bytes, |bytes| f32::from_le_bytes(bytes).into()),
        kind::DOUBLE => each(bytes, f64::from_le_bytes),
        kind::INT64 => each(bytes, |bytes| i64::from_le_bytes(bytes) as f64),
        kind::INT32 => each(bytes, |bytes| i32::from_le_bytes(bytes).into()),
        kind::INT16 => each(bytes, |bytes| i16::from_le_bytes(bytes).into()),
        kind::UINT16 => each(bytes, |bytes| u16::from_le_bytes(bytes).into()),
        kind::UINT32 => each(bytes, |bytes| u32::from_le_bytes(bytes).into()),
        kind::UINT64 => each(bytes, |bytes| u64::from_le_bytes(bytes) as f64),
        kind::INT8 => each(bytes, |bytes| i8::from_le_bytes(bytes).into()),
        kind::FLOAT16 => each(bytes, |bytes| half(u16::from_le_bytes(bytes))),
        kind::BFLOAT16 => each(bytes, |bytes| bfloat(u16::from_le_bytes(bytes))),
        _ => each(bytes, |[byte]| byte.into()),
    }
}

/// A number of 16 bits as IEEE 754 defines it.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    sign * match exponent {
        0 => fraction / 16_777_216.0,
        31 => f64::NAN,
        _ => (1024.0 + fraction) / 1024.0 * libm::ldexp(1.0, exponent - 15),
    }
}

/// A number of 16 bits that is the upper half of a 32-bit one.
fn bfloat(bits: u16) -> f64 {
    f32::from_bits(u32::from(bits) << 16).into()
}

/// The tensor's part of another file.
fn read_external(proto: &TensorProto, expected: usize, external: &dyn ExternalData) -> Result<Vec<u8>, ExternalFault> {
    let entry = |key: &str| proto.external_data.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str());
    let number = |key: &str| -> Result<Option<u64>, ExternalFault> {
        entry(key).map(|value| value.parse().map_err(|_| ExternalFault::Extent)).transpose()
    };
    let location = entry("location").ok_or(ExternalFault::NoLocation)?;
    let offset = number("offset")?.unwrap_or(0);
    if number("length")?.is_some_and(|length| length != expected as u64) {
        return Err(ExternalFault::Extent);
    }
    let bytes = external.read(location, offset, expected)?;
    if bytes.len() == expected { Ok(bytes) } else { Err(ExternalFault::Short(location.into())) }
}
