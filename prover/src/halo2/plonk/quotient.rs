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

use super::constraints::{Constraints, Line, Operand, Source, Step};
use super::lanes::{Eight, LANES};
use super::transform::{Coset, Poly, Transform, powers};
use super::{Elements, Kept, Plonk};

/// Times eight rows that one step works on at a time: registers stay in the cache.
const CHUNK: usize = 8;

/// A column's factors on a coset, with those before the first and after the last: eight rows before, the last of which comes before the first row, and likewise
/// after.
type Values<E> = Vec<E>;

/// Fixed columns on one coset.
pub struct FixedValues<E> {
    fixed: Vec<Values<E>>,
    permutation: Vec<Values<E>>,
    first: Values<E>,
    last: Values<E>,
    active: Values<E>,
}

/// Polynomials of one proof.
pub struct Polynomials<E> {
    /// Advice columns.
    pub advice: Vec<Poly<E>>,
    /// Instance columns.
    pub instance: Vec<Poly<E>>,
    /// Running products of the copies.
    pub products: Vec<Poly<E>>,
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
struct Scene<'a, E> {
    fixed: &'a FixedValues<E>,
    moving: &'a Moving<E>,
    scalars: &'a [E],
}

/// Columns of one proof on one coset, then on the next.
struct Moving<E> {
    advice: Vec<Values<E>>,
    instance: Vec<Values<E>>,
    products: Vec<Values<E>>,
}

/// What the constraints of the permutation argument are made with.
struct Copies<'a, E> {
    /// The columns, in the order of the running products.
    copied: &'a [Source],
    /// How many of them one product takes in.
    width: usize,
    /// The row from which on rows hold random values.
    end: usize,
    beta: E,
    gamma: E,
    /// `beta` times what the places of each column are multiplied with.
    places: Vec<E>,
    /// The points of the first rows.
    points: E,
    /// From a row's point to the next.
    omega: E,
}

impl Plonk {
    /// The pieces of the quotient, lowest first.
    pub(super) fn quotient(
        &self,
        pk: &ProvingKey<G1Affine>,
        kept: Option<&Kept>,
        polys: &Polynomials<Elements>,
        drawn: &Drawn,
    ) -> Vec<Poly<Elements>> {
        let transform = &self.transform;
        let scalars: Vec<Elements> =
            self.constraints.scalars(&drawn.challenges).into_iter().map(Elements::factor).collect();
        let rows = transform.rows();
        let [y, beta, gamma] = [drawn.y, drawn.beta, drawn.gamma].map(Elements::factor);
        let delta = powers(Fr::DELTA).take(self.copied.len());
        let places: Vec<Elements> = delta.map(|delta| Elements::factor(drawn.beta * delta)).collect();
        let mut moving = Moving::new(polys, rows / LANES);
        let residues: Vec<Poly<Elements>> = (0..self.cosets.len())
            .map(|at| {
                let coset = &self.cosets[at];
                let made;
                let fixed = match kept.and_then(|kept| kept.fixed.get(at)) {
                    Some(fixed) => fixed,
                    None => {
                        made = fixed_values(transform, pk, coset);
                        &made
                    }
                };
                moving.go(transform, polys, coset);
                let scene = Scene { fixed, moving: &moving, scalars: &scalars };
                let height = rows / LANES;
                let step = transform.omega().pow_vartime([height as u64]);
                let copies = Copies {
                    copied: &self.copied,
                    width: self.copies_per_product,
                    end: rows - (pk.get_vk().cs().blinding_factors() + 1),
                    beta,
                    gamma,
                    places: places.clone(),
                    points: Elements::factors(&std::array::from_fn(|place| {
                        coset.offset * step.pow_vartime([place as u64])
                    })),
                    omega: Elements::factor(transform.omega()),
                };
                let vanishing = coset.offset.pow_vartime([rows as u64]) - Fr::ONE;
                let inverse = Elements::factor(vanishing.invert().expect("cosets have none of the rows' points"));
                let mut values = vec![Elements::zero(); height];
                values.par_chunks_mut(CHUNK).enumerate().for_each_init(
                    || vec![[Elements::zero(); CHUNK]; self.constraints.registers],
                    |registers, (chunk, values)| {
                        let start = chunk * CHUNK;
                        scene.gates(&self.constraints, y, registers, start, values);
                        scene.copies(&copies, transform.omega(), y, start, values);
                        values.iter_mut().for_each(|value| *value = value.mul(inverse));
                    },
                );
                transform.interpolate_coset(values, coset)
            })
            .collect();
        pieces(&self.separation, &residues)
    }
}

