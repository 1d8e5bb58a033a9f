//! `Concat`: a sum of the parts, each with padding around it.
use super::{Call, Fault, Value, axis};
use crate::graph::{Combine, Kind, Term, View, mapped, unit};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let first = call.dims(0)?;
    let along = axis(
        call.attributes.find("axis").and_then(|axis| axis.i).ok_or(Fault::MissingAttribute("axis"))?,
        first.len(),
    )?;
    let shapes = (0..call.input_count()).map(|input| call.dims(input)).collect::<Result<Vec<_>, _>>()?;
    let mut dims = first.clone();
    dims[along] = 0;
    for shape in &shapes {
        let fits =
            shape.len() == first.len() && (0..first.len()).all(|axis| axis == along || shape[axis] == first[axis]);
        let length = if fits { shape[along].checked_add(dims[along]) } else { None };
        dims[along] = length.ok_or_else(|| Fault::Shapes(shapes.clone()))?;
    }
    let mut terms = Vec::with_capacity(shapes.len());
    let mut start = 0i64;
    for (input, shape) in shapes.into_iter().enumerate() {
        let source = call.node(input)?;
        let map = |at: usize| if at == along { mapped(dims.len(), -start, &[(at, 1)]) } else { unit(dims.len(), at) };
        let maps = (0..dims.len()).map(map).collect();
        start += i64::from(shape[along]);
        terms.push(Term::Plain {
            factor: 1.0,
            view: View { source, axes: dims.clone(), sum: Vec::new(), dims: shape, maps },
        });
    }
    call.result(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias: None }))
}
