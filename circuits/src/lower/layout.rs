//! How a node of the circuit holds a logical tensor.

/// The logical row-major index as mixed-radix digits, and the order in which the node's flat index runs over them.
///
/// A reshape keeps the logical row-major index, so it keeps the layout; a transposition renames digits. Digits of
/// length 1 are left out, and neighbours that stay neighbours are one digit, so a tensor held in its logical order has
/// one digit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Lengths of the digits, in logical order.
    pub factors: Vec<u32>,
    /// The digit at each place of the node's order; `order[0]` is the slowest.
    pub order: Vec<usize>,
}

impl Layout {
    /// A layout from axes and their order, simplified.
    pub fn new(axes: &[u32], order: &[usize]) -> Self {
        let kept: Vec<usize> = order.iter().copied().filter(|&axis| axes[axis] != 1).collect();
        let mut runs: Vec<Vec<usize>> = Vec::new();
        for axis in kept {
            let follows = |last: usize| last < axis && axes[last + 1..axis].iter().all(|&length| length == 1);
            match runs.last_mut() {
                Some(run) if run.last().is_some_and(|&last| follows(last)) => run.push(axis),
                _ => runs.push(vec![axis]),
            }
        }
        let mut logical: Vec<usize> = (0..runs.len()).collect();
        logical.sort_by_key(|&run| runs[run][0]);
        let length = |run: &usize| runs[*run].iter().map(|&axis| axes[axis]).product();
        let order = (0..runs.len()).map(|run| logical.iter().position(|&other| other == run).unwrap_or(run)).collect();
        Self { factors: logical.iter().map(length).collect(), order }
    }

    /// For each cell of the node its logical position.
    pub fn positions(&self) -> Vec<u32> {
        let steps = crate::tensor::strides(&self.factors);
        let mut all = vec![0];
        for &digit in &self.order {
            let (length, step) = (self.factors[digit], steps[digit] as u32);
            all = all.iter().flat_map(|&base: &u32| (0..length).map(move |i| base + i * step)).collect();
        }
        all
    }

    /// The layout with its digits split as in `refined`, a refinement of `factors`; not simplified.
    pub fn split(&self, refined: &[u32]) -> Option<Self> {
        let groups = groups(&self.factors, refined)?;
        let order = self.order.iter().flat_map(|&factor| groups[factor].clone()).collect();
        Some(Self { factors: refined.to_vec(), order })
    }

    /// The layout with the innermost digit split so that one digit is the node's inner axis, if that can be.
    pub fn with_inner(&self, inner: u32) -> Self {
        let Some(&last) = self.order.last() else { return self.clone() };
        let length = self.factors[last];
        if inner <= 1 || length <= inner || !length.is_multiple_of(inner) {
            return self.clone();
        }
        let mut refined = self.factors.clone();
        refined.splice(last..=last, [length / inner, inner]);
        self.split(&refined).unwrap_or_else(|| self.clone())
    }

    /// For each logical axis the places in the node's order that hold it; nothing if an axis is not made of whole
    /// digits.
    pub fn transposed(&self, dims: &[u32], order: &[usize]) -> Option<Self> {
        let refined = refine(&without_ones(dims), &self.factors)?;
        let split = self.split(&refined)?;
        let groups = groups(dims, &refined)?;
        let moved: Vec<usize> = order.iter().flat_map(|&axis| groups[axis].clone()).collect();
        let axes: Vec<u32> = moved.iter().map(|&digit| refined[digit]).collect();
        let place = |digit: usize| moved.iter().position(|&other| other == digit).unwrap_or(digit);
        Some(Self::new(&axes, &split.order.iter().map(|&digit| place(digit)).collect::<Vec<_>>()))
    }

    /// The order of the logical axes in the node, if each axis is held in one piece.
    pub fn axis_order(&self, dims: &[u32]) -> Option<Vec<usize>> {
        let refined = refine(&without_ones(dims), &self.factors)?;
        let split = self.split(&refined)?;
        let groups = groups(dims, &refined)?;
        let mut order: Vec<usize> = (0..dims.len()).filter(|&axis| dims[axis] == 1).collect();
        let mut place = 0;
        while place < split.order.len() {
            let axis = groups.iter().position(|group| group.start == split.order[place] && !group.is_empty())?;
            let group = groups[axis].clone();
            let length = group.len();
            if !split.order.get(place..place + length)?.iter().copied().eq(group) {
                return None;
            }
            order.push(axis);
            place += length;
        }
        Some(order)
    }
}

/// Axes longer than 1.
pub fn without_ones(dims: &[u32]) -> Vec<u32> {
    dims.iter().copied().filter(|&dim| dim != 1).collect()
}

/// The coarsest list of lengths that both lists are groupings of; nothing if there is none. No length is 1.
pub fn refine(a: &[u32], b: &[u32]) -> Option<Vec<u32>> {
    let (mut a, mut b) = (a.iter().copied(), b.iter().copied());
    let (mut left, mut right) = (1, 1);
    let mut refined = Vec::new();
    loop {
        if left == 1 {
            left = a.next().unwrap_or(1);
        }
        if right == 1 {
            right = b.next().unwrap_or(1);
        }
        let (small, large) = (left.min(right), left.max(right));
        if small == 1 {
            return (large == 1).then_some(refined);
        }
        if large % small != 0 {
            return None;
        }
        refined.push(small);
        (left, right) = (left / small, right / small);
    }
}

/// For each length, the range of `refined` whose product it is; a length of 1 has an empty range.
pub fn groups(lengths: &[u32], refined: &[u32]) -> Option<Vec<core::ops::Range<usize>>> {
    let mut next = 0;
    let groups = lengths
        .iter()
        .map(|&length| {
            let start = next;
            let mut product = 1;
            while product < length {
                product *= refined.get(next)?;
                next += 1;
            }
            (product == length).then_some(start..next)
        })
        .collect::<Option<_>>()?;
    (next == refined.len()).then_some(groups)
}
