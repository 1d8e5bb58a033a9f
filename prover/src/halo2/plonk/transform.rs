//! Fourier transforms over the rows, and over cosets of them.
//!
//! All roots are worked out once. A transform runs on one thread: there are as many as there are columns, and they run side by side. From values to
//! coefficients the order of bits is reversed, and from there to values it is reversed back, so that nothing is moved in between.
use assay_verifier::halo2::curve::Fr;
use halo2_proofs::arithmetic::Field;
use halo2_proofs::halo2curves::ff::PrimeField;
use rayon::prelude::*;

/// The roots of unity of `2^k` rows.
pub struct Transform {
    k: u32,
    /// Powers of the root, as many as half the rows.
    roots: Vec<Fr>,
    /// Powers of its inverse.
    inverse_roots: Vec<Fr>,
    /// One over the number of rows.
    divisor: Fr,
}

/// A coset of the rows' points.
pub struct Coset {
    /// The offset.
    pub offset: Fr,
    /// Its powers, in the order of reversed bits.
    powers: Vec<Fr>,
}

/// A polynomial.
pub struct Poly {
    /// Coefficients.
    pub coefficients: Vec<Fr>,
    /// The same in the order of reversed bits, in which transforms take them.
    pub reversed: Vec<Fr>,
}

impl Transform {
    /// Of `2^k` rows.
    pub fn new(k: u32) -> Self {
        let order = |root: Fr| (k..Fr::S).fold(root, |root, _| root.square());
        let half = |root: Fr| powers(root).take(1 << k >> 1).collect();
        let (roots, inverse_roots) = (half(order(Fr::ROOT_OF_UNITY)), half(order(Fr::ROOT_OF_UNITY_INV)));
        Self { k, roots, inverse_roots, divisor: Fr::TWO_INV.pow_vartime([u64::from(k)]) }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        1 << self.k
    }

    /// The point of the second row.
    pub fn omega(&self) -> Fr {
        self.roots.get(1).copied().unwrap_or(-Fr::ONE)
    }

    /// A point, turned by a number of rows.
    pub fn rotate(&self, point: Fr, rows: i32) -> Fr {
        let root = if rows < 0 { self.inverse_roots.get(1) } else { self.roots.get(1) };
        point * root.copied().unwrap_or(-Fr::ONE).pow_vartime([u64::from(rows.unsigned_abs())])
    }

    /// The coset with an offset.
    pub fn coset(&self, offset: Fr) -> Coset {
        Coset { offset, powers: self.reordered(&powers(offset).take(self.rows()).collect::<Vec<Fr>>()) }
    }

    /// Coefficients, in the order of reversed bits, of the polynomial with these values on the rows.
    pub fn interpolate(&self, mut values: Vec<Fr>) -> Vec<Fr> {
        let mut half = values.len() / 2;
        while half > 0 {
            let step = self.inverse_roots.len() / half;
            for block in values.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                for ((low, high), root) in low.iter_mut().zip(high).zip(self.inverse_roots.iter().step_by(step)) {
                    (*low, *high) = (*low + *high, (*low - *high) * root);
                }
            }
            half /= 2;
        }
        values.iter_mut().for_each(|value| *value *= self.divisor);
        values
    }

    /// Values on a coset, written to `values`, from coefficients in the order of reversed bits.
    pub fn evaluate(&self, coefficients: &[Fr], coset: &Coset, values: &mut [Fr]) {
        for ((value, coefficient), power) in values.iter_mut().zip(coefficients).zip(&coset.powers) {
            *value = *coefficient * power;
        }
        for pair in values.chunks_exact_mut(2) {
            let [a, b] = [pair[0], pair[1]];
            (pair[0], pair[1]) = (a + b, a - b);
        }
        let mut half = 2;
        while half < values.len() {
            let step = self.roots.len() / half;
            for block in values.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                for ((low, high), root) in low.iter_mut().zip(high).zip(self.roots.iter().step_by(step)) {
                    let turned = *high * root;
                    (*low, *high) = (*low + turned, *low - turned);
                }
            }
            half *= 2;
        }
    }

    /// Coefficients of the polynomial, of a degree below the number of rows, with these values on a coset.
    pub fn interpolate_coset(&self, values: Vec<Fr>, coset: &Coset) -> Vec<Fr> {
        let mut coefficients = self.reordered(&self.interpolate(values));
        let inverse = coset.offset.invert().expect("offsets are not zero");
        for (coefficient, power) in coefficients.iter_mut().zip(powers(inverse)) {
            *coefficient *= power;
        }
        coefficients
    }

    /// The polynomials with these values on the rows.
    pub fn polynomials(&self, columns: Vec<Vec<Fr>>) -> Vec<Poly> {
        let polynomial = |column| {
            let reversed = self.interpolate(column);
            Poly { coefficients: self.reordered(&reversed), reversed }
        };
        columns.into_par_iter().map(polynomial).collect()
    }

    /// From the order of reversed bits to the usual one, or back.
    pub fn reordered(&self, values: &[Fr]) -> Vec<Fr> {
        let reversed = |at: usize| at.reverse_bits().checked_shr(usize::BITS - self.k).unwrap_or(0);
        (0..values.len()).map(|at| values[reversed(at)]).collect()
    }
}

/// One, and all powers.
pub fn powers(base: Fr) -> impl Iterator<Item = Fr> {
    std::iter::successors(Some(Fr::ONE), move |power| Some(*power * base))
}

#[cfg(test)]
mod tests {
    //! Against polynomials evaluated point by point.
    use rand_core::OsRng;

    use super::*;
    use crate::halo2::plonk::evaluate;

    #[test]
    fn values_and_coefficients() {
        for k in 1..8 {
            let transform = Transform::new(k);
            let values: Vec<Fr> = (0..transform.rows()).map(|_| Fr::random(OsRng)).collect();
            let [poly] = &transform.polynomials(vec![values.clone()])[..] else { panic!() };
            for (row, value) in (0..).zip(&values) {
                assert_eq!(evaluate(&poly.coefficients, transform.rotate(Fr::ONE, row)), *value);
            }
            assert_eq!(transform.rotate(transform.rotate(Fr::ONE, 3), -3), Fr::ONE);
            let coset = transform.coset(Fr::from(5));
            let mut there = vec![Fr::ZERO; values.len()];
            transform.evaluate(&poly.reversed, &coset, &mut there);
            for (row, value) in (0..).zip(&there) {
                assert_eq!(evaluate(&poly.coefficients, transform.rotate(coset.offset, row)), *value);
            }
            assert_eq!(transform.interpolate_coset(there, &coset), poly.coefficients);
        }
    }
}
