//! The quotient: all constraints, weighted by powers of a challenge, divided by the polynomial that is zero on the rows.
//!
//! It has a degree below `(d - 1) n` for constraints of degree `d`, so it is worked out on `d - 1` cosets of the rows, one after the other. The values on
//! the coset of offset `g` give it modulo `X^n - g^n`; from all of them follow its pieces of `n` coefficients.
use assay_verifier::halo2::curve::{Fr, G1Affine};
use halo2_proofs::arithmetic::Field;
use halo2_proofs::halo2curves::ff::PrimeField;
use halo2_proofs::plonk::{Any, ProvingKey};
use halo2_proofs::poly::{Coeff, Polynomial};
use rayon::prelude::*;

use super::constraints::{Line, Operand, Source, Step};
use super::transform::{Coset, Poly};
use super::{Kept, Plonk};

/// Rows that one step works on at a time: registers stay in the cache.
const CHUNK: usize = 64;

/// A column on a coset, with the last row before the first and the first after the last.
pub type Values = Vec<Fr>;

/// Fixed columns on one coset.
pub struct FixedValues {
    fixed: Vec<Values>,
    permutation: Vec<Values>,
    first: Values,
    last: Values,
    active: Values,
}

/// Polynomials of one proof.
pub struct Polynomials {
    /// Advice columns.
    pub advice: Vec<Poly>,
    /// Instance columns.
    pub instance: Vec<Poly>,
    /// Running products of the copies.
    pub products: Vec<Poly>,
}

/// What is drawn before.
pub struct Drawn {
    /// Challenges of the gates.
    pub challenges: Vec<Fr>,
    /// Weights cells of copies.
    pub beta: Fr,
    /// Shifts cells of copies.
    pub gamma: Fr,
    /// Weights constraints.
    pub y: Fr,
}

/// All columns on one coset.
struct Scene<'a> {
    fixed: &'a FixedValues,
    advice: Vec<Values>,
    instance: Vec<Values>,
    products: Vec<Values>,
    scalars: &'a [Fr],
}

impl Plonk {
    /// The pieces of the quotient, lowest first.
    pub(super) fn quotient(
        &self,
        pk: &ProvingKey<G1Affine>,
        kept: Option<&Kept>,
        polys: &Polynomials,
        drawn: &Drawn,
    ) -> Vec<Vec<Fr>> {
        let scalars = self.constraints.scalars(&drawn.challenges);
        let residues: Vec<Vec<Fr>> = (0..self.cosets.len())
            .map(|at| {
                let coset = &self.cosets[at];
                let made;
                let fixed = match kept.and_then(|kept| kept.fixed.get(at)) {
                    Some(fixed) => fixed,
                    None => {
                        made = self.fixed_values(pk, coset);
                        &made
                    }
                };
                let all = |polys: &Vec<Poly>| polys.par_iter().map(|poly| self.values(&poly.reversed, coset)).collect();
                let [advice, instance, products] = [&polys.advice, &polys.instance, &polys.products].map(all);
                let scene = Scene { fixed, advice, instance, products, scalars: &scalars };
                let rows = self.transform.rows();
                let mut values = vec![Fr::ZERO; rows];
                let vanishing = coset.offset.pow_vartime([rows as u64]) - Fr::ONE;
                let inverse = vanishing.invert().expect("cosets have none of the rows' points");
                values.par_chunks_mut(CHUNK.min(rows)).enumerate().for_each_init(
                    || vec![vec![Fr::ZERO; CHUNK]; self.constraints.registers],
                    |registers, (chunk, values)| {
                        let start = chunk * CHUNK;
                        self.gates(&scene, drawn.y, registers, start, values);
                        self.copies(&scene, pk, drawn, coset, start, values);
                        values.iter_mut().for_each(|value| *value *= inverse);
                    },
                );
                self.transform.interpolate_coset(values, coset)
            })
            .collect();
        self.pieces(&residues)
    }

