//! Functions of one real number, as trees that can be composed and tabulated.
//!
//! # Reproducibility
//! Values are computed with `+ - * /` and the pure-Rust `libm`, so they are the same bits on every machine.

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

/// Named functions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Primitive {
    /// `max(x, 0)`.
    Relu,
    /// `x` clamped to an interval; the ends may be infinite.
    Clip(f64, f64),
    /// `|x|`.
    Abs,
    /// `x` where positive, else `slope * x`.
    LeakyRelu(f64),
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `tanh(x)`.
    Tanh,
    /// `x` where positive, else `alpha * (exp(x) - 1)`.
    Elu(f64),
    /// `ln(1 + exp(x))`.
    Softplus,
    /// The error function.
    Erf,
    /// `x^p`.
    Power(f64),
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
            Self::Call(primitive, inner) => !primitive.is_piecewise_linear() || inner.needs_table(),
        }
    }
}

impl Primitive {
    /// Whether it is made of clamps alone, which need no table.
    pub fn is_piecewise_linear(self) -> bool {
        matches!(self, Self::Relu | Self::Clip(..) | Self::Abs)
    }

    /// The value at `x`.
    pub fn value(self, x: f64) -> f64 {
        match self {
            Self::Relu => maximum(x, 0.0),
            Self::Clip(low, high) => minimum(maximum(x, low), high),
            Self::Abs => maximum(x, -x),
            Self::LeakyRelu(slope) => {
                if x < 0.0 {
                    slope * x
                } else {
                    x
                }
            }
            Self::Sigmoid => 1.0 / (1.0 + libm::exp(-x)),
            Self::Tanh => libm::tanh(x),
            Self::Elu(alpha) => {
                if x < 0.0 {
                    alpha * libm::expm1(x)
                } else {
                    x
                }
            }
            Self::Softplus => maximum(x, 0.0) + libm::log1p(libm::exp(-maximum(x, -x))),
            Self::Erf => libm::erf(x),
            Self::Power(exponent) => libm::pow(x, exponent),
        }
    }
}

/// The larger number; not a number if either is not, as in ONNX.
fn maximum(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() { a } else { b }
}

/// The smaller number; not a number if either is not, as in ONNX.
fn minimum(a: f64, b: f64) -> f64 {
    if a < b || a.is_nan() { a } else { b }
}
