//! Maxima by the relation for them: all windows are laid out one after another, and each row (or group of rows) has
//! its maximum looked up. Against pairs this costs one lookup for each cell of a window instead of about four, and a
//! table as large as the span of the values.
use assay_verifier::circuit::{Op, View};

use super::layout::Layout;
use super::{Lowering, Placed};
use crate::error::CompileError;
use crate::graph::{self, Combine, NodeId, Term};
use crate::tensor::elements;

/// Widest values in bits, and longest window.
const BITS_MAX: u8 = 16;
const WINDOW_MAX: u64 = 1 << 16;
/// What a pair costs in cells: two limbs, what is beyond, and its share of the nodes around it.
const PAIR_CELLS: u64 = 4;
/// What a cell of a window costs: its distance to the maximum is committed and looked up.
const CELL_CELLS: u64 = 2;

/// Whether the relation is cheaper than pairs for so many windows of `window` values of some bits.
pub fn is_cheaper(windows: u64, window: u64, bits: u8) -> bool {
    let pairs = windows * (window - 1) * PAIR_CELLS;
    let relation = windows * window * CELL_CELLS + (1 << bits);
    bits <= BITS_MAX && (2..=WINDOW_MAX).contains(&window) && relation < pairs
}

impl Lowering<'_> {
    /// The largest cell of each window; no value is negative.
    pub(super) fn maximum(&mut self, id: NodeId, view: &View, source: &Placed) -> Result<Placed, CompileError> {
        let free = view.axes.len();
        let axes: Vec<u32> = view.axes.iter().chain(&view.sum).copied().collect();
        let laid_out = View { axes: axes.clone(), sum: Vec::new(), ..view.clone() };
        // Channels stay innermost; else the last axis of the windows is.
        let channels = (0..free).rev().find(|&axis| axes[axis] > 1 && self.passes(source, view, axis));
        let inner = channels.or(axes.iter().rposition(|&length| length > 1)).unwrap_or(0);
        let combine =
            Combine { axes: axes.clone(), terms: vec![Term::Plain { factor: 1.0, view: laid_out }], bias: None };
        let sum = self.sum_of(id, &combine, vec![source.clone()], source.scale, Some(inner))?;
        let (rows, length) = sum.shape;
        let windows = sum.affine(&mut self.builder);
        let across = inner >= free;
        let window: u32 = view.sum.iter().product::<u32>() / if across { length } else { 1 };
        let shape = (rows / window, if across { 1 } else { length });
        let range = self.builder.range(windows.node);
        let node = self.builder.node(shape, Op::Max { source: windows.node }, range);
        let mut order: Vec<usize> = (0..free).filter(|&axis| across || axis != inner).collect();
        order.extend((!across).then_some(inner));
        Ok(Placed { node, layout: Layout::new(&view.axes, &order), scale: windows.scale })
    }

    /// Whether the windows read the source's innermost axis along this one of theirs.
    fn passes(&self, source: &Placed, view: &View, axis: usize) -> bool {
        let Some(&digit) = source.layout.order.last() else { return false };
        let length = source.layout.factors[digit];
        let own = |map: &graph::AxisMap| {
            map.table.is_empty()
                && map.offset == 0
                && map.coefficients.iter().enumerate().all(|(at, &c)| c == i64::from(at == axis))
        };
        view.axes[axis] == length && view.maps.iter().any(own)
    }

    /// Whether the relation suits the windows of a view.
    pub(super) fn prefers_maximum(view: &View, bits: u8) -> bool {
        let (windows, window) = (elements(&view.axes), elements(&view.sum));
        match (windows, window) {
            (Some(windows), Some(window)) => is_cheaper(windows as u64, window as u64, bits),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_cheaper;

    #[test]
    fn the_relation_is_for_many_cells() {
        assert!(!is_cheaper(100, 4, 16));
        assert!(is_cheaper(100, 4, 6));
        assert!(is_cheaper(10, 16_384, 16));
        assert!(!is_cheaper(1_000_000, 4, 17));
        assert!(!is_cheaper(1_000_000, 1, 8));
    }
}
