//! The evaluation domain as the verifier needs it: its constants, without tables for transforms.
use alloc::vec::Vec;
use halo2_proofs::halo2curves::ff::{PrimeField, WithSmallOrderMulGroup};
use halo2_proofs::poly::EvaluationDomain;
use std::collections::HashMap;

use super::curve::Fr;

/// The point of the second of `2^k` rows: a root of unity of that order, or nothing if the field has none.
pub fn omega(k: u32) -> Option<Fr> {
    let squarings = Fr::S.checked_sub(k)?;
    Some((0..squarings).fold(Fr::ROOT_OF_UNITY, |root, _| root.square()))
}

/// The domain of `2^k` rows for constraints of a degree, or nothing if the field has none. Its memory does not grow with `k`.
pub fn domain(degree: usize, k: u8) -> Option<EvaluationDomain<Fr>> {
    let quotient_poly_degree = u64::try_from(degree.checked_sub(1)?).ok()?;
    let k = u32::from(k);
    let extended_k = k.checked_add(u64::BITS.checked_sub(quotient_poly_degree.checked_sub(1)?.leading_zeros())?)?;
    let roots = |k: u32| -> Option<(Fr, Fr)> {
        let omega = omega(k)?;
        Some((omega, Option::from(omega.invert())?))
    };
    let ((omega, omega_inv), (extended_omega, extended_omega_inv)) = (roots(k)?, roots(extended_k)?);
    let n = 1u64.checked_shl(k)?;
    let inverse = |value: u64| Option::<Fr>::from(Fr::from(value).invert());
    Some(EvaluationDomain {
        n,
        k,
        extended_k,
        omega,
        omega_inv,
        extended_omega,
        extended_omega_inv,
        g_coset: Fr::ZETA,
        g_coset_inv: Fr::ZETA.square(),
        quotient_poly_degree,
        ifft_divisor: inverse(n)?,
        extended_ifft_divisor: inverse(1u64.checked_shl(extended_k)?)?,
        t_evaluations: Vec::new(),
        barycentric_weight: inverse(n)?,
        fft_data: HashMap::new(),
    })
}
