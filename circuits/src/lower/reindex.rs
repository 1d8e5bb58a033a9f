//! Tensors in another order of cells: transpositions, which mostly rename axes, and copies.
use assay_verifier::circuit::{AxisMap, Expr, Range, Term, View};

use super::layout::Layout;
use super::{Lowering, Placed};
use crate::error::CompileError;
use crate::graph::NodeId;

impl Lowering<'_> {
    /// A transposition: the same node under another name where its layout allows.
    pub(super) fn transpose(&mut self, source: NodeId, order: &[usize]) -> Result<Placed, CompileError> {
        let graph = self.graph;
        let dims = &graph.node(source).dims;
        let placed = self.source(source)?;
        if let Some(layout) = placed.layout.transposed(dims, order) {
            return Ok(Placed { layout, ..placed });
        }
        let copy = self.row_major(&placed)?;
        let layout = copy.layout.transposed(dims, order).ok_or_else(|| self.fail(source, "no such order of axes"))?;
        Ok(Placed { layout, ..copy })
    }

    /// A copy in logical order; its inner axis is the last digit of the layout.
    pub(super) fn row_major(&mut self, placed: &Placed) -> Result<Placed, CompileError> {
        let Layout { factors, order } = &placed.layout;
        let inner = factors.last().copied().unwrap_or(1);
        let total: u32 = factors.iter().product();
        let unit = |axis: usize| AxisMap::affine(0, (0..factors.len()).map(|other| i64::from(other == axis)).collect());
        let view = View {
            source: placed.node,
            axes: factors.clone(),
            sum: Vec::new(),
            dims: order.iter().map(|&factor| factors[factor]).collect(),
            maps: order.iter().map(|&factor| unit(factor)).collect(),
        };
        let range: Range = self.builder.range(placed.node).with_zero();
        let expr = Expr { constant: 0, terms: vec![Term::Linear { coefficient: 1, view }] };
        let node = self.builder.affine((total / inner, inner), expr, range);
        let ascending: Vec<usize> = (0..factors.len()).collect();
        Ok(Placed { node, layout: Layout::new(factors, &ascending), scale: placed.scale })
    }
}
