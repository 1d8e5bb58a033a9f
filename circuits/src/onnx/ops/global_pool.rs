//! `GlobalAveragePool` and `GlobalMaxPool`: over all spatial axes.
use super::{Call, Fault, Value};
use crate::graph::{Kind, reduction};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.dims(0)?;
    if from.len() < 3 {
        return Err(Fault::Shapes(vec![from]));
    }
    let spatial: Vec<usize> = (2..from.len()).collect();
    let view = reduction(x, &from, &spatial);
    let dims = view.axes.clone();
    let cells: f64 = view.sum.iter().map(|&length| f64::from(length)).product();
    let kind = if call.operator == "GlobalMaxPool" { Kind::Max(view) } else { Kind::plain(1.0 / cells, view) };
    call.result(dims, kind)
}
