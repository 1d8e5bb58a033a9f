//! Affine index maps: which cell of a source tensor belongs to which cell of the result.
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::NodeId;

/// An index map from iteration axes to the cells of a source tensor.
///
/// The iteration axes are the result's axes (`axes`, whose product is the result's number of cells, row-major) followed by
/// the summed axes (`sum`). The source's flat index is read as a row-major index over `dims` (whose product is the source's
/// number of cells, so a reshape is free). Coordinate `j` of the source is
/// `maps[j].offset + sum_a maps[j].coefficients[a] * i_a`, or the entry of `maps[j].table` at that place if there is a table;
/// where any coordinate falls outside `0..dims[j]`, or a place outside its table, the cell is zero padding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// The tensor that is read.
    pub source: NodeId,
    /// The result's axes.
    pub axes: Vec<u32>,
    /// Further axes that are summed over.
    pub sum: Vec<u32>,
    /// The source's axes.
    pub dims: Vec<u32>,
    /// One affine map for each of the source's axes.
    pub maps: Vec<AxisMap>,
}

/// One coordinate of a source cell as an affine function of the iteration axes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AxisMap {
    /// Constant part.
    pub offset: i64,
    /// One coefficient for each axis of `axes`, then of `sum`.
    pub coefficients: Vec<i64>,
    /// What the affine function is an index into; empty if it is the coordinate itself.
    pub table: Vec<u32>,
}

impl AxisMap {
    /// The affine function itself as the coordinate.
    pub fn affine(offset: i64, coefficients: Vec<i64>) -> Self {
        Self { offset, coefficients, table: Vec::new() }
    }
}

impl View {
    /// The view that reads a tensor of `rows` times `inner` cells as it is.
    pub fn identity(source: NodeId, rows: u32, inner: u32) -> Self {
        Self {
            source,
            axes: alloc::vec![rows, inner],
            sum: Vec::new(),
            dims: alloc::vec![rows, inner],
            maps: alloc::vec![AxisMap::affine(0, alloc::vec![1, 0]), AxisMap::affine(0, alloc::vec![0, 1]),],
        }
    }

    /// Number of cells summed for each cell of the result.
    pub fn sum_len(&self) -> u64 {
        product(&self.sum)
    }
}

/// Product of axis lengths, saturating.
pub(crate) fn product(axes: &[u32]) -> u64 {
    axes.iter().fold(1u64, |all, &axis| all.saturating_mul(axis.into()))
}
