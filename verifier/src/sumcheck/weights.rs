//! How the weight tensors are committed: in one stack, or several where one would waste half of itself.
use alloc::vec::Vec;

use super::VerifyError;
use super::contraction::log2;
use super::pcs::{ColumnOpening, Purpose, StackShape};
use crate::circuit::Circuit;
use crate::field::EF;
use crate::transcript::Transcript;

/// Largest stack: several smaller ones cost more to open and to verify, a larger one takes more memory at once.
const STACK_VARIABLES_MAX: usize = 24;
/// Stacks at least this large are split where they lie just above a power of two.
const SPLIT_VARIABLES_MIN: usize = 20;

/// A claim on a weight tensor's multilinear extension over `[outputs, summed cells]`, both padded.
#[derive(Clone, Debug)]
pub struct WeightClaim {
    /// Index of the tensor.
    pub weight: usize,
    /// The point, most significant coordinate first.
    pub point: Vec<EF>,
    /// The claimed value.
    pub value: EF,
}

/// The stacks of a circuit's weights.
#[derive(Clone, Debug)]
pub struct WeightStacks {
    /// Their shapes.
    pub shapes: Vec<StackShape>,
    /// For each stack the weight tensors in it, in the order of its columns.
    pub members: Vec<Vec<usize>>,
}

impl WeightStacks {
    /// Lays out a circuit's weights: largest first, each stack filled up to its size.
    pub fn new(circuit: &Circuit) -> Self {
        let mut order: Vec<(usize, usize)> =
            circuit.weights.iter().map(|spec| log2(spec.padded_len())).enumerate().collect();
        order.sort_by_key(|&(_, variables)| core::cmp::Reverse(variables));
        let mut stacks = Self { shapes: Vec::new(), members: Vec::new() };
        let mut rest = order.as_slice();
        while !rest.is_empty() {
            let capacity = stack_capacity(rest);
            let mut used = 0u64;
            let fitting = rest
                .iter()
                .take_while(|&&(_, variables)| {
                    used = used.saturating_add(cells(variables));
                    used <= capacity
                })
                .count()
                .max(1);
            let (now, later) = rest.split_at_checked(fitting).unwrap_or((rest, &[]));
            stacks
                .shapes
                .push(StackShape { purpose: Purpose::Weights, columns: now.iter().map(|&(_, v)| v).collect() });
            stacks.members.push(now.iter().map(|&(weight, _)| weight).collect());
            rest = later;
        }
        stacks
    }

    /// Claims that every column of a stack has the value that the key states at the key's point, then those of `claims`
    /// which speak of the stack.
    ///
    /// # Errors
    /// The key states another number of values.
    pub fn openings(
        &self,
        stack: usize,
        stated: &[EF],
        point: &[EF],
        claims: &[WeightClaim],
    ) -> Result<Vec<ColumnOpening>, VerifyError> {
        let (Some(shape), Some(members)) = (self.shapes.get(stack), self.members.get(stack)) else {
            return Err(VerifyError::Parameters);
        };
        if stated.len() != members.len() {
            return Err(VerifyError::Key("number of stated weight values"));
        }
        let own = |variables: usize| point.get(point.len().saturating_sub(variables)..).unwrap_or_default().to_vec();
        let mut openings: Vec<ColumnOpening> = stated
            .iter()
            .zip(&shape.columns)
            .enumerate()
            .map(|(column, (&value, &variables))| ColumnOpening { column, point: own(variables), value })
            .collect();
        for (column, &weight) in members.iter().enumerate() {
            let of_column = claims.iter().filter(|claim| claim.weight == weight);
            openings.extend(of_column.map(|claim| ColumnOpening {
                column,
                point: claim.point.clone(),
                value: claim.value,
            }));
        }
        Ok(openings)
    }

    /// The point at which the key states every column's value: for columns of `k` variables its last `k` coordinates. Drawn
    /// from the description and all roots.
    pub fn stated_point(&self, circuit: &[u8; 32], roots: &[[u8; 32]]) -> Vec<EF> {
        let mut transcript = Transcript::new("assay sumcheck v1 weights");
        transcript.bytes(circuit);
        roots.iter().for_each(|root| transcript.bytes(root));
        let variables = self.shapes.iter().flat_map(|shape| &shape.columns).copied().max().unwrap_or_default();
        transcript.sample_point(variables)
    }
}

fn cells(variables: usize) -> u64 {
    1u64.checked_shl(u32::try_from(variables).unwrap_or(64)).unwrap_or(1 << 62)
}

/// How many cells the next stack takes of those that are left.
fn stack_capacity(rest: &[(usize, usize)]) -> u64 {
    let total = rest.iter().fold(0u64, |sum, &(_, variables)| sum.saturating_add(cells(variables)));
    let variables = log2(total.min(1 << 40));
    if variables > STACK_VARIABLES_MAX {
        return cells(STACK_VARIABLES_MAX);
    }
    let half = cells(variables.saturating_sub(1));
    let little_above = total > half && total.saturating_sub(half) <= half >> 2;
    if variables >= SPLIT_VARIABLES_MIN && little_above { half } else { cells(variables) }
}
