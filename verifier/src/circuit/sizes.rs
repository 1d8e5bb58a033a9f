//! Numbers of cells, as they are and as they are committed.
use super::{Expr, Node, Op, Range, Table, Weight};

impl Op {
    /// The expression that the relation is written with, if it has one.
    pub fn expr(&self) -> Option<&Expr> {
        match self {
            Self::Affine(expr)
            | Self::Rescale { expr, .. }
            | Self::Quotient { numerator: expr, .. }
            | Self::Root(expr) => Some(expr),
            Self::Input(_) | Self::Lookup { .. } | Self::Max { .. } => None,
        }
    }
}

impl Node {
    /// Number of cells.
    pub fn len(&self) -> u64 {
        u64::from(self.rows).saturating_mul(u64::from(self.inner))
    }

    /// Whether there are no cells; never so in a checked circuit.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of cells with the inner axis padded to a power of two.
    pub fn padded_len(&self) -> u64 {
        u64::from(self.inner).next_power_of_two().saturating_mul(self.rows.into())
    }
}

impl Weight {
    /// Distance between two taps of one output: the number of channels, padded to a power of two if there are several taps.
    pub fn stride(&self) -> u64 {
        let channels = u64::from(self.channels);
        if self.taps == 1 { channels } else { channels.next_power_of_two() }
    }

    /// Number of cells of one output, padded to a power of two.
    pub fn padded_row(&self) -> u64 {
        self.stride().saturating_mul(self.taps.into()).min(1 << 40).next_power_of_two()
    }

    /// Number of cells as committed.
    pub fn padded_len(&self) -> u64 {
        u64::from(self.outputs).next_power_of_two().saturating_mul(self.padded_row())
    }

    /// Number of values.
    pub fn len(&self) -> u64 {
        u64::from(self.outputs).saturating_mul(self.taps.into()).saturating_mul(self.channels.into())
    }

    /// Whether there are no values; never so in a checked circuit.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Table {
    /// The arguments.
    pub fn domain(&self) -> Option<Range> {
        let high = i128::from(self.low).checked_add(i128::try_from(self.values.len()).ok()?)?.checked_sub(1)?;
        Range::new(self.low.into(), high)
    }

    /// The values.
    pub fn range(&self) -> Option<Range> {
        Some(Range { low: (*self.values.iter().min()?).into(), high: (*self.values.iter().max()?).into() })
    }
}
