//! Proving keys without what follows from them.
//!
//! The library's own encoding takes 32 bytes for each cell of each fixed column, twice: values and coefficients. Nearly all cells are small
//! integers, nearly all cells of columns with copies are copies of none but themselves, and coefficients, the columns that every key has
//! and all commitments follow from the verification key. So a packed key takes a fiftieth, and unpacking costs a transform for each column, which
//! is no more than reading the coefficients.
use std::collections::HashMap;

use assay_verifier::digest::{KeyDigest, digest};
use assay_verifier::halo2::curve::{Fr, G1Affine};
use assay_verifier::halo2::field;
use assay_verifier::halo2::key::CheckedKey;
use assay_verifier::wire;
use halo2_proofs::arithmetic::Field;
use halo2_proofs::halo2curves::ff::PrimeField;
use halo2_proofs::plonk::{ProvingKey, VerifyingKey, permutation};
use halo2_proofs::poly::{Coeff, EvaluationDomain, LagrangeCoeff, Polynomial};
use serde::{Deserialize, Serialize};

/// A proving key as it is stored.
#[derive(Clone, Serialize, Deserialize)]
pub struct Packed {
    /// The verification key that it belongs to.
    key: KeyDigest,
    /// Fixed columns, without the zeros at their ends.
    fixed: Vec<Cells>,
    /// Cells with copies, and the next cell of the same value: a position is the column's times the number of rows, plus the row.
    copies: Vec<(u32, u32)>,
    /// SHA-256 of all the above, against damage.
    checksum: [u8; 32],
}

impl wire::File for Packed {
    const NAME: &'static str = "proving key";
    const MAGIC: [u8; 8] = *b"ASSAYPK2";
}

/// A column in the narrowest integers that hold it.
#[derive(Clone, Serialize, Deserialize)]
enum Cells {
    One(Vec<i8>),
    Two(Vec<i16>),
    Four(Vec<i32>),
    Eight(Vec<i64>),
    Any(Vec<[u8; 32]>),
}

impl Packed {
    /// Packs a proving key.
    pub fn new(key: &CheckedKey, pk: &ProvingKey<G1Affine>) -> Self {
        let fixed = pk.fixed_values().iter().map(|column| Cells::new(column)).collect();
        let columns = pk.permutation().permutations();
        let domain = pk.get_vk().get_domain();
        let itself = positions(domain, columns.len());
        let position: HashMap<[u8; 32], u32> =
            itself.iter().zip(0..).map(|(value, position)| (value.to_repr(), position)).collect();
        let images = columns.iter().flat_map(|column| column.iter()).map(|value| position[&value.to_repr()]);
        let copies = (0..).zip(images).filter(|(position, image)| position != image).collect();
        let mut packed = Self { key: key.digest(), fixed, copies, checksum: [0; 32] };
        packed.checksum = packed.expected_checksum();
        packed
    }

    /// The proving key, if this is whole and belongs to the verification key.
    pub fn unpack(&self, key: &CheckedKey) -> Option<ProvingKey<G1Affine>> {
        let rows = 1usize << key.key().shape.k;
        let cs = key.vk().cs();
        let whole = self.checksum == self.expected_checksum() && self.key == key.digest();
        (whole && self.fixed.len() == cs.num_fixed_columns()).then_some(())?;
        let domain = EvaluationDomain::<Fr>::new(u32::try_from(cs.degree()).ok()?, key.key().shape.k.into());
        let fixed_values = self
            .fixed
            .iter()
            .map(|cells| Some(domain.lagrange_from_vec(cells.values(rows)?)))
            .collect::<Option<Vec<_>>>()?;
        let permutations = self.permutations(&domain, cs.permutation().get_columns().len())?;
        let coefficients = |columns: &[Polynomial<Fr, LagrangeCoeff>]| -> Vec<Polynomial<Fr, Coeff>> {
            columns.iter().map(|column| domain.lagrange_to_coeff(column.clone())).collect()
        };
        let fixed_polys = coefficients(&fixed_values);
        let permutation = permutation::ProvingKey::from_parts(permutations.clone(), coefficients(&permutations));
        // Rows that the columns of every key tell apart: the first, the last with constraints, and all with constraints.
        let last = rows.checked_sub(cs.blinding_factors() + 1)?;
        let indicator = |is_in: &dyn Fn(usize) -> bool| {
            let values = (0..rows).map(|row| if is_in(row) { Fr::ONE } else { Fr::ZERO }).collect();
            domain.lagrange_to_coeff(domain.lagrange_from_vec(values))
        };
        let (l0, l_last, l_active) =
            (indicator(&|row| row == 0), indicator(&|row| row == last), indicator(&|row| row < last));
        let vk = VerifyingKey::from_parts(
            domain,
            key.vk().fixed_commitments().clone(),
            key.vk().permutation().clone(),
            cs.clone(),
            Vec::new(),
            false,
        );
        Some(ProvingKey::from_parts(vk, l0, l_last, l_active, fixed_values, fixed_polys, permutation))
    }

