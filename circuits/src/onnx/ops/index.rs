//! Cells picked by constant indices: coordinates that are read from a table.
use super::{Call, Fault};
use crate::graph::{AxisMap, Kind, NodeId, View, unit};
use crate::tensor::{elements, strides};

/// A place of a table that reads padding.
pub(super) const NOTHING: u32 = u32::MAX;

/// A coordinate that is the entry of a table at an affine place.
pub(super) fn tabled(axes: usize, offset: i64, parts: &[(usize, i64)], table: Vec<u32>) -> AxisMap {
    AxisMap { table, ..crate::graph::mapped(axes, offset, parts) }
}

/// Places of an axis from indices that may count from the end.
pub(super) fn places(indices: &[f64], length: u32, input: usize) -> Result<Vec<u32>, Fault> {
    let place = |&index: &f64| {
        let index = if index < 0.0 { index + f64::from(length) } else { index };
        (0.0..f64::from(length)).contains(&index).then_some(index as u32).ok_or(Fault::InputValue(input))
    };
    indices.iter().map(place).collect()
}

impl Call<'_> {
    /// The cells along an axis in the order of a table.
    pub(super) fn along(&mut self, source: NodeId, axis: usize, table: Vec<u32>) -> Result<NodeId, Fault> {
        let from = self.shape(source);
        let mut dims = from.clone();
        dims[axis] = u32::try_from(table.len()).map_err(|_| Fault::Size(from.clone()))?;
        let rank = from.len();
        let mut table = Some(table);
        let mut map = |at: usize| match table.take_if(|_| at == axis) {
            Some(table) => tabled(rank, 0, &[(at, 1)], table),
            None => unit(rank, at),
        };
        let maps = (0..rank).map(&mut map).collect();
        let view = View { source, axes: dims.clone(), sum: Vec::new(), dims: from, maps };
        self.add(dims, Kind::plain(1.0, view))
    }

    /// For each cell of the result the flat place of a source's cell, or [`NOTHING`].
    pub(super) fn picked(&mut self, source: NodeId, table: Vec<u32>, dims: Vec<u32>) -> Result<NodeId, Fault> {
        let view = self.picking(source, table, &dims)?;
        self.add(dims, Kind::plain(1.0, view))
    }

    /// The view that does this.
    pub(super) fn picking(&mut self, source: NodeId, table: Vec<u32>, dims: &[u32]) -> Result<View, Fault> {
        let count = elements(&self.shape(source)).unwrap_or(0) as u32;
        if elements(dims) != Some(table.len()) {
            return Err(Fault::Size(dims.to_vec()));
        }
        let flat = self.reshaped(source, vec![count])?;
        let steps: Vec<(usize, i64)> = strides(dims).into_iter().map(|step| step as i64).enumerate().collect();
        let map = tabled(dims.len(), 0, &steps, table);
        Ok(View { source: flat, axes: dims.to_vec(), sum: Vec::new(), dims: vec![count], maps: vec![map] })
    }
}