    /// A polynomial on a coset, from coefficients in the order of reversed bits.
    fn values(&self, reversed: &[Fr], coset: &Coset) -> Values {
        let rows = self.transform.rows();
        let mut values = vec![Fr::ZERO; rows + 2];
        self.transform.evaluate(reversed, coset, &mut values[1..=rows]);
        (values[0], values[rows + 1]) = (values[rows], values[1]);
        values
    }

    /// Fixed columns on a coset.
    pub(super) fn fixed_values(&self, pk: &ProvingKey<G1Affine>, coset: &Coset) -> FixedValues {
        let values = |poly: &Polynomial<Fr, Coeff>| self.values(&self.transform.reordered(poly.values()), coset);
        let all = |polys: &[Polynomial<Fr, Coeff>]| polys.par_iter().map(values).collect();
        let [first, last, active] = [pk.l0(), pk.l_last(), pk.l_active_row()].map(values);
        FixedValues { fixed: all(pk.fixed_polys()), permutation: all(pk.permutation().polys()), first, last, active }
    }

    fn gates(&self, scene: &Scene<'_>, y: Fr, registers: &mut [Vec<Fr>], start: usize, values: &mut [Fr]) {
        let len = values.len();
        for line in &self.constraints.lines {
            match *line {
                Line::Constraint(operand) => {
                    for (value, constraint) in values.iter_mut().zip(scene.slice(registers, operand, start, len)) {
                        *value = *value * y + constraint;
                    }
                }
                Line::Step(step, to) => {
                    let mut result = std::mem::take(&mut registers[to]);
                    let cells = |operand| scene.slice(registers, operand, start, len);
                    let both = |a, b| cells(a).iter().zip(cells(b));
                    match step {
                        Step::Add(a, b) => result.iter_mut().zip(both(a, b)).for_each(|(to, (a, b))| *to = a + b),
                        Step::Subtract(a, b) => result.iter_mut().zip(both(a, b)).for_each(|(to, (a, b))| *to = a - b),
                        Step::Multiply(a, b) => result.iter_mut().zip(both(a, b)).for_each(|(to, (a, b))| *to = a * b),
                        Step::Scale(a, by) => {
                            let by = scene.scalars[by];
                            result.iter_mut().zip(cells(a)).for_each(|(to, a)| *to = a * by);
                        }
                        Step::Shift(a, by) => {
                            let by = scene.scalars[by];
                            result.iter_mut().zip(cells(a)).for_each(|(to, a)| *to = a + by);
                        }
                    }
                    registers[to] = result;
                }
            }
        }
    }

    /// The constraints of the permutation argument.
    fn copies(
        &self,
        scene: &Scene<'_>,
        pk: &ProvingKey<G1Affine>,
        drawn: &Drawn,
        coset: &Coset,
        start: usize,
        values: &mut [Fr],
    ) {
        let FixedValues { first, last, active, permutation, .. } = scene.fixed;
        let Drawn { beta, gamma, y, .. } = drawn;
        let (Some(first_product), Some(last_product)) = (scene.products.first(), scene.products.last()) else { return };
        let cs = pk.get_vk().cs();
        let rows = self.transform.rows();
        let end = rows - (cs.blinding_factors() + 1);
        let mut point = coset.offset * self.transform.omega().pow_vartime([start as u64]);
        for (row, value) in (start..).zip(values) {
            let at = row + 1;
            let mut sum = *value * y + (Fr::ONE - first_product[at]) * first[at];
            let product = last_product[at];
            sum = sum * y + (product * product - product) * last[at];
            for pair in scene.products.windows(2) {
                sum = sum * y + (pair[1][at] - pair[0][(row + end) % rows + 1]) * first[at];
            }
            let mut place = *beta * point;
            let sets = self.copied.chunks(self.copies_per_product).zip(permutation.chunks(self.copies_per_product));
            for ((columns, images), product) in sets.zip(&scene.products) {
                let (mut left, mut right) = (product[at + 1], product[at]);
                for (column, image) in columns.iter().zip(images) {
                    let shifted = scene.column(*column)[at] + gamma;
                    left *= shifted + *beta * image[at];
                    right *= shifted + place;
                    place *= Fr::DELTA;
                }
                sum = sum * y + (left - right) * active[at];
            }
            *value = sum;
            point *= self.transform.omega();
        }
    }

