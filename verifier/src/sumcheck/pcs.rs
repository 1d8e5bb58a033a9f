//! The commitment: WHIR over BLAKE3 Merkle trees, for stacks of columns, opened at points of our choice.
//!
//! A stack holds columns of `2^k` base field elements each, grouped into tables of equal `k`, larger ones first.
//!
//! # Soundness
//! Parameters are in the Johnson regime, at [`TERM_BITS`] bits for each error term; no conjecture is used. Everything that the
//! library asserts about a proof's shape is derived here from the caller's description, never from the proof.
use alloc::vec::Vec;
use p3_field::PrimeCharacteristicRing;
use p3_multilinear_util::point::Point;
use p3_sumcheck::layout::{SuffixProver, observe_commitment};
use p3_sumcheck::{OpeningBatch, OpeningProtocol, PrescribedPointPcs, TableShape, TableSpec};
use p3_symmetric::{CompressionFunctionFromHasher, MerkleCap, SerializingHasher};
use p3_whir::{FoldingFactor, PcsProof, ProtocolParameters, SecurityAssumption, WhirConfig, WhirProver};

use super::VerifyError;
use crate::field::{EF, F};
use crate::transcript::{Challenger, Transcript};

type Hash = SerializingHasher<p3_blake3::Blake3>;
type Compress = CompressionFunctionFromHasher<p3_blake3::Blake3, 2, 32>;
/// The Merkle trees.
pub type Mmcs = p3_merkle_tree::MerkleTreeMmcs<F, u8, Hash, Compress, 2, 32>;
/// The encoder.
pub type Dft = p3_dft::Radix2DFTSmallBatch<F>;
/// The commitment scheme, as prover and verifier use it.
pub type Pcs = WhirProver<EF, F, Dft, Mmcs, Challenger, SuffixProver<F, EF>>;
/// An opening proof.
pub type Opening = PcsProof<F, EF, Mmcs>;
/// A Merkle proof of several rows.
pub type MultiProof = <Mmcs as p3_commit::Mmcs<F>>::MultiProof;
/// A root as the library has it.
pub type Cap = MerkleCap<F, [u8; 32]>;

/// Security of each error term in bits.
pub const TERM_BITS: usize = 104;
/// Most grinding at one step in bits, and the same for stacks of more than 2^22 cells, whose folds have larger errors.
const GRINDING_BITS: usize = 16;
const GRINDING_BITS_LARGE: usize = 20;
/// Largest stack that is opened with the lesser grinding.
const LARGE_VARIABLES: usize = 22;
/// Negative logarithm of the lowest rate of later rounds.
const RATE_BITS_MAX: usize = 4;
/// Number of variables up to which the rest of a polynomial is sent in the clear; fixed by the library.
const SENT_VARIABLES: usize = 6;

/// What is committed; it decides on the trade between committing and opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Committed once and opened once.
    Witness,
    /// Committed once and opened many times.
    Weights,
}

/// The shape of a stack: for each column its number of variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackShape {
    /// Purpose of the stack.
    pub purpose: Purpose,
    /// Number of variables of each column, in descending order.
    pub columns: Vec<usize>,
}

/// A claim on one column of a stack.
#[derive(Clone, Debug)]
pub struct ColumnOpening {
    /// Index of the column.
    pub column: usize,
    /// The point, one coordinate per variable of the column.
    pub point: Vec<EF>,
    /// The claimed value.
    pub value: EF,
}

impl StackShape {
    /// The stack of a witness: one column.
    pub fn witness(variables: usize) -> Self {
        Self { purpose: Purpose::Witness, columns: alloc::vec![variables] }
    }

    /// Number of variables that the first fold takes; no column has fewer.
    pub fn first_fold(&self) -> usize {
        match (self.purpose, self.variables_unpadded()) {
            (Purpose::Witness, _) => 5,
            (Purpose::Weights, 0..=19) => 6,
            (Purpose::Weights, _) => 7,
        }
    }

    /// Negative logarithm of the rate at which the stack is encoded. A lower rate costs more to commit and less to open.
    fn rate_bits(&self) -> usize {
        match (self.purpose, self.variables_unpadded()) {
            (Purpose::Weights, 0..=19) => 3,
            _ => 2,
        }
    }

    fn variables_unpadded(&self) -> usize {
        log2_sum(self.columns.iter().copied())
    }

    /// Number of variables of a column once padded.
    fn padded(&self, variables: usize) -> usize {
        variables.max(self.first_fold())
    }

    /// Number of variables of the stack.
    pub fn variables(&self) -> usize {
        log2_sum(self.columns.iter().map(|&variables| self.padded(variables)))
    }

    /// Tables of equal columns: number of variables and the columns.
    pub fn tables(&self) -> Vec<(usize, Vec<usize>)> {
        let mut tables: Vec<(usize, Vec<usize>)> = Vec::new();
        for (column, &variables) in self.columns.iter().enumerate() {
            let variables = self.padded(variables);
            match tables.last_mut() {
                Some((same, columns)) if *same == variables => columns.push(column),
                _ => tables.push((variables, alloc::vec![column])),
            }
        }
        tables
    }

