//! Functions of one real number, as trees that can be composed and tabulated.
//!
//! # Reproducibility
//! Values are computed with `+ - * /` and the pure-Rust `libm`, so they are the same bits on every machine.

use super::Primitive;

/// A function of one argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Function {
    /// The argument itself.
    Argument,
    /// A constant.
    Constant(f64),
    /// A sum.
    Sum(Vec<Function>),
    /// A product.
    Product(Vec<Function>),
    /// A named function of a function.
    Call(Primitive, Box<Function>),
}

impl Function {
    /// A named function of the argument.
    pub fn call(primitive: Primitive) -> Self {
        Self::Call(primitive, Box::new(Self::Argument))
    }

    /// `x * f(x)`.
    pub fn gated(gate: Self) -> Self {
        Self::Product(vec![Self::Argument, gate])
    }

    /// `factor * x + summand`.
    pub fn affine(factor: f64, summand: f64) -> Self {
        Self::Sum(vec![Self::Product(vec![Self::Constant(factor), Self::Argument]), Self::Constant(summand)])
    }

    /// The value at `x`.
    pub fn value(&self, x: f64) -> f64 {
        match self {
            Self::Argument => x,
            Self::Constant(value) => *value,
            Self::Sum(parts) => parts.iter().fold(0.0, |sum, part| sum + part.value(x)),
            Self::Product(parts) => parts.iter().fold(1.0, |product, part| product * part.value(x)),
            Self::Call(primitive, inner) => primitive.value(inner.value(x)),
        }
    }

    /// `self` after `inner`.
    pub fn after(&self, inner: &Self) -> Self {
        let all = |parts: &[Self]| parts.iter().map(|part| part.after(inner)).collect();
        match self {
            Self::Argument => inner.clone(),
            Self::Constant(value) => Self::Constant(*value),
            Self::Sum(parts) => Self::Sum(all(parts)),
            Self::Product(parts) => Self::Product(all(parts)),
            Self::Call(primitive, source) => Self::Call(*primitive, Box::new(source.after(inner))),
        }
    }

    /// The primitive, if the function is one of the argument itself.
    pub fn primitive(&self) -> Option<Primitive> {
        match self {
            Self::Call(primitive, inner) if **inner == Self::Argument => Some(*primitive),
            _ => None,
        }
    }

    /// Number of nodes of the tree.
    pub fn size(&self) -> usize {
        match self {
            Self::Argument | Self::Constant(_) => 1,
            Self::Sum(parts) | Self::Product(parts) => 1 + parts.iter().map(Self::size).sum::<usize>(),
            Self::Call(_, inner) => 1 + inner.size(),
        }
    }

    /// Whether it must be tabulated: it has a curved primitive, or multiplies functions of the argument.
    pub fn needs_table(&self) -> bool {
        match self {
            Self::Argument | Self::Constant(_) => false,
            Self::Sum(parts) => parts.iter().any(Self::needs_table),
            Self::Product(parts) => {
                let factors = parts.iter().filter(|part| !matches!(part, Self::Constant(_))).count();
                factors > 1 || parts.iter().any(Self::needs_table)
            }
            Self::Call(primitive, inner) => primitive.needs_table() || inner.needs_table(),
        }
    }

    /// Whether it jumps: then it must not be tabulated at rounded arguments.
    pub fn jumps(&self) -> bool {
        match self {
            Self::Argument | Self::Constant(_) => false,
            Self::Sum(parts) | Self::Product(parts) => parts.iter().any(Self::jumps),
            Self::Call(primitive, inner) => primitive.jumps() || inner.jumps(),
        }
    }

    /// Whether it takes whole numbers to whole numbers.
    pub fn keeps_whole(&self) -> bool {
        match self {
            Self::Argument => true,
            Self::Constant(value) => is_whole(*value),
            Self::Sum(parts) | Self::Product(parts) => parts.iter().all(Self::keeps_whole),
            Self::Call(primitive, inner) => primitive.keeps_whole() && inner.keeps_whole(),
        }
    }
}

/// Whether a number is whole and small enough to be held exactly.
pub fn is_whole(value: f64) -> bool {
    value == libm::trunc(value) && libm::fabs(value) <= 9_007_199_254_740_992.0
}
