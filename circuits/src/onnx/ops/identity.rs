//! `Identity`, and `Dropout`, which does nothing at inference.
use super::{Call, Fault, Value};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    if call.operator == "Dropout" {
        if call.outputs > 1 {
            return Err(Fault::Unsupported("the mask of a Dropout".into()));
        }
        if call.optional(2)?.and_then(|training| training.single()).is_some_and(|training| training != 0.0) {
            return Err(Fault::Unsupported("training mode".into()));
        }
    }
    Ok(vec![call.value(0)?.clone()])
}
