//! Writes the terms of an integer sum: factors, quantised weights, digits of weights and biases.
use assay_verifier::circuit::{Expr, Range, Term, View};

use super::combine::Resolved;
use super::frame::Frame;
use super::select::Chosen;
use super::{LONG_SUM, Lowering, SCALE_MAX, SHIFT_MAX_LONG};
use crate::graph::{self, Bias, NodeId};
use crate::quantize::{decompose, finest_scale, power_of_two, round};

/// Bits of one digit.
const DIGIT_BITS: u32 = 15;
/// Bits that a second digit adds to weights; balanced digits cover one less than two full ones.
const SECOND_DIGIT_BITS: i32 = 13;
/// Most digits of a bias.
pub const BIAS_DIGITS_MAX: usize = 3;
/// A bias of several digits is that many bits finer than the result.
const BIAS_BITS: i32 = 4;
/// Weights of at least this many values are cut so that little of them is padding.
const LARGE_WEIGHT: u64 = 1 << 16;
/// Most parts that a weight is cut into.
const PARTS_MAX: usize = 3;
/// Weights get a second digit when one leaves the sum fewer than `bits` minus this many bits finer than the result:
/// when the largest product is 128 times the largest result.
const CANCELLED_BITS: i32 = 8;

impl Lowering<'_> {
    /// The integer factor of a term and the scale of its sum.
    pub(super) fn choice(&self, id: NodeId, term: &Resolved<'_>, target: i32) -> (i64, i32) {
        let source: i32 = term.scales.iter().sum();
        let whole = self.whole[id as usize];
        match term.term {
            graph::Term::Plain { factor, .. } | graph::Term::Product { factor, .. } if whole => {
                (*factor as i64, source)
            }
            graph::Term::Weighted { .. } if whole => (1, source),
            graph::Term::Plain { factor, .. } | graph::Term::Product { factor, .. } => {
                let (multiplier, scale) = decompose(*factor);
                (multiplier, source + scale)
            }
            graph::Term::Weighted { weights, view, .. } => {
                let bits = i32::from(self.bits);
                let one = finest_scale(largest(weights), power_of_two(bits - 1) - 1.0, SCALE_MAX);
                let is_coarse = source + one < target + bits - CANCELLED_BITS;
                let finest = if is_coarse { one + SECOND_DIGIT_BITS } else { one };
                let products: usize = view.sum.iter().map(|&length| length as usize).product();
                let shift = if products > LONG_SUM { self.shift.max(SHIFT_MAX_LONG) } else { self.shift };
                // Sums that were not rescaled are wider than an activation, and so are the errors that weights make of them.
                let magnitude = self.ranges[view.source as usize].magnitude() * power_of_two(source);
                let wider = (0..16).find(|&bits| magnitude <= power_of_two(15 + bits)).unwrap_or(16);
                (1, (source + finest).min(target + shift + wider))
            }
            graph::Term::Selected { table, .. } => {
                let one = finest_scale(largest(table), power_of_two(DIGIT_BITS as i32) - 1.0, SCALE_MAX);
                let finest = if one < target { one + SECOND_DIGIT_BITS } else { one };
                (1, finest.min(target + self.shift))
            }
        }
    }

    /// Writes a term whose sum has the scale `scale`, times a coefficient; returns the range of the whole sum.
    pub(super) fn emit(
        &mut self,
        term: &Resolved<'_>,
        (scale, coefficient): (i32, i64),
        frame: &Frame,
        expr: &mut Expr,
        total: Range,
    ) -> Option<Range> {
        let source = |view: &View| self.builder.range(view.source).with_zero();
        let (emitted, range) = match term.term {
            graph::Term::Plain { .. } => {
                let (view, _) = frame.arrange(&term.views[0]);
                let range = source(&view).sum(view.sum_len())?;
                (Term::Linear { coefficient, view }, range)
            }
            graph::Term::Product { .. } => {
                let (left, right) = frame.arrange_pair(&term.views[0], &term.views[1]);
                let range = source(&left).product(source(&right))?.sum(left.sum_len())?;
                (Term::Product { coefficient, left, right }, range)
            }
            graph::Term::Selected { rows, over, table, .. } => {
                let chosen = Chosen::Input(&term.views[0]);
                let columns = frame.places(over);
                let length = table.len() / *rows as usize;
                let factor = power_of_two(scale);
                let entry = |row: usize, column: &usize| round(table[row * length + column] * factor);
                let values = (0..*rows as usize).flat_map(|row| columns.iter().map(move |column| entry(row, column)));
                return self.selection(values.collect(), chosen, coefficient, frame, expr, total);
            }
            graph::Term::Weighted { over, weights, .. } => {
                let factor = power_of_two(scale - term.scales[0]);
                let (view, columns) = frame.arrange(&term.views[0]);
                let rows = frame.places(over);
                let place = |row: &usize| row * columns.len();
                let quantised = |at: usize| round(weights[at] * factor);
                let values = rows.iter().flat_map(|row| columns.iter().map(move |column| place(row) + column));
                return self.layer(values.map(quantised).collect(), coefficient, &view, frame, expr, total);
            }
        };
        expr.terms.push(emitted);
        total.plus(range.times(coefficient)?)
    }

    /// Writes a product with weights: one tensor, or two if the weights do not fit 16 bits.
    fn layer(
        &mut self,
        values: Vec<i64>,
        coefficient: i64,
        view: &View,
        frame: &Frame,
        expr: &mut Expr,
        mut total: Range,
    ) -> Option<Range> {
        let (taps, channels) = frame.taps(view);
        let outputs = frame.shape().1;
        let fits = values.iter().all(|&value| i16::try_from(value).is_ok());
        let parts = if fits { vec![(values, 1)] } else { digits(values, 2)? };
        for (values, unit) in parts {
            let coefficient = coefficient.checked_mul(unit)?;
            for (start, length) in cuts(view, outputs, channels) {
                let values = values.chunks_exact(channels as usize);
                let values = values.flat_map(|row| &row[start as usize..(start + length) as usize]);
                let values = values.map(|&value| value as i16).collect();
                let (weight, width) = self.builder.weight(outputs, taps, length, values);
                let view = if length == channels { view.clone() } else { part(view, start, length) };
                let range = self.builder.range(view.source).with_zero().product(width)?.sum(view.sum_len())?;
                total = total.plus(range.times(coefficient)?)?;
                expr.terms.push(Term::Contract { coefficient, weight, view });
            }
        }
        Some(total)
    }

    /// Writes a bias at most as fine as `finest`: a constant if it is the same everywhere, else digits of 15 bits,
    /// each a weight tensor. One digit is enough if it is about as fine as the result, unless it must be exact.
    pub(super) fn bias(
        &mut self,
        bias: &Bias,
        (scale, finest, exact): (i32, i32, bool),
        frame: &Frame,
        expr: &mut Expr,
        mut total: Range,
    ) -> Option<Range> {
        let single = finest_scale(largest(&bias.values), power_of_two(DIGIT_BITS as i32 - 1) - 1.0, finest);
        let own = if single > finest - BIAS_BITS && !exact { single } else { finest };
        let unit = 1i64.checked_shl(u32::try_from(scale - own).ok()?).filter(|&unit| unit > 0)?;
        let values: Vec<i64> = bias.values.iter().map(|value| round(value * power_of_two(own))).collect();
        values.iter().all(|value| value.unsigned_abs() < 1 << 60).then_some(())?;
        if let Some(&first) = values.first().filter(|&first| values.iter().all(|value| value == first)) {
            expr.constant = expr.constant.checked_add(first.checked_mul(unit)?)?;
            return total.plus(Range { low: expr.constant, high: expr.constant });
        }
        if frame.refined(&bias.over).iter().any(|axis| frame.split().0.contains(axis)) {
            return self.bias_of_rows(bias, &values, unit, frame, expr, total);
        }
        let rows = frame.places(&bias.over);
        for (values, digit) in digits(values, BIAS_DIGITS_MAX)? {
            let values = rows.iter().map(|&row| values[row] as i16).collect();
            let (weight, range) = self.builder.weight(frame.shape().1, 1, 1, values);
            let coefficient = unit.checked_mul(digit)?;
            total = total.plus(range.times(coefficient)?)?;
            expr.terms.push(Term::Bias { coefficient, weight });
        }
        Some(total)
    }

    /// How fine a bias is worth being for a result at `target`.
    pub(super) fn bias_scale(target: i32) -> i32 {
        target + BIAS_BITS
    }
}

