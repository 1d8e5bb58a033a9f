//! `Div` by a constant.
use super::broadcast::{Operands, operands, scale};
use super::{Call, Fault, Value, by_constant};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    if call.is_whole(0) {
        return by_constant::quotient(call);
    }
    let (Operands::ConstantRight(x, mut divisor), dims) = operands(call)? else {
        return Err(Fault::Unsupported("the divisor is not a constant".into()));
    };
    divisor.values.iter_mut().for_each(|value| *value = 1.0 / *value);
    if divisor.values.iter().any(|value| !value.is_finite()) {
        return Err(Fault::InputValue(1));
    }
    scale(call, x, &divisor, dims)
}
