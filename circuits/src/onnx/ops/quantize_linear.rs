//! `QuantizeLinear` and `DequantizeLinear`: models that keep integers of their own.
use super::{Call, Fault, Value, axis};
use crate::graph::{Element, Function, NodeId, Primitive};
use crate::onnx::types;
use crate::tensor::{Tensor, elements, strides};

/// Steps and zero points of a tensor: one, one for each position along an axis, or one for each cell.
struct Steps {
    over: Vec<usize>,
    sizes: Vec<f64>,
    zeros: Vec<f64>,
}

impl Steps {
    fn new(call: &Call<'_>, dims: &[u32]) -> Result<Self, Fault> {
        let size = call.constant(1)?.clone();
        let zero = match call.optional(2)? {
            Some(zero) => zero.clone(),
            None => Tensor { dims: size.dims.clone(), values: vec![0.0; size.values.len()] },
        };
        if size.values.iter().any(|&size| size <= 0.0) {
            return Err(Fault::InputValue(1));
        }
        if zero.values.len() != size.values.len() {
            return Err(Fault::Shapes(vec![size.dims, zero.dims]));
        }
        if size.values.len() == 1 {
            return Ok(Self { over: Vec::new(), sizes: size.values, zeros: zero.values });
        }
        let along = axis(call.attributes.int("axis", 1)?, dims.len())?;
        if size.dims == [dims[along]] {
            return Ok(Self { over: vec![along], sizes: size.values, zeros: zero.values });
        }
        let block = call.attributes.int("block_size", 0)?;
        let block = u32::try_from(block).ok().filter(|&block| block > 0).ok_or(Fault::AttributeValue("block_size"))?;
        let fits = size.dims.len() == dims.len()
            && (0..dims.len()).all(|at| size.dims[at] == if at == along { dims[at].div_ceil(block) } else { dims[at] });
        if !fits {
            return Err(Fault::Shapes(vec![dims.to_vec(), size.dims]));
        }
        let (own, steps) = (strides(dims), strides(&size.dims));
        let place = |cell: usize| -> usize {
            let coordinate = |at: usize| cell / own[at] % dims[at] as usize;
            let part = |at: usize| if at == along { coordinate(at) / block as usize } else { coordinate(at) };
            (0..dims.len()).map(|at| part(at) * steps[at]).sum()
        };
        let spread = |values: &[f64]| (0..elements(dims).unwrap_or(0)).map(|cell| values[place(cell)]).collect();
        Ok(Self { over: (0..dims.len()).collect(), sizes: spread(&size.values), zeros: spread(&zero.values) })
    }
}

pub(super) fn quantize(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let dims = call.shape(x);
    let steps = Steps::new(call, &dims)?;
    let kind = types::output("QuantizeLinear", call.attributes, &[call.kind(0), call.kind(1), call.kind(2)], 0);
    let factors = steps.sizes.iter().map(|size| 1.0 / size).collect();
    let scaled = call.scaled(x, &steps.over, factors, None)?;
    Ok(vec![Value::Node(to_integers(call, scaled, &steps.over, steps.zeros, kind)?)])
}

/// Rounds, adds the zero point, and saturates to the type.
pub(super) fn to_integers(
    call: &mut Call<'_>,
    scaled: NodeId,
    over: &[usize],
    zeros: Vec<f64>,
    kind: i32,
) -> Result<NodeId, Fault> {
    let element = types::element(kind);
    let Some(Element::Whole { low, high }) = element else {
        return Err(Fault::Unsupported(format!("quantised values of element type {kind}")));
    };
    let (low, high) = (low as f64, high as f64);
    if let [zero] = zeros[..] {
        let rounded = call.apply(scaled, Function::call(Primitive::Round(low - zero, high - zero)))?;
        return call.linear(&[(1.0, rounded)], zero);
    }
    let rounded = call.apply(scaled, Function::call(Primitive::Round(f64::NEG_INFINITY, f64::INFINITY)))?;
    let moved = call.scaled(rounded, over, vec![1.0], Some(zeros))?;
    call.apply(moved, Function::call(Primitive::Clip(low, high)))
}

pub(super) fn dequantize(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let dims = call.shape(x);
    let steps = Steps::new(call, &dims)?;
    let shifts = steps.zeros.iter().zip(&steps.sizes).map(|(zero, size)| -zero * size).collect();
    Ok(vec![Value::Node(call.scaled(x, &steps.over, steps.sizes, Some(shifts))?)])
}

/// `DynamicQuantizeLinear`: its step is computed from the values.
pub(super) fn dynamic(_: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    Err(Fault::Unsupported("a quantisation step that depends on the input".into()))
}
