//! Maxima, one cell of each group after the other: `m_k` is not below `m_(k-1)` nor below the cell `x_k`, and equals one of them.
//!
//! With `a = m_k - m_(k-1)` and `b = m_k - x_k` in their range, `sum_i beta^(n-1-i) a_i b_i = 0` demands that one of them is zero for each
//! group: `a` and `b` are committed before `beta` is drawn.
use assay_verifier::circuit::{Maximum, NodeId};

use super::{Builder, Cells, Kind, ProgramError, Source, Value, plus};

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
        let node = id as u32;
        let mut members = members(maximum, inner, len).into_iter();
        let first = members.next().unwrap_or_default();
        let mut largest: Vec<Value> = first.iter().map(|&cell| self.cell(source, cell)).collect();
        for (member, step) in members.zip(1u32..) {
            let cells: Vec<Value> = member.iter().map(|&cell| self.cell(source, cell)).collect();
            let block = self.block(Kind::Free, len, Source::Running { node, step });
            let a = self.number(id, 0, maximum.bits, len, Source::AboveRunning { node, step })?;
            let b = self.number(id, 0, maximum.bits, len, Source::AboveMember { node, step })?;
            let next = self.run_of(block, 1);
            for (difference, than) in [(a, largest), (b, cells)] {
                let [difference, than] = [self.run_of(difference, 1), self.run(1, than)];
                self.demand(vec![plus(1, next), plus(-1, than), plus(-1, difference)]);
            }
            let above: Vec<Value> = (0..len as u32).map(|index| Value::Cell { block: a, index }).collect();
            let both = self.elementwise(&above, b);
            self.demand(vec![plus(1, both)]);
            largest = (0..len as u32).map(|index| Value::Cell { block, index }).collect();
        }
        Ok(Cells::Alias(largest))
    }
}
