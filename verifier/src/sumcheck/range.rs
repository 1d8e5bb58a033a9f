//! Proof, made once with the key, that committed weights are within their widths and padding is zero.
//!
//! Every cell of every weight tensor is one lookup: `w + 2^(bits-1)` in the range table of its width, or, where the cell is
//! padding, `w` in the table that holds zero alone. Leaves are the tensors in the order of the stacks, then the tables.
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use p3_field::PrimeCharacteristicRing;

use super::channel::Channel;
use super::contraction::{log2, tap_weights};
use super::eq::{eq_points, eq_range};
use super::key::{CheckedKey, RangeProof};
use super::pcs::{ColumnOpening, Purpose, StackShape, observe_root};
use super::weights::{WeightClaim, WeightStacks};
use super::{Step, VerifyError, lookup};
use crate::circuit::{Circuit, Weight};
use crate::field::{EF, F};
use crate::transcript::Transcript;

/// The leaves of the range proof.
#[derive(Clone, Debug)]
pub struct RangeLayout {
    /// Tensors in the order of their leaves, with offset and number of variables.
    pub tensors: Vec<(usize, usize, usize)>,
    /// Widths of the tables in descending order (0 is the table that holds zero alone) with the offsets of their leaves.
    pub tables: Vec<(u8, usize)>,
    /// Number of variables of the leaf space.
    pub variables: usize,
}

impl RangeLayout {
    /// Lays out the leaves of a circuit's weights.
    pub fn new(circuit: &Circuit, stacks: &WeightStacks) -> Self {
        let width = |weight: usize| circuit.weights.get(weight).map_or(0, |spec| spec.bits);
        let cells =
            |variables: usize| 1usize.checked_shl(u32::try_from(variables).unwrap_or(u32::MAX)).unwrap_or_default();
        let widths: BTreeSet<u8> = (0..circuit.weights.len()).map(width).chain([0]).collect();
        let tensors =
            stacks.members.iter().zip(&stacks.shapes).flat_map(|(members, shape)| members.iter().zip(&shape.columns));
        let mut blocks: Vec<(usize, Content)> =
            tensors.map(|(&weight, &variables)| (variables, Content::Tensor(weight))).collect();
        blocks.extend(widths.into_iter().map(|bits| (usize::from(bits), Content::Table(bits))));
        blocks.sort_by_key(|&(variables, _)| core::cmp::Reverse(variables));
        let mut layout = Self { tensors: Vec::new(), tables: Vec::new(), variables: 1 };
        let mut offset = 0usize;
        for (variables, content) in blocks {
            match content {
                Content::Tensor(weight) => layout.tensors.push((weight, offset, variables)),
                Content::Table(bits) => layout.tables.push((bits, offset)),
            }
            offset = offset.saturating_add(cells(variables));
        }
        layout.variables = log2(offset as u64).max(1);
        layout
    }

    /// The stack of multiplicities: one column for each table.
    pub fn multiplicities(&self) -> StackShape {
        StackShape { purpose: Purpose::Witness, columns: self.tables.iter().map(|&(bits, _)| bits.into()).collect() }
    }

    /// Tag of a table.
    pub fn tag(bits: u8) -> F {
        F::from_u64(u64::from(bits).saturating_add(1))
    }

    /// What is added to a weight of `bits` bits before it is looked up, so that it is not negative.
    pub fn shift(bits: u8) -> F {
        F::TWO.exp_u64(u64::from(bits).saturating_sub(1))
    }
}

enum Content {
    Tensor(usize),
    Table(u8),
}

/// Starts the transcript of a range proof.
pub fn transcript(key: &CheckedKey) -> Transcript {
    let mut transcript = Transcript::new("assay sumcheck v1 range");
    transcript.bytes(&key.digest().0);
    transcript
}

/// Verifies a range proof.
///
/// # Errors
/// Any of its checks fails.
pub fn verify(key: &CheckedKey, proof: &RangeProof) -> Result<(), VerifyError> {
    let circuit = key.circuit().circuit();
    let layout = RangeLayout::new(circuit, key.stacks());
    let shape = layout.multiplicities();
    let mut transcript = transcript(key);
    observe_root(&proof.root, &mut transcript);
    let mut channel = Channel::new(&mut transcript, &proof.messages);
    let mut openings = Vec::new();
    for (column, &variables) in shape.columns.iter().enumerate() {
        let point = channel.transcript.sample_point(variables);
        openings.push(ColumnOpening { column, point, value: channel.receive()? });
    }
    let (alpha, beta) = (channel.sample(), channel.sample());
    let leaf = lookup::verify(&mut channel, layout.variables)?;

    let mut numerator = EF::ZERO;
    let mut denominator = EF::ONE;
    let mut claims = Vec::new();
    for &(weight, offset, variables) in &layout.tensors {
        let Some(spec) = circuit.weights.get(weight) else { return Err(VerifyError::Parameters) };
        let (selector, point) = select(&leaf.point, offset, variables);
        let value = channel.receive()?;
        numerator += selector;
        denominator += selector * (alpha - value - lookup_shift(spec, point, beta) - EF::ONE);
        claims.push(WeightClaim { weight, point: point.to_vec(), value });
    }
    for (column, &(bits, offset)) in layout.tables.iter().enumerate() {
        let (selector, point) = select(&leaf.point, offset, bits.into());
        let index = point.iter().fold(EF::ZERO, |value, &x| value.double() + x);
        let value = channel.receive()?;
        numerator -= selector * value;
        denominator += selector * (alpha - index - beta * RangeLayout::tag(bits) - EF::ONE);
        openings.push(ColumnOpening { column, point: point.to_vec(), value });
    }
    channel.assert_zero(numerator - leaf.numerator, Step::RangeNumerator)?;
    channel.assert_zero(denominator - leaf.denominator, Step::RangeDenominator)?;
    channel.finish()?;
    shape.verify(&proof.root, &openings, &proof.multiplicities, &mut transcript)?;
    super::verify_weights(key, &claims, &proof.weights, &mut transcript)
}

/// The weight of a block of the leaf space at a point, and the point within it.
fn select(point: &[EF], offset: usize, variables: usize) -> (EF, &[EF]) {
    let (high, low) = point.split_at_checked(point.len().saturating_sub(variables)).unwrap_or_default();
    let index = offset.checked_shr(u32::try_from(variables).unwrap_or(u32::MAX)).unwrap_or_default();
    let bits: Vec<EF> = (0..high.len())
        .rev()
        .map(|bit| {
            EF::from_bool(index.checked_shr(u32::try_from(bit).unwrap_or(u32::MAX)).is_some_and(|bit| bit & 1 == 1))
        })
        .collect();
    (eq_points(&bits, high), low)
}

/// The polynomial of what is added to a tensor's cells at a point: valid cells and padding differ.
fn lookup_shift(spec: &Weight, point: &[EF], beta: EF) -> EF {
    let row = log2(spec.padded_row());
    let (outputs, taps) = point.split_at_checked(point.len().saturating_sub(row)).unwrap_or_default();
    let valid_outputs: EF = eq_range(outputs, 0, spec.outputs as usize).into_iter().sum();
    let valid: EF = valid_outputs * tap_weights(spec, taps).into_iter().sum::<EF>();
    let padding = beta * RangeLayout::tag(0);
    padding + valid * (beta * RangeLayout::tag(spec.bits) + RangeLayout::shift(spec.bits) - padding)
}
