//! Terms that differ from row to row: rows of a table, chosen by an input or by the description.
use assay_verifier::circuit::{Expr, Indices, Op, Range, Term, View};

use super::Lowering;
use super::emit::{BIAS_DIGITS_MAX, digits};
use super::frame::Frame;
use crate::graph::Bias;
use crate::graph::passes::places;
use crate::tensor::strides;

/// What chooses the rows.
pub enum Chosen<'a> {
    /// An input, read through a view.
    Input(&'a View),
    /// The description.
    Constant(Vec<u32>),
}

impl Lowering<'_> {
    /// Writes rows of a table, as digits that fit weights; returns the range of the whole sum. Nothing if the input
    /// does not have one number for each row of the node, in their order.
    pub(super) fn selection(
        &mut self,
        values: Vec<i64>,
        chosen: Chosen<'_>,
        coefficient: i64,
        frame: &Frame,
        expr: &mut Expr,
        mut total: Range,
    ) -> Option<Range> {
        let indices = match chosen {
            Chosen::Constant(indices) => Indices::Constant(indices),
            Chosen::Input(view) => self.one_for_each_row(&frame.arrange(view).0, frame)?,
        };
        let inner = frame.shape().1;
        let fits = values.iter().all(|&value| i16::try_from(value).is_ok());
        for (values, unit) in if fits { vec![(values, 1)] } else { digits(values, BIAS_DIGITS_MAX)? } {
            let rows = u32::try_from(values.len()).ok()? / inner;
            let values = values.iter().map(|&value| value as i16).collect();
            let (weight, range) = self.builder.weight(rows, 1, inner, values);
            let coefficient = coefficient.checked_mul(unit)?;
            total = total.plus(range.times(coefficient)?)?;
            expr.terms.push(Term::Select { coefficient, weight, indices: indices.clone() });
        }
        Some(total)
    }

    /// Writes a bias that depends on the row: a table of the rows that differ.
    pub(super) fn bias_of_rows(
        &mut self,
        bias: &Bias,
        values: &[i64],
        coefficient: i64,
        frame: &Frame,
        expr: &mut Expr,
        total: Range,
    ) -> Option<Range> {
        let over = frame.refined(&bias.over);
        let (rows, inner) = frame.split();
        let by: Vec<usize> = over.iter().copied().filter(|axis| rows.contains(axis)).collect();
        let cells: Vec<usize> = by.iter().chain(inner).copied().collect();
        let table = places(&frame.axes, &cells, &over).into_iter().map(|place| values[place]).collect();
        let indices = places(&frame.axes, rows, &by).into_iter().map(u32::try_from).collect::<Result<_, _>>().ok()?;
        self.selection(table, Chosen::Constant(indices), coefficient, frame, expr, total)
    }

    /// The input that a view reads, if the view is the number of the row.
    fn one_for_each_row(&self, view: &View, frame: &Frame) -> Option<Indices> {
        let node = &self.builder.nodes[view.source as usize];
        let rows = frame.split().0.len();
        let steps = strides(&view.dims);
        let affine = view.maps.iter().all(|map| map.table.is_empty());
        let step = |axis: usize| -> i64 {
            view.maps.iter().zip(&steps).map(|(map, &step)| map.coefficients[axis] * step as i64).sum()
        };
        let offset: i64 = view.maps.iter().zip(&steps).map(|(map, &step)| map.offset * step as i64).sum();
        let own = strides(&view.axes[..rows]);
        let expected = |axis: usize| if axis < rows { own[axis] as i64 } else { 0 };
        let in_order = (0..view.axes.len()).all(|axis| view.axes[axis] == 1 || step(axis) == expected(axis));
        let fits = affine && offset == 0 && view.sum.is_empty() && in_order;
        let whole = matches!(node.op, Op::Input(_)) && node.len() == u64::from(frame.shape().0);
        (fits && whole).then_some(Indices::Input(view.source))
    }
}
