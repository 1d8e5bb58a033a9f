//! How the two views of a product share the axes that they run over.
//!
//! A weighted sum of products, `sum_{p,o,s} w[p] v[o] a[left(p,o,s)] b[right(p,o,s)]`, need not be taken cell by cell. Row
//! axes on which only one factor depends can be summed out of that factor alone, with the weights; what remains runs over
//! the row axes that both depend on, the inner axes that both depend on, and the summed axes. Attention scores with rows
//! (head, query), inner axis (key) and summed features are left with (head, feature). Where both factors have row axes of
//! their own the weights do not come apart, and all row axes are shared; likewise for the inner axes.
use alloc::vec::Vec;

use super::View;
use super::gather::split_inner;
use super::view::product;

/// One of two factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first.
    Left,
    /// The second.
    Right,
}

/// The indices that two factors share along the rows, or along the inner axis.
#[derive(Clone, Debug)]
pub struct Sharing {
    /// For each index of the result its shared index.
    shared: Vec<u32>,
    /// For each shared index the first index of the result that has it.
    first: Vec<u32>,
    /// Which factor takes the weights; the other one depends on the shared index alone.
    pub weighted: Side,
}

/// What two factors share.
#[derive(Clone, Debug)]
pub struct Pairing {
    /// Along the rows.
    pub rows: Sharing,
    /// Along the inner axis.
    pub inner: Sharing,
    /// Number of summed cells.
    pub summed: usize,
}

impl Pairing {
    /// Works out what the views of a product share, for a result with the given inner length. Nothing if their axes differ.
    pub(super) fn new(left: &View, right: &View, inner: u32) -> Option<Self> {
        (left.axes == right.axes && left.sum == right.sum).then_some(())?;
        let split = split_inner(&left.axes, inner)?;
        let side = |axes: core::ops::Range<usize>| {
            let uses = |view: &View| axes.clone().map(|axis| uses(view, axis)).collect::<Vec<bool>>();
            Sharing::new(left.axes.get(axes.clone())?, &uses(left), &uses(right))
        };
        Some(Self {
            rows: side(0..split)?,
            inner: side(split..left.axes.len())?,
            summed: usize::try_from(product(&left.sum)).ok()?,
        })
    }
}

/// Whether what a view reads depends on an iteration axis.
fn uses(view: &View, axis: usize) -> bool {
    view.maps.iter().any(|map| map.coefficients.get(axis).is_some_and(|&coefficient| coefficient != 0))
}

impl Sharing {
    fn new(lengths: &[u32], left: &[bool], right: &[bool]) -> Option<Self> {
        let own = |this: &[bool], other: &[bool]| this.iter().zip(other).any(|(&this, &other)| this && !other);
        let (weighted, free) = match (own(left, right), own(right, left)) {
            (true, true) => (Side::Left, alloc::vec![false; lengths.len()]),
            (false, true) => (Side::Right, left.iter().map(|&used| !used).collect()),
            (_, false) => (Side::Left, right.iter().map(|&used| !used).collect()),
        };
        let mut sharing = Self { shared: alloc::vec![0], first: alloc::vec![0], weighted };
        for (&length, free) in lengths.iter().zip(free) {
            let kept = if free { 1 } else { length };
            let place = |i: u32| if free { 0 } else { i };
            sharing.first = extend(&sharing.first, kept, |base, i| base.checked_mul(length)?.checked_add(i))?;
            sharing.shared = extend(&sharing.shared, length, |base, i| base.checked_mul(kept)?.checked_add(place(i)))?;
        }
        Some(sharing)
    }

    /// Number of shared indices.
    pub fn len(&self) -> usize {
        self.first.len()
    }

    /// Whether there are none; never so in a checked circuit.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The shared index of an index of the result.
    pub fn shared(&self, index: usize) -> usize {
        self.shared.get(index).map_or(0, |&shared| shared as usize)
    }

    /// The first index of the result with a shared index.
    pub fn first(&self, shared: usize) -> usize {
        self.first.get(shared).map_or(0, |&first| first as usize)
    }
}

/// Replaces every entry by `count` entries.
fn extend(of: &[u32], count: u32, entry: impl Fn(u32, u32) -> Option<u32>) -> Option<Vec<u32>> {
    of.iter().flat_map(|&base| (0..count).map(move |i| (base, i))).map(|(base, i)| entry(base, i)).collect()
}