    /// The scheme for a stack of this shape.
    ///
    /// # Errors
    /// The shape is outside what the security parameters allow.
    pub fn pcs(&self) -> Result<Pcs, VerifyError> {
        let variables = self.variables();
        let mut folds = alloc::vec![self.first_fold()];
        let mut rest = variables.checked_sub(self.first_fold()).ok_or(VerifyError::Parameters)?;
        while rest > SENT_VARIABLES {
            let fold = rest.min(4);
            folds.push(fold);
            rest = rest.saturating_sub(fold);
        }
        let starting_log_inv_rate = self.rate_bits();
        let mut rate = starting_log_inv_rate;
        let round_log_inv_rates = folds
            .iter()
            .take(folds.len().saturating_sub(1))
            .map(|&fold| {
                rate = rate.saturating_add(fold).saturating_sub(1).min(RATE_BITS_MAX.max(starting_log_inv_rate));
                rate
            })
            .collect();
        let parameters = ProtocolParameters {
            starting_log_inv_rate,
            round_log_inv_rates,
            folding_factor: FoldingFactor::PerRound(folds),
            soundness_type: SecurityAssumption::JohnsonBound,
            security_level: TERM_BITS,
            pow_bits: if variables > LARGE_VARIABLES { GRINDING_BITS_LARGE } else { GRINDING_BITS },
        };
        let config = WhirConfig::new(variables, parameters).map_err(|_| VerifyError::Parameters)?;
        let blake3 = p3_blake3::Blake3;
        Ok(Pcs::new(config, Dft::default(), Mmcs::new(Hash::new(blake3), Compress::new(blake3), 0)))
    }

    /// The order in which claims are opened, as the library describes it, and the points: for each table its claims in the
    /// order given, neighbours at one point as one batch. For each batch the indices of its claims come along.
    ///
    /// # Errors
    /// A claim names no column, has another number of coordinates, or a table has no claim.
    pub fn schedule(&self, claims: &[ColumnOpening]) -> Result<Schedule, VerifyError> {
        let mut schedule =
            Schedule { protocol: OpeningProtocol::new(Vec::new()), points: Vec::new(), order: Vec::new() };
        let mut specs = Vec::new();
        let mut scheduled = 0usize;
        for (variables, columns) in self.tables() {
            let mut batches: Vec<(&[EF], Vec<usize>, Vec<usize>)> = Vec::new();
            for (index, claim) in claims.iter().enumerate() {
                let Some(local) = columns.iter().position(|&column| column == claim.column) else { continue };
                if self.columns.get(claim.column) != Some(&claim.point.len()) {
                    return Err(VerifyError::Parameters);
                }
                scheduled = scheduled.saturating_add(1);
                match batches.last_mut() {
                    Some((point, locals, indices)) if *point == claim.point && !locals.contains(&local) => {
                        locals.push(local);
                        indices.push(index);
                    }
                    _ => batches.push((&claim.point, alloc::vec![local], alloc::vec![index])),
                }
            }
            if batches.is_empty() {
                return Err(VerifyError::Parameters);
            }
            let mut requests = Vec::new();
            for (point, locals, indices) in batches {
                let mut padded = EF::zero_vec(variables.saturating_sub(point.len()));
                padded.extend(point);
                schedule.points.push(Point::new(padded));
                schedule.order.push(indices);
                requests.push(OpeningBatch::new(locals, Vec::new()));
            }
            specs.push(TableSpec::new(TableShape::new(variables, columns.len()), requests));
        }
        if scheduled != claims.len() {
            return Err(VerifyError::Parameters);
        }
        schedule.protocol = OpeningProtocol::new(specs);
        Ok(schedule)
    }

    /// Verifies that a root holds all claimed values.
    ///
    /// # Errors
    /// The proof's shape or any of its checks is wrong, or it opens to other values.
    pub fn verify(
        &self,
        root: &[u8; 32],
        claims: &[ColumnOpening],
        opening: &Opening,
        transcript: &mut Transcript,
    ) -> Result<(), VerifyError> {
        let schedule = self.schedule(claims)?;
        let opened = self
            .pcs()?
            .verify_at(&cap(root), opening, &schedule.protocol, &schedule.points, transcript.challenger())
            .map_err(|_| VerifyError::Opening(self.purpose))?;
        let matches = opened.len() == schedule.order.len()
            && opened.iter().zip(&schedule.order).all(|(batch, indices)| {
                let claimed = indices.iter().map(|&index| claims.get(index).map(|claim| claim.value));
                batch.next().is_empty() && batch.current().iter().copied().map(Some).eq(claimed)
            });
        if matches { Ok(()) } else { Err(VerifyError::OpenedValue(self.purpose)) }
    }

    /// Composed soundness of one opening in bits, and the logarithm of the number of polynomials that a root may leave open.
    ///
    /// # Errors
    /// The shape is outside what the security parameters allow.
    pub fn security(&self, claims: &[ColumnOpening]) -> Result<(f64, f64), VerifyError> {
        let security =
            self.pcs()?.prescribed_security(&self.schedule(claims)?.protocol).ok_or(VerifyError::Parameters)?;
        Ok((security.error().bits(), security.log2_max_candidates))
    }
}

/// Claims in the library's terms.
pub struct Schedule {
    /// Tables and batches.
    pub protocol: OpeningProtocol,
    /// One point per batch.
    pub points: Vec<Point<EF>>,
    /// For each batch, the indices of its claims.
    pub order: Vec<Vec<usize>>,
}

/// Absorbs a root, as committing does.
pub fn observe_root(root: &[u8; 32], transcript: &mut Transcript) {
    observe_commitment::<F, _, _>(transcript.challenger(), cap(root));
}

fn cap(root: &[u8; 32]) -> Cap {
    Cap::from(alloc::vec![*root])
}

fn log2_sum(columns: impl Iterator<Item = usize>) -> usize {
    let cells = columns.fold(0u64, |sum, variables| {
        sum.saturating_add(1u64.checked_shl(u32::try_from(variables).unwrap_or(64)).unwrap_or(1 << 62))
    });
    cells.min(1 << 62).next_power_of_two().trailing_zeros() as usize
}
