//! The contraction's sumcheck: weights are read once, activations once.
use assay_circuits::eval::Weights;
use assay_verifier::circuit::{CheckedCircuit, Gather, Pass, Sharing, Side, View, Weight};
use assay_verifier::field::{EF, F, signed};
use assay_verifier::sumcheck::contraction::{DEGREE, Instance, Kind, Reduced, padded_positions, shared_variables};
use assay_verifier::sumcheck::eq::eq_range;
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, PrimeField64};
use rayon::prelude::*;

use super::channel::Channel;
use super::rounds::{fold, pair, round, sum_over};

/// Where an instance's values come from.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The circuit.
    pub checked: &'a CheckedCircuit,
    /// Its weights.
    pub weights: &'a Weights,
    /// All tensors.
    pub nodes: &'a [Vec<i64>],
}

/// Proves the sum of all instances, after sending it; returns it with what remains.
pub fn prove<'a>(channel: &mut Channel<'_>, sources: Sources<'_>, instances: &[Instance<'a>]) -> (EF, Reduced<'a>) {
    let mut factors: Vec<Vec<Vec<EF>>> = instances.par_iter().map(|instance| sources.factors(instance)).collect();
    let sum = |(instance, factors): (&Instance<'a>, &Vec<Vec<EF>>)| {
        let terms = sum_over(factors[0].len(), |index| [factors.iter().map(|values| values[index]).product()]);
        instance.coefficient * terms[0]
    };
    let total: EF = instances.iter().zip(&factors).map(sum).sum();
    channel.send(total);
    let variables = instances.iter().map(|instance| instance.variables).max().unwrap_or_default();
    let mut claim = total;
    let mut point = Vec::with_capacity(variables);
    let mut unused = vec![EF::ONE; instances.len()];
    for number in 0..variables {
        let mut values = [EF::ZERO; DEGREE];
        for ((instance, factors), unused) in instances.iter().zip(&factors).zip(&unused) {
            let part = if number < instance.variables {
                round_values(factors)
            } else {
                let value: EF = factors.iter().map(|values| values[0]).product::<EF>() * *unused;
                [value, -value, -value.double()]
            };
            values.iter_mut().zip(part).for_each(|(sum, part)| *sum += instance.coefficient * part);
        }
        let challenge = round(channel, &values, &mut claim);
        for ((instance, factors), unused) in instances.iter().zip(&mut factors).zip(&mut unused) {
            if number < instance.variables {
                factors.iter_mut().for_each(|values| fold(values, challenge));
            } else {
                *unused *= EF::ONE - challenge;
            }
        }
        point.push(challenge);
    }
    point.reverse();
    let mut reduced = Reduced::default();
    for (instance, factors) in instances.iter().zip(&factors) {
        let claimed: Vec<EF> = factors.iter().take(instance.claimed()).map(|values| values[0]).collect();
        claimed.iter().for_each(|&value| channel.send(value));
        instance.leave(sources.checked, &point[variables - instance.variables..], &claimed, &mut reduced);
    }
    (total, reduced)
}

/// Values at 0, 2 and 3 of the product of the factors, summed over the smaller cube.
fn round_values(factors: &[Vec<EF>]) -> [EF; DEGREE] {
    sum_over(factors[0].len().div_ceil(2), |index| {
        let mut values = [EF::ONE; DEGREE];
        for factor in factors {
            let (zero, slope) = pair(factor, index);
            let two = zero + slope.double();
            values[0] *= zero;
            values[1] *= two;
            values[2] *= two + slope;
        }
        values
    })
}

