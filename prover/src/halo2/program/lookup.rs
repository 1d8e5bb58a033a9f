//! Function tables: argument and value are an entry of the table.
use assay_verifier::circuit::{NodeId, TableId};

use super::{Builder, Cells, Kind, Source};

impl Builder<'_> {
    pub(super) fn lookup(&mut self, id: usize, source: NodeId, table: TableId) -> Cells {
        let len = self.checked.circuit().nodes[id].len() as usize;
        let arguments = (0..len).map(|index| self.cell(source, index)).collect();
        Cells::Block(self.block(Kind::Function { table, arguments }, len, Source::Node(id as u32)))
    }
}
