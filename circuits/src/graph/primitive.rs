//! Named functions of one real number.

/// A named function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Primitive {
    /// `max(x, 0)`.
    Relu,
    /// `x` clamped to an interval; the ends may be infinite.
    Clip(f64, f64),
    /// `|x|`.
    Abs,
    /// 1 where `x` is positive, else 0.
    Step,
    /// The largest whole number that is not larger.
    Floor,
    /// The nearest whole number, the even one of two, clamped to an interval; the ends may be infinite.
    Round(f64, f64),
    /// `x` where positive, else `slope * x`.
    LeakyRelu(f64),
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `x` where positive, else `alpha * (exp(x) - 1)`.
    Elu(f64),
    /// `ln(1 + exp(x))`.
    Softplus,
    /// The error function.
    Erf,
    /// `x^p`.
    Power(f64),
    /// `base^x`.
    Exponential(f64),
    /// A function of the mathematical library.
    Library(Library),
    /// A function of whole numbers with a constant whole number.
    Whole(Whole, i64),
}

/// Functions that the mathematical library has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names are those of the library
pub enum Library {
    Exp,
    Log,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Asinh,
    Acosh,
    Atanh,
}

/// Functions of a whole number and a constant one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// The quotient, towards zero.
    Quotient,
    /// What is left of the quotient towards zero, with the sign of the argument.
    Remainder,
    /// What is left of the quotient towards below, with the sign of the divisor.
    Modulo,
    /// The bits that both have.
    And,
    /// The bits that one of them has.
    Or,
    /// The bits that only one of them has.
    Xor,
    /// The bits moved up by so many places, in an unsigned number of 8 bits.
    Left8,
    /// The same in a number of 16 bits.
    Left16,
    /// The bits moved down.
    Right,
}

impl Primitive {
    /// Whether it must be tabulated: all but those that rescales compute.
    pub fn needs_table(self) -> bool {
        !matches!(self, Self::Relu | Self::Clip(..) | Self::Abs | Self::Step | Self::Floor | Self::Round(..))
    }

    /// Whether it jumps.
    pub fn jumps(self) -> bool {
        matches!(self, Self::Step | Self::Floor | Self::Round(..) | Self::Whole(..))
    }

    /// Whether its values are whole for every argument.
    pub fn is_whole(self) -> bool {
        matches!(self, Self::Step | Self::Floor | Self::Round(..) | Self::Whole(..))
    }

    /// Whether it takes whole numbers to whole numbers.
    pub fn keeps_whole(self) -> bool {
        match self {
            Self::Relu | Self::Abs => true,
            Self::Clip(low, high) => {
                let whole = |bound: f64| bound.is_infinite() || super::is_whole(bound);
                whole(low) && whole(high)
            }
            _ => self.is_whole(),
        }
    }

    /// The value at `x`.
    pub fn value(self, x: f64) -> f64 {
        match self {
            Self::Relu => maximum(x, 0.0),
            Self::Clip(low, high) => minimum(maximum(x, low), high),
            Self::Abs => maximum(x, -x),
            Self::Step => f64::from(x > 0.0),
            Self::Floor => libm::floor(x),
            Self::Round(low, high) => minimum(maximum(libm::rint(x), low), high),
            Self::LeakyRelu(slope) => {
                if x < 0.0 {
                    slope * x
                } else {
                    x
                }
            }
            Self::Sigmoid => 1.0 / (1.0 + libm::exp(-x)),
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
            Self::Exponential(base) => libm::pow(base, x),
            Self::Library(function) => function.value(x),
            Self::Whole(function, constant) => function.value(x, constant),
        }
    }
}

impl Library {
    fn value(self, x: f64) -> f64 {
        match self {
            Self::Exp => libm::exp(x),
            Self::Log => libm::log(x),
            Self::Sin => libm::sin(x),
            Self::Cos => libm::cos(x),
            Self::Tan => libm::tan(x),
            Self::Asin => libm::asin(x),
            Self::Acos => libm::acos(x),
            Self::Atan => libm::atan(x),
            Self::Sinh => libm::sinh(x),
            Self::Cosh => libm::cosh(x),
            Self::Tanh => libm::tanh(x),
            Self::Asinh => libm::asinh(x),
            Self::Acosh => libm::acosh(x),
            Self::Atanh => libm::atanh(x),
        }
    }
}

impl Whole {
    /// Not a number where a divisor is zero.
    fn value(self, x: f64, constant: i64) -> f64 {
        let whole = x as i64;
        let result = match self {
            Self::Quotient => whole.checked_div(constant),
            Self::Remainder => whole.checked_rem(constant),
            Self::Modulo => whole
                .checked_rem(constant)
                .map(|rest| if rest != 0 && (rest < 0) != (constant < 0) { rest + constant } else { rest }),
            Self::And => Some(whole & constant),
            Self::Or => Some(whole | constant),
            Self::Xor => Some(whole ^ constant),
            Self::Left8 => u32::try_from(constant).ok().map(|by| whole.checked_shl(by).unwrap_or(0) & 0xff),
            Self::Left16 => u32::try_from(constant).ok().map(|by| whole.checked_shl(by).unwrap_or(0) & 0xffff),
            Self::Right => u32::try_from(constant).ok().map(|by| whole.checked_shr(by).unwrap_or(0)),
        };
        result.map_or(f64::NAN, |value| value as f64)
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
