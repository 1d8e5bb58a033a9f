//! The proof that private weights are within their widths, made once for a key.
use assay_circuits::eval::Weights;
use assay_verifier::halo2::config::widths::{LIMB_BITS, LIMBS, WidthColumns};
use assay_verifier::halo2::curve::{Bn256, Fr, G1Affine, Point};
use assay_verifier::halo2::key::Key;
use assay_verifier::halo2::shape::RESERVED;
use assay_verifier::halo2::transcript::Writer;
use assay_verifier::halo2::widths::{Widths, constraint_system, limb_widths};
use halo2_proofs::arithmetic::Field;
use halo2_proofs::circuit::{Layouter, SimpleFloorPlanner};
use halo2_proofs::halo2curves::ff::BatchInvert;
use halo2_proofs::plonk::{Circuit, Column, ConstraintSystem, Error, Fixed, ProvingKey, keygen_pk2};
use halo2_proofs::poly::kzg::commitment::ParamsKZG;
use rand_chacha::ChaCha20Rng;
use rand_core::{OsRng, SeedableRng};

use super::circuit::Setting;
use super::field;
use super::hidden::argue;
use super::keygen::{KeygenError, points};
use super::plonk::{Plonk, Small};
use super::secret::Secret;
use super::witness::weight_columns;

/// The fixed columns, as the library wants them.
struct Structure<'a>(&'a Rows);

/// What every row holds but the weights.
struct Rows {
    /// Rows that can be used.
    len: usize,
    /// Width of the weights on each row, 0 where there are none.
    bits: Vec<u8>,
    /// Tags and arguments of the tables' entries, one after the other.
    entries: Vec<(u64, i64)>,
    /// Widths of limbs, in the order of their tables' tags.
    widths: Vec<u8>,
    /// What the constraint system is configured from.
    params: Params,
}

/// Numbers of columns of weights, and of tables.
#[derive(Clone, Copy, Default)]
struct Params {
    weights: usize,
    tables: usize,
}

impl Rows {
    fn new(setting: &Setting) -> Option<Self> {
        let circuit = setting.checked.circuit();
        let shape = setting.layout.shape;
        let (_, columns) = constraint_system(circuit, shape)?;
        let len = (1usize << shape.k) - RESERVED;
        let mut bits = vec![0; len];
        for (id, vector) in setting.program.vectors.iter().enumerate() {
            let width = circuit.weights[vector.weight as usize].bits;
            bits[setting.layout.vectors[id]..=setting.layout.vector_end(id)].fill(width);
        }
        let widths: Vec<u8> = limb_widths(circuit).into_iter().collect();
        let entries =
            (0..).zip(&widths).flat_map(|(tag, width)| (0..1i64 << width).map(move |argument| (tag, argument)));
        let params = Params { weights: columns.weights.len(), tables: columns.counts.len() };
        Some(Self { len, bits, entries: entries.collect(), widths, params })
    }

    /// The widths of a row's limbs.
    fn limbs(&self, row: usize) -> [u8; LIMBS] {
        let bits = self.bits[row];
        [bits.min(LIMB_BITS), bits.saturating_sub(LIMB_BITS)]
    }

    fn tag(&self, width: u8) -> usize {
        self.widths.iter().position(|&other| other == width).expect("all widths have tables")
    }

    /// Half the range on a row.
    fn offset(&self, row: usize) -> i64 {
        1i64 << self.bits[row] >> 1
    }

    /// All fixed cells that are not zero.
    fn fill(&self, columns: &WidthColumns, mut set: impl FnMut(Column<Fixed>, usize, Fr)) {
        for (position, &(tag, argument)) in self.entries.iter().enumerate() {
            let (table, row) = (position / self.len, position % self.len);
            set(columns.entry_tags[table], row, Fr::from(tag));
            set(columns.arguments[table], row, field(argument));
        }
        for row in 0..self.len {
            set(columns.active, row, Fr::ONE);
            if self.bits[row] > 0 {
                set(columns.offset, row, field(self.offset(row)));
            }
            for (column, width) in columns.tags.into_iter().zip(self.limbs(row)) {
                set(column, row, Fr::from(self.tag(width) as u64));
            }
        }
        set(columns.ends, 0, Fr::ONE);
        set(columns.ends, self.len, Fr::from(2));
    }

    /// Columns of the first phase: weights, their limbs, counts. Weights that are out of their range have limbs that are, too.
    fn first(&self, weights: &[Vec<i64>]) -> Vec<Vec<i64>> {
        let mut limbs = vec![vec![0; self.len]; weights.len() * LIMBS];
        let mut counts = vec![vec![0; self.len]; self.params.tables];
        let starts: Vec<usize> =
            self.widths.iter().scan(0, |next, &width| Some(std::mem::replace(next, *next + (1 << width)))).collect();
        for row in 0..self.len {
            let tables = self.limbs(row).map(|width| (starts[self.tag(width)], 1i64 << width));
            for (column, weights) in weights.iter().enumerate() {
                let above = weights[row] + self.offset(row);
                let cut = [above & ((1 << LIMB_BITS) - 1), above >> LIMB_BITS];
                for (slot, (limb, (start, len))) in cut.into_iter().zip(tables).enumerate() {
                    limbs[column * LIMBS + slot][row] = limb;
                    let position = start + limb.clamp(0, len - 1) as usize;
                    counts[position / self.len][position % self.len] += 1;
                }
            }
        }
        weights.iter().cloned().chain(limbs).chain(counts).collect()
    }

