//! NumPy's `.npy` and `.npz`: little-endian numbers in C order.
use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::FileTensor;
use crate::error::InputError;
use crate::tensor::{Tensor, elements};

/// Most arrays in an archive.
const ARRAYS_MAX: usize = 256;
/// Largest array in bytes, unpacked.
const ARRAY_BYTES_MAX: u64 = 1 << 31;

/// Decodes one array.
pub(super) fn decode(name: &str, bytes: &[u8]) -> Result<Tensor, InputError> {
    let fail = |reason| InputError::Malformed { tensor: name.into(), reason };
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or_else(|| fail("not a NumPy array"))?;
    let (&[major, _], rest) = rest.split_first_chunk::<2>().ok_or_else(|| fail("cut off"))?;
    let (length, rest) = if major == 1 {
        let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(|| fail("cut off"))?;
        (u16::from_le_bytes(*length) as usize, rest)
    } else {
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(|| fail("cut off"))?;
        (u32::from_le_bytes(*length) as usize, rest)
    };
    let (header, data) = rest.split_at_checked(length).ok_or_else(|| fail("cut off"))?;
    let header = core::str::from_utf8(header).map_err(|_| fail("header is not text"))?;
    let dims = shape(header).ok_or_else(|| fail("no shape in the header"))?;
    let count = elements(&dims).ok_or_else(|| fail("too large"))?;
    let field = |key: &str| header.split_once(key).map(|(_, rest)| rest.trim_start_matches([' ', ':']));
    if field("'fortran_order'").is_none_or(|order| !order.starts_with("False")) {
        return Err(fail("not in C order"));
    }
    let kind = field("'descr'").and_then(|kind| kind.split('\'').nth(1)).ok_or_else(|| fail("no element type"))?;
    let values = numbers(kind, data).ok_or_else(|| fail("an element type that is not supported"))?.map_err(fail)?;
    if values.len() != count {
        return Err(fail("the data does not fit the shape"));
    }
    Ok(Tensor { dims, values })
}

/// The numbers of an element type; nothing if the type is not supported.
fn numbers(kind: &str, data: &[u8]) -> Option<Result<Vec<f64>, &'static str>> {
    fn each<const N: usize>(data: &[u8], value: impl Fn([u8; N]) -> f64) -> Result<Vec<f64>, &'static str> {
        let (chunks, rest) = data.as_chunks();
        if rest.is_empty() { Ok(chunks.iter().map(|&chunk| value(chunk)).collect()) } else { Err("cut off") }
    }
    Some(match kind {
        "<f4" => each(data, |bytes| f32::from_le_bytes(bytes).into()),
        "<f8" => each(data, f64::from_le_bytes),
        "<i8" => each(data, |bytes| i64::from_le_bytes(bytes) as f64),
        "<i4" => each(data, |bytes| i32::from_le_bytes(bytes).into()),
        "<i2" => each(data, |bytes| i16::from_le_bytes(bytes).into()),
        "|i1" => each(data, |bytes| i8::from_le_bytes(bytes).into()),
        "|u1" | "|b1" => each(data, |[byte]| byte.into()),
        _ => return None,
    })
}

/// The shape in a header such as `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
fn shape(header: &str) -> Option<Vec<u32>> {
    let (_, rest) = header.split_once("'shape'")?;
    let (_, rest) = rest.split_once('(')?;
    let (list, _) = rest.split_once(')')?;
    list.split(',').map(str::trim).filter(|dim| !dim.is_empty()).map(|dim| dim.parse().ok()).collect()
}

/// Decodes an archive of arrays.
pub(super) fn decode_archive(bytes: &[u8]) -> Result<Vec<FileTensor>, InputError> {
    let fail = |tensor: &str, reason| InputError::Malformed { tensor: tensor.into(), reason };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| fail("file", "not a zip archive"))?;
    if archive.len() > ARRAYS_MAX {
        return Err(fail("file", "too many arrays"));
    }
    let mut tensors = Vec::new();
    for place in 0..archive.len() {
        let mut entry = archive.by_index(place).map_err(|_| fail("file", "a malformed entry"))?;
        let name = entry.name().strip_suffix(".npy").unwrap_or(entry.name()).to_owned();
        let mut data = Vec::new();
        let limited = entry.by_ref().take(ARRAY_BYTES_MAX).read_to_end(&mut data);
        limited.map_err(|_| fail(&name, "does not unpack"))?;
        tensors.push((Some(name.clone()), decode(&name, &data)?));
    }
    Ok(tensors)
}
