//! What the normalisations have in common: a core without parameters, then a factor and a summand for each channel.
use super::broadcast::common;
use super::{Call, Fault, Value};
use crate::graph::{Bias, Combine, Kind, NodeId, Term, identity};
use crate::tensor::Tensor;

/// Subtracts the mean over some axes (if `centred`) and divides by the root of the mean square.
pub(super) fn normalized(
    call: &mut Call<'_>,
    source: NodeId,
    axes: Vec<usize>,
    centred: bool,
    epsilon: f64,
) -> Result<NodeId, Fault> {
    if epsilon < 0.0 {
        return Err(Fault::AttributeValue("epsilon"));
    }
    let dims = call.graph.node(source).dims.clone();
    call.add(dims, Kind::Normalize { source, axes, centred, epsilon })
}

/// `x * scale + shift` with constants that broadcast to the shape of `x`.
pub(super) fn scaled(
    call: &mut Call<'_>,
    x: NodeId,
    scale: &Tensor,
    shift: Option<&Tensor>,
) -> Result<Vec<Value>, Fault> {
    let dims = call.graph.node(x).dims.clone();
    for constant in [Some(scale), shift].into_iter().flatten() {
        if common(&constant.dims, &dims)? != dims {
            return Err(Fault::Shapes(vec![dims, constant.dims.clone()]));
        }
    }
    let Bias { over, values } = Bias::broadcast(scale, &dims);
    let terms = vec![Term::Weighted { over, weights: values, view: identity(x, &dims) }];
    let bias = shift.map(|shift| Bias::broadcast(shift, &dims));
    call.result(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias }))
}

/// One constant for each channel (axis 1), shaped to broadcast.
pub(super) fn per_channel(constant: &Tensor, dims: &[u32]) -> Result<Tensor, Fault> {
    let fail = || Fault::Shapes(vec![dims.to_vec(), constant.dims.clone()]);
    let &channels = dims.get(1).ok_or_else(fail)?;
    let mut shape = vec![channels];
    shape.resize(dims.len() - 1, 1);
    Tensor::new(shape, constant.values.clone()).ok_or_else(fail)
}