impl<E: Eight<Field = Fr>> Moving<E> {
    fn new(polys: &Polynomials<E>, height: usize) -> Self {
        let [advice, instance, products] = [&polys.advice, &polys.instance, &polys.products]
            .map(|polys| polys.iter().map(|_| vec![E::zero(); height + 2]).collect());
        Self { advice, instance, products }
    }

    fn go(&mut self, transform: &Transform<E>, polys: &Polynomials<E>, coset: &Coset<E>) {
        let Self { advice, instance, products } = self;
        let columns = advice.par_iter_mut().chain(instance).chain(products);
        let polys = polys.advice.par_iter().chain(&polys.instance).chain(&polys.products);
        columns.zip(polys).for_each(|(values, poly)| on_coset(transform, poly, coset, values));
    }
}

/// A polynomial on a coset.
fn on_coset<E: Eight<Field = Fr>>(transform: &Transform<E>, poly: &Poly<E>, coset: &Coset<E>, values: &mut [E]) {
    let height = values.len() - 2;
    transform.evaluate(poly, coset, &mut values[1..=height]);
    // The row before a place's first is the last of the place before.
    (values[0], values[height + 1]) = (values[height].turn::<-1>(), values[1].turn::<1>());
}

/// Fixed columns on a coset.
pub(super) fn fixed_values<E: Eight<Field = Fr>>(
    transform: &Transform<E>,
    pk: &ProvingKey<G1Affine>,
    coset: &Coset<E>,
) -> FixedValues<E> {
    let values = |poly: &Polynomial<Fr, Coeff>| {
        let mut values = vec![E::zero(); transform.rows() / LANES + 2];
        on_coset(transform, &Poly::new(poly.values()), coset, &mut values);
        values
    };
    let all = |polys: &[Polynomial<Fr, Coeff>]| polys.par_iter().map(values).collect();
    let [first, last, active] = [pk.l0(), pk.l_last(), pk.l_active_row()].map(values);
    FixedValues { fixed: all(pk.fixed_polys()), permutation: all(pk.permutation().polys()), first, last, active }
}

/// Pieces of a polynomial from what it is modulo `X^n - g^n` for each offset `g`: `residue = sum_m g^(n m) piece_m`.
fn pieces<E: Eight<Field = Fr>>(separation: &[Vec<Fr>], residues: &[Poly<E>]) -> Vec<Poly<E>> {
    let height = residues.first().map_or(0, |residue| residue.0.len());
    let piece = |weights: &Vec<Fr>| {
        let mut piece = Poly(vec![E::zero(); height]);
        for (weight, residue) in weights.iter().zip(residues) {
            piece.add(E::factor(*weight), residue.read());
        }
        piece
    };
    separation.par_iter().map(piece).collect()
}