/// Where to cut the channels of a weight: large weights are committed without much padding to powers of two.
fn cuts(view: &View, outputs: u32, channels: u32) -> Vec<(u32, u32)> {
    let is_large = u64::from(outputs) * view.sum_len() >= LARGE_WEIGHT;
    let mut cuts = Vec::new();
    let mut start = 0;
    while is_large && view.sum.last() == Some(&channels) && cuts.len() < PARTS_MAX - 1 {
        let rest = channels - start;
        // What padding to a power of two would add.
        if rest.next_power_of_two() - rest <= channels / 8 {
            break;
        }
        let length = rest.next_power_of_two() / 2;
        cuts.push((start, length));
        start += length;
    }
    cuts.push((start, channels - start));
    cuts
}

/// The view that sums only a part of its last axis.
fn part(view: &View, start: u32, length: u32) -> View {
    let mut part = view.clone();
    if let Some(last) = part.sum.last_mut() {
        *last = length;
    }
    for map in &mut part.maps {
        map.offset += map.coefficients.last().map_or(0, |step| step * i64::from(start));
    }
    part
}

/// Balanced digits of 15 bits with what each is worth; digits that are zero everywhere are left out. Nothing if `most`
/// digits are not enough.
pub fn digits(mut values: Vec<i64>, most: usize) -> Option<Vec<(Vec<i64>, i64)>> {
    let mut parts = Vec::new();
    for place in 0..most as u32 {
        let (low, high): (Vec<i64>, Vec<i64>) = values.iter().map(|&value| balanced(value)).unzip();
        values = high;
        if low.iter().any(|&value| value != 0) {
            parts.push((low, 1i64 << (DIGIT_BITS * place)));
        }
    }
    values.iter().all(|&value| value == 0).then_some(parts)
}

