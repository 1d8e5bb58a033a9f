//! `Add`.
use super::broadcast::{Operands, add_constant, operands, sum};
use super::{Call, Fault, Value};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    match operands(call)? {
        (Operands::Nodes(a, b), dims) => sum(call, [(1.0, a), (1.0, b)], dims),
        (Operands::ConstantLeft(c, x) | Operands::ConstantRight(x, c), dims) => {
            add_constant(call, (1.0, x), (1.0, &c), dims)
        }
    }
}