    /// Pieces of a polynomial from what it is modulo `X^n - g^n` for each offset `g`: `residue = sum_m g^(n m) piece_m`.
    fn pieces(&self, residues: &[Vec<Fr>]) -> Vec<Vec<Fr>> {
        let mut pieces = vec![vec![Fr::ZERO; self.transform.rows()]; residues.len()];
        let mut columns: Vec<&mut Vec<Fr>> = pieces.iter_mut().collect();
        for (weights, piece) in self.separation.iter().zip(&mut columns) {
            piece.par_iter_mut().enumerate().with_min_len(1 << 10).for_each(|(at, coefficient)| {
                *coefficient = weights.iter().zip(residues).map(|(weight, residue)| *weight * residue[at]).sum();
            });
        }
        pieces
    }
}

impl Scene<'_> {
    fn column(&self, source: Source) -> &Values {
        match source {
            Source::Fixed(column) => &self.fixed.fixed[column],
            Source::Advice(column) => &self.advice[column],
            Source::Instance(column) => &self.instance[column],
        }
    }

    fn slice<'a>(&'a self, registers: &'a [Vec<Fr>], operand: Operand, start: usize, len: usize) -> &'a [Fr] {
        match operand {
            Operand::Register(register) => &registers[register][..len],
            Operand::Cell(source, rotation) => {
                let from = (start + 1).wrapping_add_signed(rotation as isize);
                &self.column(source)[from..from + len]
            }
        }
    }
}

/// The columns with copies.
pub(super) fn copied(pk: &ProvingKey<G1Affine>) -> Vec<Source> {
    let source = |column: &halo2_proofs::plonk::Column<Any>| match column.column_type() {
        Any::Fixed => Source::Fixed(column.index()),
        Any::Advice(_) => Source::Advice(column.index()),
        Any::Instance => Source::Instance(column.index()),
    };
    pk.get_vk().cs().permutation().get_columns().iter().map(source).collect()
}

/// What pieces follow by from residues: the inverse of the matrix of the powers of `points`, of which a row gives a piece's weights.
pub(super) fn separation(points: &[Fr]) -> Vec<Vec<Fr>> {
    // Column `j` of the inverse holds the coefficients of the polynomial that is one at point `j` and zero at the others.
    let mut rows = vec![vec![Fr::ZERO; points.len()]; points.len()];
    for (j, &point) in points.iter().enumerate() {
        let mut coefficients = vec![Fr::ONE];
        let mut divisor = Fr::ONE;
        for (_, &other) in points.iter().enumerate().filter(|(at, _)| *at != j) {
            let mut raised = vec![Fr::ZERO; coefficients.len() + 1];
            for (at, coefficient) in coefficients.iter().enumerate() {
                raised[at + 1] += coefficient;
                raised[at] -= *coefficient * other;
            }
            coefficients = raised;
            divisor *= point - other;
        }
        let inverse = divisor.invert().expect("the points differ");
        for (row, coefficient) in rows.iter_mut().zip(coefficients) {
            row[j] = coefficient * inverse;
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces weighted by powers of each point, and back.
    #[test]
    fn pieces_from_residues() {
        let points: Vec<Fr> = [3u64, 9, 27, 81, 5].map(Fr::from).to_vec();
        let pieces: Vec<Fr> = [7u64, 0, 2, 11, 4].map(Fr::from).to_vec();
        let residues: Vec<Fr> = points.iter().map(|&point| crate::halo2::plonk::evaluate(&pieces, point)).collect();
        let found: Vec<Fr> = separation(&points)
            .iter()
            .map(|weights| weights.iter().zip(&residues).map(|(weight, residue)| *weight * residue).sum())
            .collect();
        assert_eq!(found, pieces);
    }
}
