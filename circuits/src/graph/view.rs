//! Makes index maps over logical axes.
use super::{AxisMap, NodeId, View};

/// The map that reads a tensor as it is.
pub fn identity(source: NodeId, dims: &[u32]) -> View {
    broadcast(source, dims, dims)
}

/// The map that repeats a tensor along the axes in which it has length 1 or which it does not have.
pub fn broadcast(source: NodeId, from: &[u32], to: &[u32]) -> View {
    let skip = to.len() - from.len();
    let maps = (0..from.len())
        .map(|axis| if from[axis] == 1 { AxisMap::affine(0, vec![0; to.len()]) } else { unit(to.len(), skip + axis) })
        .collect();
    View { source, axes: to.to_vec(), sum: Vec::new(), dims: from.to_vec(), maps }
}

/// The map that sums over some axes and leaves them with length 1.
pub fn reduction(source: NodeId, from: &[u32], reduced: &[usize]) -> View {
    let result: Vec<u32> = (0..from.len()).map(|axis| if reduced.contains(&axis) { 1 } else { from[axis] }).collect();
    let sum: Vec<u32> = reduced.iter().map(|&axis| from[axis]).collect();
    let all = from.len() + sum.len();
    let map = |axis: usize| match reduced.iter().position(|&other| other == axis) {
        Some(place) => mapped(all, 0, &[(from.len() + place, 1)]),
        None => unit(all, axis),
    };
    View { source, axes: result, sum, dims: from.to_vec(), maps: (0..from.len()).map(map).collect() }
}

/// The coordinate that is one iteration axis.
pub fn unit(axes: usize, axis: usize) -> AxisMap {
    mapped(axes, 0, &[(axis, 1)])
}

/// A coordinate from an offset and coefficients of some iteration axes.
pub fn mapped(axes: usize, offset: i64, parts: &[(usize, i64)]) -> AxisMap {
    let mut coefficients = vec![0; axes];
    for &(axis, coefficient) in parts {
        coefficients[axis] += coefficient;
    }
    AxisMap::affine(offset, coefficients)
}

/// Whether each cell reads the cell of its own position, whatever the shapes are called.
pub fn is_identity(view: &View) -> bool {
    view.sum.is_empty()
        && view.axes == view.dims
        && view.maps.iter().enumerate().all(|(axis, map)| {
            let own =
                |(other, &coefficient): (usize, &i64)| view.axes[other] == 1 || coefficient == i64::from(other == axis);
            map.offset == 0 && map.table.is_empty() && map.coefficients.iter().enumerate().all(own)
        })
}
