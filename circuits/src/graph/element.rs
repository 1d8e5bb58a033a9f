//! What the cells of an input are: real numbers, or whole ones that must stay exact.

/// Whole numbers are held exactly up to this magnitude.
const WHOLE_MAX: i64 = 1 << 53;

/// What the cells of a tensor are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Element {
    /// Real numbers, which are rounded to a scale.
    #[default]
    Real,
    /// Whole numbers of a type with these bounds.
    Whole {
        /// Smallest value of the type.
        low: i64,
        /// Largest value of the type.
        high: i64,
    },
}

impl Element {
    /// Truth values: 0 and 1.
    pub const BOOLEAN: Self = Self::Whole { low: 0, high: 1 };

    /// Integers of some bits.
    pub fn integer(bits: u32, signed: bool) -> Self {
        let high = 1i64.checked_shl(bits - u32::from(signed)).map_or(WHOLE_MAX, |end| (end.wrapping_sub(1)) & i64::MAX);
        let high = high.min(WHOLE_MAX);
        Self::Whole { low: if signed { (-high - 1).max(-WHOLE_MAX) } else { 0 }, high }
    }

    /// Whether the cells are whole numbers.
    pub fn is_whole(self) -> bool {
        matches!(self, Self::Whole { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::Element;

    #[test]
    fn bounds_are_those_of_the_types() {
        assert_eq!(Element::integer(8, false), Element::Whole { low: 0, high: 255 });
        assert_eq!(Element::integer(8, true), Element::Whole { low: -128, high: 127 });
        assert_eq!(Element::integer(32, true), Element::Whole { low: -(1 << 31), high: (1 << 31) - 1 });
        assert_eq!(Element::integer(64, true), Element::Whole { low: -(1 << 53), high: 1 << 53 });
        assert_eq!(Element::integer(64, false), Element::Whole { low: 0, high: 1 << 53 });
    }
}
