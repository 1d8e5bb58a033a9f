//! Small steps that operators are made of: each adds a node and returns it.
use super::broadcast::common;
use super::slice::{Part, sliced};
use super::{Call, Fault};
use crate::graph::{
    Bias, Combine, Function, Kind, NodeId, Primitive, Term, View, broadcast, identity, mapped, reduction, unit,
};
use crate::tensor::Tensor;

impl Call<'_> {
    /// Shape of a node.
    pub(super) fn shape(&self, node: NodeId) -> Vec<u32> {
        self.graph.node(node).dims.clone()
    }

    /// A constant as a node.
    pub(super) fn constant_node(&mut self, tensor: Tensor) -> Result<NodeId, Fault> {
        self.add(tensor.dims, Kind::Constant(tensor.values))
    }

    /// A function of each cell.
    pub(super) fn apply(&mut self, source: NodeId, function: Function) -> Result<NodeId, Fault> {
        let dims = self.shape(source);
        self.add(dims, Kind::Function { source, function })
    }

    /// 1 where positive, else 0.
    pub(super) fn step(&mut self, source: NodeId) -> Result<NodeId, Fault> {
        self.apply(source, Function::call(Primitive::Step))
    }

    /// `max(x, 0)`.
    pub(super) fn relu(&mut self, source: NodeId) -> Result<NodeId, Fault> {
        self.apply(source, Function::call(Primitive::Relu))
    }

    /// A sum of broadcast tensors with factors, and a constant.
    pub(super) fn linear(&mut self, parts: &[(f64, NodeId)], constant: f64) -> Result<NodeId, Fault> {
        let mut dims = Vec::new();
        for &(_, node) in parts {
            dims = common(&dims, &self.graph.node(node).dims)?;
        }
        let view = |node: NodeId| broadcast(node, &self.graph.node(node).dims, &dims);
        let terms = parts.iter().map(|&(factor, node)| Term::Plain { factor, view: view(node) }).collect();
        let bias = (constant != 0.0).then(|| Bias { over: Vec::new(), values: vec![constant] });
        self.add(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias }))
    }

    /// A product of broadcast tensors.
    pub(super) fn times(&mut self, a: NodeId, b: NodeId) -> Result<NodeId, Fault> {
        let dims = common(&self.graph.node(a).dims, &self.graph.node(b).dims)?;
        let view = |node: NodeId| broadcast(node, &self.graph.node(node).dims, &dims);
        let terms = vec![Term::Product { factor: 1.0, left: view(a), right: view(b) }];
        self.add(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias: None }))
    }

    /// A tensor with a factor and a summand for each position along some axes.
    pub(super) fn scaled(
        &mut self,
        source: NodeId,
        over: &[usize],
        weights: Vec<f64>,
        bias: Option<Vec<f64>>,
    ) -> Result<NodeId, Fault> {
        let dims = self.shape(source);
        let view = identity(source, &dims);
        let term = match weights[..] {
            [factor] => Term::Plain { factor, view },
            _ => Term::Weighted { over: over.to_vec(), weights, view },
        };
        let bias = bias.map(|values| Bias { over: if values.len() == 1 { Vec::new() } else { over.to_vec() }, values });
        self.add(dims.clone(), Kind::Combine(Combine { axes: dims, terms: vec![term], bias }))
    }

    /// The sum over some axes, times a factor; the axes stay with length 1.
    pub(super) fn summed(&mut self, source: NodeId, axes: &[usize], factor: f64) -> Result<NodeId, Fault> {
        let view = reduction(source, &self.shape(source), axes);
        self.add(view.axes.clone(), Kind::plain(factor, view))
    }

    /// The sum over one axis with a weight for each position; the axis stays with length 1.
    pub(super) fn weighted(&mut self, source: NodeId, axis: usize, weights: Vec<f64>) -> Result<NodeId, Fault> {
        let view = reduction(source, &self.shape(source), &[axis]);
        let dims = view.axes.clone();
        let terms = vec![Term::Weighted { over: Vec::new(), weights, view }];
        self.add(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias: None }))
    }

    /// The largest cell over some axes; the axes stay with length 1.
    pub(super) fn largest(&mut self, source: NodeId, axes: &[usize]) -> Result<NodeId, Fault> {
        let view = reduction(source, &self.shape(source), axes);
        self.add(view.axes.clone(), Kind::Max(view))
    }

    /// The sum of the cells up to each one along an axis, itself included or not, from the front or the back.
    pub(super) fn accumulated(
        &mut self,
        source: NodeId,
        axis: usize,
        (exclusive, reverse): (bool, bool),
    ) -> Result<NodeId, Fault> {
        let dims = self.shape(source);
        let rank = dims.len();
        let direction = if reverse { 1 } else { -1 };
        let offset = if exclusive { direction } else { 0 };
        let map = |at: usize| match at == axis {
            true => mapped(rank + 1, offset, &[(at, 1), (rank, direction)]),
            false => unit(rank + 1, at),
        };
        let maps = (0..rank).map(map).collect();
        let view = View { source, axes: dims.clone(), sum: vec![dims[axis]], dims: dims.clone(), maps };
        self.add(dims, Kind::plain(1.0, view))
    }

    /// Another shape.
    pub(super) fn reshaped(&mut self, source: NodeId, dims: Vec<u32>) -> Result<NodeId, Fault> {
        if *dims == self.graph.node(source).dims {
            return Ok(source);
        }
        self.add(dims, Kind::Reshape(source))
    }

    /// The axes in another order.
    pub(super) fn transposed(&mut self, source: NodeId, order: &[usize]) -> Result<NodeId, Fault> {
        let from = self.shape(source);
        let dims = order.iter().map(|&axis| from[axis]).collect();
        self.add(dims, Kind::Transpose { source, order: order.to_vec() })
    }

    /// Some cells along an axis, from `start` in steps.
    pub(super) fn part(
        &mut self,
        source: NodeId,
        axis: usize,
        (start, step, length): (i64, i64, u32),
    ) -> Result<NodeId, Fault> {
        let from = self.shape(source);
        let mut parts: Vec<Part> = from.iter().map(|&length| Part { start: 0, step: 1, length }).collect();
        parts[axis] = Part { start, step, length };
        let (dims, view) = sliced(source, &from, &parts);
        self.add(dims, Kind::plain(1.0, view))
    }

    /// Tensors one after another along an axis.
    pub(super) fn joined(&mut self, sources: &[NodeId], axis: usize) -> Result<NodeId, Fault> {
        let shapes: Vec<Vec<u32>> = sources.iter().map(|&source| self.shape(source)).collect();
        let mut dims = shapes.first().cloned().unwrap_or_default();
        let fits = |shape: &Vec<u32>| {
            shape.len() == dims.len() && (0..dims.len()).all(|at| at == axis || shape[at] == dims[at])
        };
        if axis >= dims.len() || !shapes.iter().all(fits) {
            return Err(Fault::Shapes(shapes));
        }
        let total = shapes.iter().try_fold(0u32, |total, shape| total.checked_add(shape[axis]));
        dims[axis] = total.ok_or_else(|| Fault::Shapes(shapes.clone()))?;
        let mut start = 0i64;
        let mut terms = Vec::with_capacity(sources.len());
        for (&source, shape) in sources.iter().zip(shapes) {
            let map = |at: usize| match at == axis {
                true => mapped(dims.len(), -start, &[(at, 1)]),
                false => unit(dims.len(), at),
            };
            let maps = (0..dims.len()).map(map).collect();
            start += i64::from(shape[axis]);
            let view = View { source, axes: dims.clone(), sum: Vec::new(), dims: shape, maps };
            terms.push(Term::Plain { factor: 1.0, view });
        }
        self.add(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias: None }))
    }

    /// A tensor repeated to a larger shape.
    pub(super) fn spread(&mut self, source: NodeId, dims: Vec<u32>) -> Result<NodeId, Fault> {
        let view = broadcast(source, &self.shape(source), &dims);
        self.add(dims, Kind::plain(1.0, view))
    }
}