impl Sources<'_> {
    /// The factors of an instance: what is claimed first, then what the verifier knows.
    fn factors(&self, instance: &Instance<'_>) -> Vec<Vec<EF>> {
        match instance.kind {
            Kind::Dense { weight, view, gather } => {
                let spec = &self.checked.circuit().weights[weight as usize];
                let summed = (spec.taps * spec.channels) as usize;
                let outputs = eq_range(instance.inner_point, 0, spec.outputs as usize);
                let weights = combine_rows(&self.weights[weight as usize], summed, &outputs);
                let tensor = self.over_rows(view, gather, instance.rows);
                vec![pad(spec, &weights), pad(spec, &tensor)]
            }
            Kind::Grouped { weight, view, gather } => {
                let spec = &self.checked.circuit().weights[weight as usize];
                let row = spec.padded_row() as usize;
                let len = row << instance.inner_point.len();
                let mut factors = vec![EF::zero_vec(len), EF::zero_vec(len), EF::zero_vec(len)];
                let summed = (spec.taps * spec.channels) as usize;
                let values = &self.weights[weight as usize];
                for (o, (cells, &public)) in values.chunks_exact(summed).zip(instance.inner.iter()).enumerate() {
                    let read = self.over_rows_at(view, gather, instance.rows, o);
                    for (s, position) in padded_positions(spec).enumerate() {
                        factors[0][o * row + position] = EF::from(signed(cells[s].into()));
                        factors[1][o * row + position] = read[s];
                    }
                    factors[2][o * row..(o + 1) * row].fill(public);
                }
                // In padding outputs the public factor is its polynomial's too; there the others are zero.
                let all = eq_range(instance.inner_point, 0, 1 << instance.inner_point.len());
                for (o, &public) in all.iter().enumerate().skip(instance.inner.len()) {
                    factors[2][o * row..(o + 1) * row].fill(public);
                }
                factors
            }
            Kind::Select { weight, indices } => {
                let spec = &self.checked.circuit().weights[weight as usize];
                let channels = eq_range(instance.inner_point, 0, spec.channels as usize);
                let mut chosen = EF::zero_vec(spec.outputs as usize);
                indices.iter().zip(instance.rows.iter()).for_each(|(&index, &row)| chosen[index as usize] += row);
                vec![combine_columns(&self.weights[weight as usize], &channels), chosen]
            }
            Kind::Product { left, right, pairing } => {
                let variables = shared_variables(pairing);
                let factor = |side: Side, (view, gather): (&View, &Gather)| {
                    let rows = Share::of(&pairing.rows, side, instance.rows);
                    let mut inner = Share::of(&pairing.inner, side, instance.inner);
                    if !gather.uses_inner() {
                        inner.read_once();
                    }
                    self.over_own(view, gather, (&rows, &inner, pairing.summed), variables)
                };
                vec![factor(Side::Left, left), factor(Side::Right, right)]
            }
        }
    }

    /// One factor of a product: for each row index, inner index and summed cell that both factors share, the sum over what
    /// this one has for itself.
    fn over_own(
        &self,
        view: &View,
        gather: &Gather,
        (rows, inner, summed): (&Share, &Share, usize),
        [_, inner_variables, summed_variables]: [usize; 3],
    ) -> Vec<EF> {
        let cells = &self.nodes[view.source as usize];
        let source_inner = self.inner_of(view);
        let channels = if matches!(gather.pass, Pass::Channel { .. }) { gather.channels } else { 1 };
        let row_len = 1 << (inner_variables + summed_variables);
        let mut sums = EF::zero_vec(rows.members.len() * row_len);
        sums.par_chunks_mut(row_len).zip(&rows.members).for_each(|(sums, members)| {
            for &(row, over_row) in members {
                for (sums, members) in sums.chunks_exact_mut(1 << summed_variables).zip(&inner.members) {
                    for &(o, over_inner) in members {
                        let weight = over_row * over_inner;
                        let free = if gather.inner == 1 { 0 } else { o };
                        let sums = sums[..summed].chunks_exact_mut(channels);
                        for (place, sums) in gather.taps(row, free).zip(sums) {
                            let Some(place) = place else { continue };
                            let start = match gather.pass {
                                Pass::None => place,
                                Pass::Output { offset } => place * source_inner + offset + o,
                                Pass::Channel { offset } => place * source_inner + offset,
                            };
                            for (sum, &cell) in sums.iter_mut().zip(&cells[start..start + channels]) {
                                *sum += weight * signed(cell);
                            }
                        }
                    }
                }
            }
        });
        sums
    }

    fn inner_of(&self, view: &View) -> usize {
        self.checked.circuit().nodes[view.source as usize].inner as usize
    }

    /// `sum_p rows[p] * x[view(p, s)]` for each summed cell.
    fn over_rows(&self, view: &View, gather: &Gather, rows: &[EF]) -> Vec<EF> {
        self.over_rows_at(view, gather, rows, 0)
    }

    /// The same for one output.
    fn over_rows_at(&self, view: &View, gather: &Gather, rows: &[EF], o: usize) -> Vec<EF> {
        let cells = &self.nodes[view.source as usize];
        let inner = self.inner_of(view);
        let free = if gather.inner == 1 { 0 } else { o };
        let channels = if matches!(gather.pass, Pass::Channel { .. }) { gather.channels } else { 1 };
        let mut sums = EF::zero_vec(gather.taps * channels);
        for (row, &weight) in rows.iter().enumerate() {
            for (place, sums) in gather.taps(row, free).zip(sums.chunks_exact_mut(channels)) {
                let Some(place) = place else { continue };
                let start = match gather.pass {
                    Pass::None => place,
                    Pass::Output { offset } => place * inner + offset + o,
                    Pass::Channel { offset } => place * inner + offset,
                };
                for (sum, &cell) in sums.iter_mut().zip(&cells[start..start + channels]) {
                    *sum += weight * signed(cell);
                }
            }
        }
        sums
    }
}