    /// Columns of the second phase.
    fn second(&self, first: &[Vec<i64>], eta: Fr, theta: Fr) -> Vec<Vec<Fr>> {
        let Params { weights, tables } = self.params;
        let mut fractions = Vec::new();
        for (at, limbs) in first[weights..weights * (1 + LIMBS)].iter().enumerate() {
            let tag = |row: usize| Fr::from(self.tag(self.limbs(row)[at % LIMBS]) as u64);
            let mut column: Vec<Fr> = (0..self.len).map(|row| theta + field(limbs[row]) + eta * tag(row)).collect();
            column.iter_mut().batch_invert();
            fractions.push(column);
        }
        for (table, counts) in first[first.len() - tables..].iter().enumerate() {
            let entry = |row: usize| self.entries.get(table * self.len + row).copied().unwrap_or_default();
            let denominator = |row| {
                let (tag, argument) = entry(row);
                theta + field(argument) + eta * Fr::from(tag)
            };
            let mut column: Vec<Fr> = (0..self.len).map(denominator).collect();
            column.iter_mut().batch_invert();
            column.iter_mut().zip(counts).for_each(|(inverse, &count)| *inverse *= -field(count));
            fractions.push(column);
        }
        let sums = |share: &[Vec<Fr>]| {
            let mut sum = Fr::ZERO;
            let mut sums = vec![sum];
            for row in 0..self.len {
                sum += share.iter().map(|fraction| fraction[row]).sum::<Fr>();
                sums.push(sum);
            }
            sums
        };
        fractions.chunks(WidthColumns::fractions_per_sum()).map(sums).collect()
    }
}

impl Circuit<Fr> for Structure<'_> {
    type Config = WidthColumns;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = Params;

    fn without_witnesses(&self) -> Self {
        Self(self.0)
    }

    fn params(&self) -> Params {
        self.0.params
    }

    fn configure_with_params(meta: &mut ConstraintSystem<Fr>, params: Params) -> WidthColumns {
        WidthColumns::configure(meta, params.weights, params.tables)
    }

    fn configure(_: &mut ConstraintSystem<Fr>) -> WidthColumns {
        unreachable!("configured with parameters")
    }

    fn synthesize(&self, columns: WidthColumns, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        layouter.assign_region(
            || "all",
            |mut region| {
                self.0.fill(&columns, |column, row, value| {
                    region.assign_fixed(column, row, value);
                });
                Ok(())
            },
        )
    }
}

/// The library's key of the constraint system.
fn proving_key(rows: &Rows, params: &ParamsKZG<Bn256>) -> Result<ProvingKey<G1Affine>, KeygenError> {
    keygen_pk2(params, &Structure(rows), false).map_err(|error| KeygenError::Library(error.to_string()))
}

/// Commitments to the fixed columns.
///
/// # Errors
/// The rows do not hold the tables, or the library refuses.
pub fn fixed(setting: &Setting, params: &ParamsKZG<Bn256>) -> Result<Vec<Point>, KeygenError> {
    let rows = Rows::new(setting).ok_or(KeygenError::Widths)?;
    Ok(points(proving_key(&rows, params)?.get_vk().fixed_commitments()))
}

/// Makes the proof for a key that has everything else, for these weights. If they are out of their range, or not those that the key commits to, it does not
/// verify.
///
/// # Errors
/// The rows do not hold the tables, or the library refuses.
pub fn prove(
    setting: &Setting,
    weights: &Weights,
    key: &Key,
    params: &ParamsKZG<Bn256>,
    secret: &Secret,
) -> Result<Widths, KeygenError> {
    let rows = Rows::new(setting).ok_or(KeygenError::Widths)?;
    let pk = proving_key(&rows, params)?;
    let fixed = points(pk.get_vk().fixed_commitments());
    let columns = weight_columns(&setting.checked, &setting.program, &setting.layout, weights);
    let first = rows.first(&columns);
    let subject = key.subject();
    let blinding = subject.blinding.len();
    let failed = |error: &dyn std::fmt::Display| KeygenError::Library(error.to_string());
    let mut drawn = ChaCha20Rng::from_rng(OsRng).map_err(|error| failed(&error))?;
    let mut small = |values| Small { values, blinding: (0..blinding).map(|_| Fr::random(&mut drawn)).collect() };
    let committed: Vec<Small<'_>> = first.iter().map(|values| small(&values[..])).collect();
    let mut transcript = Writer::new(&Widths::prefix(&subject, &fixed));
    let second = |challenges: &[Fr]| rows.second(&first, challenges[0], challenges[1]);
    let plonk = Plonk::new(&pk, params);
    plonk.prove(&pk, &[], &committed, second, &mut transcript).map_err(|error| failed(&error))?;
    let points: Option<Vec<G1Affine>> = subject.blinding.iter().map(Point::decode).collect();
    let outer = secret.factors(columns.len(), blinding);
    argue(&points.ok_or(KeygenError::Widths)?, &committed, &outer, &mut transcript).map_err(|error| failed(&error))?;
    Ok(Widths { fixed, messages: transcript.proof() })
}
