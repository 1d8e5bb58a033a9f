//! Running products that show copies: cells and their places, over cells and the places of what they are copies of.
use assay_verifier::halo2::curve::{Fr, G1Affine};
use halo2_proofs::arithmetic::Field;
use halo2_proofs::halo2curves::ff::{BatchInvert, PrimeField};
use halo2_proofs::plonk::ProvingKey;
use rand_core::RngCore;
use rayon::prelude::*;

use super::Plonk;
use super::constraints::Source;
use super::transform::powers;

/// Columns by values.
pub struct Cells<'a> {
    /// Advice columns.
    pub advice: &'a [Vec<Fr>],
    /// Instance columns.
    pub instance: &'a [Vec<Fr>],
}

impl Plonk {
    /// The running products, each of which goes on where the one before ends.
    pub(super) fn products(
        &self,
        pk: &ProvingKey<G1Affine>,
        cells: &Cells<'_>,
        (beta, gamma): (Fr, Fr),
        rng: &mut impl RngCore,
    ) -> Vec<Vec<Fr>> {
        let rows = self.transform.rows();
        let column = |source: &Source| -> &[Fr] {
            match *source {
                Source::Fixed(column) => pk.fixed_values()[column].values(),
                Source::Advice(column) => &cells.advice[column],
                Source::Instance(column) => &cells.instance[column],
            }
        };
        let width = self.copies_per_product;
        let firsts: Vec<Fr> = powers(Fr::DELTA).step_by(width).take(self.copied.len().div_ceil(width)).collect();
        let fractions: Vec<Vec<Fr>> = self
            .copied
            .par_chunks(width)
            .zip(pk.permutation().permutations().par_chunks(width))
            .zip(firsts)
            .map(|((columns, images), first)| {
                let mut fractions = vec![Fr::ONE; rows];
                for (source, image) in columns.iter().zip(images) {
                    for ((fraction, cell), image) in fractions.iter_mut().zip(column(source)).zip(image.iter()) {
                        *fraction *= beta * image + gamma + cell;
                    }
                }
                fractions.iter_mut().batch_invert();
                for (source, delta) in columns.iter().zip(powers(Fr::DELTA)) {
                    let mut place = beta * first * delta;
                    for (fraction, cell) in fractions.iter_mut().zip(column(source)) {
                        *fraction *= place + gamma + cell;
                        place *= self.transform.omega();
                    }
                }
                fractions
            })
            .collect();
        let blinding = pk.get_vk().cs().blinding_factors();
        let mut last = Fr::ONE;
        fractions
            .into_iter()
            .map(|fractions| {
                let mut product = Vec::with_capacity(rows);
                for fraction in &fractions[..rows - blinding] {
                    product.push(last);
                    last *= fraction;
                }
                last = product[rows - blinding - 1];
                product.resize_with(rows, || Fr::random(&mut *rng));
                product
            })
            .collect()
    }
}