/// For each shared index of a factor the indices of the result that it sums over, with their weights.
struct Share {
    members: Vec<Vec<(usize, EF)>>,
}

impl Share {
    fn of(sharing: &Sharing, side: Side, weights: &[EF]) -> Self {
        if sharing.weighted != side {
            return Self { members: (0..sharing.len()).map(|at| vec![(sharing.first(at), EF::ONE)]).collect() };
        }
        let mut members = vec![Vec::new(); sharing.len()];
        for (index, &weight) in weights.iter().enumerate() {
            members[sharing.shared(index)].push((index, weight));
        }
        Self { members }
    }

    /// Adds up the weights of what a factor reads alike.
    fn read_once(&mut self) {
        for members in &mut self.members {
            *members = vec![(members[0].0, members.iter().map(|&(_, weight)| weight).sum())];
        }
    }
}

/// Spreads values of the valid summed cells over a padded row.
fn pad(spec: &Weight, values: &[EF]) -> Vec<EF> {
    let mut row = EF::zero_vec(spec.padded_row() as usize);
    for (position, &value) in padded_positions(spec).zip(values) {
        row[position] = value;
    }
    row
}

/// `sum_o factors[o] * weights[o, s]`. Products of 16-bit weights with 32-bit halves of the factors are accumulated in 64-bit
/// integers and reduced once for each block of rows.
fn combine_rows(weights: &[i16], summed: usize, factors: &[EF]) -> Vec<EF> {
    const COLUMNS: usize = 1 << 10;
    const ROWS: usize = 1 << 14;
    let mut combined = EF::zero_vec(summed);
    combined.par_chunks_mut(COLUMNS).enumerate().for_each(|(chunk, combined)| {
        let start = chunk * COLUMNS;
        for (block, factors) in factors.chunks(ROWS).enumerate() {
            let mut sums = vec![[0i64; COLUMNS]; 4];
            for (row, factor) in factors.iter().enumerate() {
                let at = (block * ROWS + row) * summed + start;
                let cells = &weights[at..at + combined.len()];
                let halves = halves(*factor);
                for (sums, half) in sums.iter_mut().zip(halves) {
                    for (sum, &weight) in sums.iter_mut().zip(cells) {
                        *sum += i64::from(weight) * half;
                    }
                }
            }
            let two_32 = F::from_u64(1 << 32);
            for (index, cell) in combined.iter_mut().enumerate() {
                let coefficient = |low: usize| wide(sums[low][index]) + two_32 * wide(sums[low + 1][index]);
                *cell += EF::from_basis_coefficients_fn(|i| coefficient(2 * i));
            }
        }
    });
    combined
}

/// `sum_s weights[o, s] * factors[s]` for each output, accumulated like [`combine_rows`].
fn combine_columns(weights: &[i16], factors: &[EF]) -> Vec<EF> {
    let halves: Vec<[i64; 4]> = factors.iter().map(|&factor| halves(factor)).collect();
    let two_32 = F::from_u64(1 << 32);
    let output = |cells: &[i16]| {
        let mut sums = [0i64; 4];
        for (&weight, halves) in cells.iter().zip(&halves) {
            sums.iter_mut().zip(halves).for_each(|(sum, half)| *sum += i64::from(weight) * half);
        }
        let coefficient = |low: usize| wide(sums[low]) + two_32 * wide(sums[low + 1]);
        EF::from_basis_coefficients_fn(|i| coefficient(2 * i))
    };
    weights.par_chunks_exact(factors.len()).with_min_len(64).map(output).collect()
}

/// The four 32-bit halves of an element's coefficients.
fn halves(value: EF) -> [i64; 4] {
    let coefficients: &[F] = value.as_basis_coefficients_slice();
    let [a, b] = [coefficients[0].as_canonical_u64(), coefficients[1].as_canonical_u64()];
    [a & 0xffff_ffff, a >> 32, b & 0xffff_ffff, b >> 32].map(|half| half as i64)
}

/// The field element of any 64-bit integer.
fn wide(value: i64) -> F {
    let magnitude = F::from_u64(value.unsigned_abs());
    if value < 0 { -magnitude } else { magnitude }
}