    /// The columns that say which cells are copies.
    fn permutations(
        &self,
        domain: &EvaluationDomain<Fr>,
        columns: usize,
    ) -> Option<Vec<Polynomial<Fr, LagrangeCoeff>>> {
        let itself = positions(domain, columns);
        let mut images = itself.clone();
        for &(position, image) in &self.copies {
            *images.get_mut(position as usize)? = *itself.get(image as usize)?;
        }
        let rows = 1usize << domain.k();
        Some(images.chunks(rows).map(|column| domain.lagrange_from_vec(column.to_vec())).collect())
    }

    fn expected_checksum(&self) -> [u8; 32] {
        digest("assay proving key v2", &wire::bytes(&(self.key, &self.fixed, &self.copies)))
    }
}

impl Cells {
    fn new(column: &[Fr]) -> Self {
        let len = column.iter().rposition(|cell| *cell != Fr::ZERO).map_or(0, |last| last + 1);
        let cells = &column[..len];
        let Some(integers) = cells.iter().map(integer).collect::<Option<Vec<i64>>>() else {
            return Self::Any(cells.iter().map(PrimeField::to_repr).collect());
        };
        fn narrow<T: TryFrom<i64>>(integers: &[i64]) -> Option<Vec<T>> {
            integers.iter().map(|&value| T::try_from(value).ok()).collect()
        }
        let one = narrow(&integers).map(Self::One);
        let two = || narrow(&integers).map(Self::Two);
        let four = || narrow(&integers).map(Self::Four);
        one.or_else(two).or_else(four).unwrap_or(Self::Eight(integers))
    }

    /// The cells with zeros up to a number of rows, or nothing if they are more or not of the field.
    fn values(&self, rows: usize) -> Option<Vec<Fr>> {
        fn wide<T: Copy + Into<i64>>(integers: &[T]) -> Vec<Fr> {
            integers.iter().map(|&value| field(value.into())).collect()
        }
        let mut values = match self {
            Self::One(integers) => wide(integers),
            Self::Two(integers) => wide(integers),
            Self::Four(integers) => wide(integers),
            Self::Eight(integers) => wide(integers),
            Self::Any(cells) => cells.iter().map(|&cell| Fr::from_repr(cell).into()).collect::<Option<Vec<Fr>>>()?,
        };
        (values.len() <= rows).then(|| values.resize(rows, Fr::ZERO))?;
        Some(values)
    }
}

/// The integer that a cell holds, if it fits.
fn integer(cell: &Fr) -> Option<i64> {
    let magnitude = |value: Fr| {
        let repr = value.to_repr();
        let (low, high) = repr.split_at(8);
        let low = i64::try_from(u64::from_le_bytes(low.try_into().ok()?)).ok()?;
        high.iter().all(|&byte| byte == 0).then_some(low)
    };
    magnitude(*cell).or_else(|| magnitude(-*cell).map(|value| -value))
}

/// What stands for each cell of columns with copies, column after column: `delta^column omega^row`.
fn positions(domain: &EvaluationDomain<Fr>, columns: usize) -> Vec<Fr> {
    let powers = |first: Fr, base: Fr| std::iter::successors(Some(first), move |power| Some(*power * base));
    let rows = 1usize << domain.k();
    powers(Fr::ONE, Fr::DELTA).take(columns).flat_map(|first| powers(first, domain.get_omega()).take(rows)).collect()
}