impl<E: Eight<Field = Fr>> Scene<'_, E> {
    fn gates(&self, constraints: &Constraints, y: E, registers: &mut [[E; CHUNK]], start: usize, values: &mut [E]) {
        let len = values.len();
        for line in &constraints.lines {
            match *line {
                Line::Constraint(operand) => {
                    for (value, constraint) in values.iter_mut().zip(self.slice(registers, operand, start, len)) {
                        *value = value.mul(y).add(*constraint);
                    }
                }
                Line::Step(step, to) => {
                    let mut result = [E::zero(); CHUNK];
                    let cells = |operand| self.slice(registers, operand, start, len);
                    let both = |a, b| cells(a).iter().zip(cells(b));
                    let all = result.iter_mut();
                    match step {
                        Step::Add(a, b) => all.zip(both(a, b)).for_each(|(to, (a, b))| *to = a.add(*b)),
                        Step::Subtract(a, b) => all.zip(both(a, b)).for_each(|(to, (a, b))| *to = a.sub(*b)),
                        Step::Multiply(a, b) => all.zip(both(a, b)).for_each(|(to, (a, b))| *to = a.mul(*b)),
                        Step::Scale(a, by) => {
                            let by = self.scalars[by];
                            all.zip(cells(a)).for_each(|(to, a)| *to = a.mul(by));
                        }
                        Step::Shift(a, by) => {
                            let by = self.scalars[by];
                            all.zip(cells(a)).for_each(|(to, a)| *to = a.add(by));
                        }
                    }
                    registers[to] = result;
                }
            }
        }
    }

    /// The constraints of the permutation argument.
    fn copies(&self, copies: &Copies<'_, E>, omega: Fr, y: E, start: usize, values: &mut [E]) {
        let FixedValues { first, last, active, permutation, .. } = self.fixed;
        let &Copies { copied, width, end, beta, gamma, .. } = copies;
        let (Some(first_product), Some(last_product)) = (self.moving.products.first(), self.moving.products.last())
        else {
            return;
        };
        let one = E::factor(Fr::ONE);
        let mut points = copies.points.mul(E::factor(omega.pow_vartime([start as u64])));
        for (row, value) in (start..).zip(values) {
            let at = row + 1;
            let mut sum = value.mul(y).add(one.lacking(first_product[at]).mul(first[at]));
            let product = last_product[at];
            sum = sum.mul(y).add(product.mul(product).lacking(product).mul(last[at]));
            for pair in self.moving.products.windows(2) {
                let joint = pair[1][at].lacking(turned(&pair[0], row + end));
                sum = sum.mul(y).add(joint.mul(first[at]));
            }
            let sets = copied.chunks(width).zip(permutation.chunks(width)).zip(copies.places.chunks(width));
            for (((columns, images), places), product) in sets.zip(&self.moving.products) {
                let (mut left, mut right) = (product[at + 1], product[at]);
                for ((column, image), place) in columns.iter().zip(images).zip(places) {
                    let shifted = self.column(*column)[at].add(gamma);
                    left = left.mul(shifted.add(beta.mul(image[at])));
                    right = right.mul(shifted.add(place.mul(points)));
                }
                sum = sum.mul(y).add(left.lacking(right).mul(active[at]));
            }
            *value = sum;
            points = points.mul(copies.omega);
        }
    }

    fn column(&self, source: Source) -> &[E] {
        match source {
            Source::Fixed(column) => &self.fixed.fixed[column],
            Source::Advice(column) => &self.moving.advice[column],
            Source::Instance(column) => &self.moving.instance[column],
        }
    }

    fn slice<'a>(&'a self, registers: &'a [[E; CHUNK]], operand: Operand, start: usize, len: usize) -> &'a [E] {
        match operand {
            Operand::Register(register) => &registers[register][..len],
            Operand::Cell(source, rotation) => {
                let from = (start + 1).wrapping_add_signed(rotation as isize);
                &self.column(source)[from..from + len]
            }
        }
    }
}

/// What a column holds on rows that lie in the places so many rows after those of the first, round and round.
fn turned<E: Eight>(values: &[E], rows: usize) -> E {
    let height = values.len() - 2;
    (0..rows / height % LANES).fold(values[rows % height + 1], |turned, _| turned.turn::<1>())
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
        let value = |point: Fr| pieces.iter().rev().fold(Fr::ZERO, |value, piece| value * point + piece);
        let residues: Vec<Fr> = points.iter().map(|&point| value(point)).collect();
        let found: Vec<Fr> = separation(&points)
            .iter()
            .map(|weights| weights.iter().zip(&residues).map(|(weight, residue)| *weight * residue).sum())
            .collect();
        assert_eq!(found, pieces);
    }
}
