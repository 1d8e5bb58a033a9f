//! Checks calibration samples against the model.
use std::collections::BTreeMap;

use crate::error::{CompileError, InputError};
use crate::graph::Element;
use crate::io::NamedTensors;
use crate::onnx::Declaration;

/// Every sample has every input in its shape, with finite values of its type. `rows` are the numbers of rows of tables
/// by the input that chooses from them.
pub fn check_samples(
    samples: &[NamedTensors],
    inputs: &[Declaration],
    rows: &BTreeMap<String, u32>,
) -> Result<(), CompileError> {
    if samples.is_empty() {
        return Err(CompileError::Calibration { sample: 0, fault: InputError::Empty });
    }
    for (number, sample) in samples.iter().enumerate() {
        let fail = |fault| CompileError::Calibration { sample: number, fault };
        for input in inputs {
            let tensor = sample.get(&input.name).ok_or_else(|| fail(InputError::Missing(input.name.clone())))?;
            let count = tensor.dims.iter().map(|&dim| u64::from(dim)).product::<u64>();
            if tensor.dims != input.dims || tensor.values.len() as u64 != count {
                let (expected, actual) = (input.dims.clone(), tensor.dims.clone());
                return Err(fail(InputError::Shape { input: input.name.clone(), expected, actual }));
            }
            if let Some(position) = tensor.values.iter().position(|value| !value.is_finite()) {
                return Err(fail(InputError::NotFinite { input: input.name.clone(), position }));
            }
            check_type(input, &tensor.values).map_err(fail)?;
            if let Some(&rows) = rows.get(&input.name) {
                check_rows(&input.name, &tensor.values, rows).map_err(fail)?;
            }
        }
        if let Some(name) = sample.keys().find(|name| !inputs.iter().any(|input| input.name == **name)) {
            return Err(fail(InputError::Unknown(name.clone())));
        }
    }
    Ok(())
}

/// Whole numbers and truth values are what their types say.
fn check_type(input: &Declaration, values: &[f64]) -> Result<(), InputError> {
    let Element::Whole { low, high } = input.element else { return Ok(()) };
    let fits = |value: f64| value == libm::trunc(value) && value >= low as f64 && value <= high as f64;
    let expected = if input.element == Element::BOOLEAN { "0 or 1" } else { "a whole number of its type" };
    match values.iter().position(|&value| !fits(value)) {
        None => Ok(()),
        Some(position) => {
            Err(InputError::Type { input: input.name.clone(), position, value: values[position], expected })
        }
    }
}

/// Each number chooses a row of the table.
fn check_rows(input: &str, values: &[f64], rows: u32) -> Result<(), InputError> {
    match values.iter().position(|&value| value < 0.0 || value >= f64::from(rows)) {
        None => Ok(()),
        Some(position) => Err(InputError::Row { input: input.into(), position, value: values[position], rows }),
    }
}
