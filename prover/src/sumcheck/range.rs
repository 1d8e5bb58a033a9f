//! The range proof of committed weights, made once with the key.
use assay_circuits::eval::Weights;
use assay_verifier::field::{EF, F, signed};
use assay_verifier::sumcheck::contraction::padded_positions;
use assay_verifier::sumcheck::eq::{dot, eq_range};
use assay_verifier::sumcheck::key::{CheckedKey, RangeProof};
use assay_verifier::sumcheck::pcs::{ColumnOpening, observe_root};
use assay_verifier::sumcheck::range::{RangeLayout, transcript};
use assay_verifier::sumcheck::weights::WeightClaim;
use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;

use super::channel::Channel;
use super::eq::eq_table;
use super::lookup::{self, Fractions};
use super::pcs::{CommitError, Committed};
use super::{WeightColumns, open_weights};

/// Proves that weights are in range.
///
/// # Errors
/// Sizes are outside what the security parameters allow.
pub fn prove(key: &CheckedKey, weights: &Weights, committed: &[Committed]) -> Result<RangeProof, CommitError> {
    let circuit = key.circuit().circuit();
    let layout = RangeLayout::new(circuit, key.stacks());
    let shape = layout.multiplicities();
    let columns = WeightColumns { circuit, weights };
    let counts = count(&columns, &layout);
    let multiplicities = Committed::new(shape.clone(), |column, cells| {
        cells.iter_mut().zip(&counts[column]).for_each(|(cell, &count)| *cell = F::from_u64(count));
    })?;

    let mut transcript = transcript(key);
    observe_root(&multiplicities.root(), &mut transcript);
    let mut channel = Channel::new(&mut transcript);
    let value_at = |column: usize, point: &[EF]| -> EF {
        let weights = eq_range(point, 0, counts[column].len());
        let values: Vec<EF> = counts[column].iter().map(|&count| F::from_u64(count).into()).collect();
        dot(&weights, &values)
    };
    let mut openings = Vec::new();
    for (column, &variables) in shape.columns.iter().enumerate() {
        let point = channel.transcript.sample_point(variables);
        let value = value_at(column, &point);
        channel.send(value);
        openings.push(ColumnOpening { column, point, value });
    }
    let (alpha, beta) = (channel.sample(), channel.sample());
    let leaves = leaves(&columns, &layout, &counts, alpha, beta);
    let leaf = lookup::prove(&mut channel, leaves, layout.variables);
    let mut claims = Vec::new();
    for &(weight, _, variables) in &layout.tensors {
        let point = leaf.point[layout.variables - variables..].to_vec();
        let value = columns.evaluate(weight, &point);
        channel.send(value);
        claims.push(WeightClaim { weight, point, value });
    }
    for (column, &(bits, _)) in layout.tables.iter().enumerate() {
        let point = leaf.point[layout.variables - usize::from(bits)..].to_vec();
        let value = value_at(column, &point);
        channel.send(value);
        openings.push(ColumnOpening { column, point, value });
    }
    let messages = channel.messages;
    Ok(RangeProof {
        root: multiplicities.root(),
        messages,
        multiplicities: multiplicities.open(&openings, &mut transcript)?,
        weights: open_weights(key, committed, &claims, &mut transcript)?,
    })
}

/// How often each table entry is looked up.
fn count(columns: &WeightColumns<'_>, layout: &RangeLayout) -> Vec<Vec<u64>> {
    let mut counts: Vec<Vec<u64>> = layout.tables.iter().map(|&(bits, _)| vec![0; 1 << bits]).collect();
    for &(weight, _, variables) in &layout.tensors {
        let spec = &columns.circuit.weights[weight];
        let table = layout.tables.iter().position(|&(bits, _)| bits == spec.bits).expect("laid out");
        for &value in &columns.weights[weight] {
            counts[table][(i64::from(value) + (1 << (spec.bits - 1))) as usize] += 1;
        }
        let zero = layout.tables.iter().position(|&(bits, _)| bits == 0).expect("laid out");
        counts[zero][0] += (1u64 << variables) - columns.weights[weight].len() as u64;
    }
    counts
}

fn leaves(columns: &WeightColumns<'_>, layout: &RangeLayout, counts: &[Vec<u64>], alpha: EF, beta: EF) -> Fractions {
    let tensors = layout.tensors.iter().map(|&(_, offset, variables)| offset + (1 << variables));
    let tables = layout.tables.iter().map(|&(bits, offset)| offset + (1 << bits));
    let len = tensors.chain(tables).max().unwrap_or(0);
    let mut leaves = Fractions { numerators: vec![EF::ONE; len], denominators: EF::zero_vec(len) };
    for &(weight, offset, variables) in &layout.tensors {
        let spec = &columns.circuit.weights[weight];
        let padding = alpha - beta * RangeLayout::tag(0);
        let valid = alpha - beta * RangeLayout::tag(spec.bits) - RangeLayout::shift(spec.bits);
        let cells = &mut leaves.denominators[offset..offset + (1 << variables)];
        cells.fill(padding);
        let row = spec.padded_row() as usize;
        let summed = (spec.taps * spec.channels) as usize;
        let positions: Vec<usize> = padded_positions(spec).collect();
        cells.par_chunks_mut(row).zip(columns.weights[weight].par_chunks(summed)).for_each(|(cells, values)| {
            for (&position, &value) in positions.iter().zip(values) {
                cells[position] = valid - signed(value.into());
            }
        });
    }
    for (&(bits, offset), counts) in layout.tables.iter().zip(counts) {
        let base = alpha - beta * RangeLayout::tag(bits);
        for (entry, &count) in counts.iter().enumerate() {
            leaves.numerators[offset + entry] = EF::from(-F::from_u64(count));
            leaves.denominators[offset + entry] = base - F::from_usize(entry);
        }
    }
    leaves
}

impl WeightColumns<'_> {
    /// A tensor's multilinear extension at a point.
    pub fn evaluate(&self, weight: usize, point: &[EF]) -> EF {
        let spec = &self.circuit.weights[weight];
        let row_variables = (spec.padded_row() as usize).trailing_zeros() as usize;
        let (high, low) = point.split_at(point.len() - row_variables);
        let outputs = eq_table(high, spec.outputs as usize, EF::ONE);
        let row = eq_table(low, spec.padded_row() as usize, EF::ONE);
        let taps: Vec<EF> = padded_positions(spec).map(|position| row[position]).collect();
        self.weights[weight]
            .par_chunks(taps.len())
            .zip(outputs)
            .map(|(values, output)| {
                let sum: EF = values.iter().zip(&taps).map(|(&value, &tap)| tap * signed(value.into())).sum();
                output * sum
            })
            .sum()
    }
}
