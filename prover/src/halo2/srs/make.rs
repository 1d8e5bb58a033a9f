//! Making a string on one machine, for trying things out.
use assay_verifier::halo2::curve::{Fr, G2Affine};
use assay_verifier::halo2::srs::{Origin, Point2, Srs};
use halo2_proofs::halo2curves::ff::{BatchInvert, Field, PrimeField};
use halo2_proofs::halo2curves::group::Curve;
use rand_core::{CryptoRng, RngCore};
use rayon::prelude::*;

use super::table::Table;
use super::{K_MAX, K_MIN, ProvingSrs, SrsError};

/// Scalars that are computed in one go.
const BATCH: usize = 1 << 12;

/// Makes a string of `2^k` powers of a random secret and forgets the secret. Nobody else can know that it was forgotten, so it
/// is marked as insecure. `progress` hears of each step before it is taken.
///
/// # Errors
/// There is no string of this size.
pub fn make<R: RngCore + CryptoRng>(
    k: u32,
    mut rng: R,
    mut progress: impl FnMut(&'static str),
) -> Result<ProvingSrs, SrsError> {
    if !(K_MIN..=K_MAX).contains(&k) {
        return Err(SrsError::K { k, k_max: K_MAX });
    }
    let n = 1usize << k;
    // A secret in the domain, or 0, would show in the points. That never happens in practice.
    let (secret, vanishing) = loop {
        let secret = Fr::random(&mut rng);
        let vanishing = secret.pow_vartime([n as u64]) - Fr::ONE;
        if !bool::from(secret.is_zero() | vanishing.is_zero()) {
            break (secret, vanishing);
        }
    };
    progress("Multiples of the generator");
    let table = Table::new(2 * n);
    progress("Powers of the secret");
    let powers = table.products(&geometric(secret, n));
    progress("Lagrange basis");
    let lagrange = table.products(&lagrange_at(secret, vanishing, k));
    let tau_g2 = (G2Affine::generator() * secret).to_affine();
    Ok(ProvingSrs { k, srs: Srs { tau_g2: Point2::new(&tau_g2), origin: Origin::Insecure }, tau_g2, powers, lagrange })
}

/// `1, base, base^2, ...`
fn geometric(base: Fr, count: usize) -> Vec<Fr> {
    let mut powers = vec![Fr::ONE; count];
    powers.par_chunks_mut(BATCH).enumerate().for_each(|(batch, powers)| {
        let mut power = base.pow_vartime([(batch * BATCH) as u64]);
        for to in powers {
            *to = power;
            power *= base;
        }
    });
    powers
}

/// Values of the Lagrange basis at the secret: `(secret^n - 1) / n * root^i / (secret - root^i)`.
fn lagrange_at(secret: Fr, vanishing: Fr, k: u32) -> Vec<Fr> {
    let root = (k..Fr::S).fold(Fr::ROOT_OF_UNITY, |root, _| root.square());
    let factor = vanishing * Fr::TWO_INV.pow_vartime([u64::from(k)]);
    let mut values = geometric(root, 1 << k);
    values.par_chunks_mut(BATCH).for_each(|values| {
        let mut inverses: Vec<Fr> = values.iter().map(|root| secret - root).collect();
        inverses.iter_mut().batch_invert();
        for (value, inverse) in values.iter_mut().zip(&inverses) {
            *value *= factor * inverse;
        }
    });
    values
}
