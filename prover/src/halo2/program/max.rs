//! Maxima: `y` is above none of its cells, and equals one of them.
//!
//! Each cell `x` is `below` its group's maximum `y` by a number that is not negative, and one of each group is flagged as zero:
//! `x + below = y` and `sum of a group's flags = 1`.
use assay_verifier::circuit::{Maximum, NodeId};

use super::{Builder, Cells, Kind, Product, ProgramError, Source, Value, plus};

/// The cells of each group, in order: for each member of a group the source's cell in every group.
pub fn members(maximum: Maximum, source_inner: usize, len: usize) -> Vec<Vec<usize>> {
    let inner = if maximum.across { 1 } else { source_inner };
    let count = maximum.window * if maximum.across { source_inner } else { 1 };
    let place = |member: usize, cell: usize| {
        let (row, o) = (cell / inner, cell % inner);
        if maximum.across { row * count + member } else { (row * maximum.window + member) * source_inner + o }
    };
    (0..count).map(|member| (0..len).map(|cell| place(member, cell)).collect()).collect()
}

impl Builder<'_> {
    pub(super) fn max(&mut self, id: usize, source: NodeId) -> Result<Cells, ProgramError> {
        let len = self.checked.circuit().nodes[id].len() as usize;
        let inner = self.checked.circuit().nodes[source as usize].inner as usize;
        let maximum = self.checked.maximum(id).expect("maxima have facts");
        let members = members(maximum, inner, len);
        let count = members.len();
        let largest = self.block(Kind::Free, len, Source::Node(id as u32));
        let kind = Kind::Number { low: 0, bits: maximum.bits, flagged: count as u32 };
        let below = self.block(kind, len * count, Source::BelowLargest(id as u32));
        self.check_limbs(id, maximum.bits)?;
        let cells = (0..len).flat_map(|group| members.iter().map(move |member| member[group]));
        let cells = cells.map(|cell| self.cell(source, cell)).collect();
        let [cells, ones] = [self.run(1, cells), self.ones(count, 1)];
        let left = self.run_of(largest, count as u32);
        let mut sum = vec![plus(1, cells), Product { coefficient: -1, left, right: ones, step: 0 }];
        self.add_block(1, below, &mut sum);
        self.demand(sum);
        let flag = |group: usize, member: usize| Value::Flag { block: below, index: (group * count + member) as u32 };
        let flags = (0..len).map(|group| (0..count).map(|member| flag(group, member)).collect()).collect();
        let one = self.ones(len, 1);
        let mut sum = vec![plus(-1, one)];
        self.add_sums(1, flags, &mut sum);
        self.demand(sum);
        Ok(Cells::Block(largest))
    }
}
