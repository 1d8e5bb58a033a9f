//! `Mul`.
use super::broadcast::{Operands, operands, product, scale};
use super::{Call, Fault, Value};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    match operands(call)? {
        (Operands::Nodes(a, b), dims) => product(call, [a, b], dims),
        (Operands::ConstantLeft(c, x) | Operands::ConstantRight(x, c), dims) => scale(call, x, &c, dims),
    }
}
