//! `Gemm`: `alpha * A B + beta * C`.
use super::broadcast::common;
use super::contraction::{Operand, contract};
use super::{Call, Fault, Value};
use crate::graph::{Bias, Kind, Term, broadcast};

/// Labels of rows, columns and the summed axis.
const ROWS: usize = 0;
const COLUMNS: usize = 1;
const SUMMED: usize = 2;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let (alpha, beta) = (call.attributes.float("alpha", 1.0)?, call.attributes.float("beta", 1.0)?);
    let (trans_a, trans_b) = (call.attributes.flag("transA", false)?, call.attributes.flag("transB", false)?);
    let (a, b) = (call.dims(0)?, call.dims(1)?);
    let fail = || Fault::Shapes(vec![a.clone(), b.clone()]);
    let (&[rows, columns], &[b_rows, b_columns]) = (&a[..], &b[..]) else { return Err(fail()) };
    if (if trans_a { rows } else { columns }) != (if trans_b { b_columns } else { b_rows }) {
        return Err(fail());
    }
    let left = if trans_a { vec![SUMMED, ROWS] } else { vec![ROWS, SUMMED] };
    let right = if trans_b { vec![COLUMNS, SUMMED] } else { vec![SUMMED, COLUMNS] };
    let left = Operand { value: call.value(0)?.clone(), labels: left };
    let right = Operand { value: call.value(1)?.clone(), labels: right };
    let mut combine = contract(call, left, right, &[ROWS, COLUMNS], alpha)?;
    if call.has(2) {
        let own = call.dims(2)?;
        if common(&own, &combine.axes)? != combine.axes {
            return Err(Fault::Shapes(vec![own, combine.axes]));
        }
        match call.value(2)?.clone() {
            Value::Constant(mut c) => {
                c.values.iter_mut().for_each(|value| *value *= beta);
                combine.bias = Some(Bias::broadcast(&c, &combine.axes));
            }
            Value::Node(c) => {
                let view = broadcast(c, &own, &combine.axes);
                combine.terms.push(Term::Plain { factor: beta, view });
            }
        }
    }
    call.result(combine.axes.clone(), Kind::Combine(combine))
}