/// The lowest digit in `-2^14 .. 2^14` and what is left.
fn balanced(value: i64) -> (i64, i64) {
    let half = 1i64 << (DIGIT_BITS - 1);
    let low = (value + half).rem_euclid(1 << DIGIT_BITS) - half;
    (low, (value - low) >> DIGIT_BITS)
}

/// Largest absolute value.
fn largest(values: &[f64]) -> f64 {
    values
        .iter()
        .fold(0.0, |largest: f64, value| if libm::fabs(*value) > largest { libm::fabs(*value) } else { largest })
}

#[cfg(test)]
mod tests {
    use super::{balanced, digits};

    #[test]
    fn digits_add_up() {
        let values: Vec<i64> = (-20..20).flat_map(|i| [i * 49_999, i << 23, (i << 24) - 1, i]).collect();
        let parts = digits(values.clone(), 2).expect("two digits are enough");
        for (place, value) in values.iter().enumerate() {
            assert_eq!(parts.iter().map(|(digit, unit)| digit[place] * unit).sum::<i64>(), *value);
            assert!(parts.iter().all(|(digit, _)| i16::try_from(digit[place]).is_ok()));
        }
        assert!(digits(vec![1 << 30], 2).is_none());
    }

    #[test]
    fn digits_are_balanced() {
        for value in [-(1 << 14), (1 << 14) - 1, 1 << 14, -(1 << 14) - 1, 0] {
            let (low, high) = balanced(value);
            assert_eq!(low + (high << 15), value);
            assert!((-(1 << 14)..1 << 14).contains(&low));
        }
    }
}
