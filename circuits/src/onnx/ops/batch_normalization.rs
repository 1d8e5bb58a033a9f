//! `BatchNormalization` at inference: a factor and a summand for each channel.
use super::{Call, Fault, Value};
use crate::graph::{Bias, Combine, Kind, Term, identity};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    if call.outputs > 1 || call.attributes.flag("training_mode", false)? {
        return Err(Fault::Unsupported("training mode".into()));
    }
    let x = call.node(0)?;
    let dims = call.dims(0)?;
    let epsilon = call.attributes.float("epsilon", 1e-5)?;
    let channels = *dims.get(1).ok_or_else(|| Fault::Shapes(vec![dims.clone()]))? as usize;
    let parameter = |input: usize| -> Result<Vec<f64>, Fault> {
        let tensor = call.constant(input)?;
        if tensor.values.len() == channels {
            Ok(tensor.values.clone())
        } else {
            Err(Fault::Shapes(vec![dims.clone(), tensor.dims.clone()]))
        }
    };
    let (scale, shift, mean, variance) = (parameter(1)?, parameter(2)?, parameter(3)?, parameter(4)?);
    let weights: Vec<f64> =
        scale.iter().zip(&variance).map(|(scale, variance)| scale / libm::sqrt(variance + epsilon)).collect();
    if weights.iter().any(|weight| !weight.is_finite()) {
        return Err(Fault::InputValue(4));
    }
    let values =
        shift.iter().zip(mean.iter().zip(&weights)).map(|(shift, (mean, weight))| shift - mean * weight).collect();
    let terms = vec![Term::Weighted { over: vec![1], weights, view: identity(x, &dims) }];
    let bias = Some(Bias { over: vec![1], values });
    call.result(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias }))
}
