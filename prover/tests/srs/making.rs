//! Is a string that is made here the one that the engine's own, slow setup makes of the same secret?
use assay_prover::halo2::srs::{K_MAX, ProvingSrs, make};
use assay_verifier::halo2::curve::{Bn256, Fr, G1Affine};
use assay_verifier::halo2::srs::Origin;
use halo2_proofs::SerdeFormat;
use halo2_proofs::halo2curves::ff::PrimeField;
use halo2_proofs::poly::commitment::Params;
use halo2_proofs::poly::kzg::commitment::ParamsKZG;

use crate::support::{rng, string};

/// All points of parameters.
pub fn encoded(params: &ParamsKZG<Bn256>) -> Vec<u8> {
    let mut bytes = Vec::new();
    params.write_custom(&mut bytes, SerdeFormat::RawBytes).unwrap();
    bytes
}

fn setup(k: u32, seed: u64) -> Vec<u8> {
    encoded(&ParamsKZG::setup(k, rng(seed)))
}

fn parameters(string: &ProvingSrs) -> Vec<u8> {
    encoded(&string.params(string.k()).unwrap())
}

#[test]
fn made_strings_are_those_of_the_reference() {
    for k in 1..=9 {
        let string = string(k, k.into());
        assert_eq!(parameters(&string), setup(k, k.into()), "k = {k}");
        assert_eq!((string.k(), string.srs().origin), (k, Origin::Insecure));
        string.check().unwrap();
    }
}

#[test]
fn strings_of_other_secrets_differ() {
    assert_ne!(string(3, 1).srs().digest(), string(3, 2).srs().digest());
    assert_ne!(parameters(&string(3, 1)), parameters(&string(3, 2)));
}

#[test]
fn a_cut_string_is_the_string_of_that_size() {
    let long = string(8, 7);
    for k in 1..=8 {
        let short = long.cut(k).unwrap();
        assert_eq!(short, string(k, 7), "k = {k}");
        assert_eq!(short.srs().digest(), long.srs().digest());
    }
    for k in [0, 9] {
        assert!(long.cut(k).unwrap_err().to_string().contains("1 to 8"));
        assert!(long.params(k).is_err());
    }
}

#[test]
fn impossible_sizes_are_refused() {
    for k in [0, K_MAX + 1, 64, u32::MAX] {
        assert!(make(k, rng(1), |_| {}).unwrap_err().to_string().contains(&format!("k = {k} ")));
    }
}

#[test]
fn steps_are_told() {
    let mut steps = Vec::new();
    make(2, rng(1), |step| steps.push(step)).unwrap();
    assert_eq!(steps.len(), 3);
}

#[test]
fn verifying_parameters_are_small_and_of_the_right_size() {
    let string = string(5, 3);
    let (proving, verifying) = (string.params(5).unwrap(), string.srs().params(5).unwrap());
    assert_eq!((verifying.k(), verifying.n()), (5, 32));
    assert_eq!((verifying.g2(), verifying.s_g2()), (proving.g2(), proving.s_g2()));
    assert_eq!(encoded(&verifying).len(), 4 + 64 + 2 * 128);
    assert_eq!(encoded(&verifying)[4..68], encoded(&proving)[4..68]);
    assert_eq!(string.srs().params(Fr::S).unwrap().n(), 1 << 28);
    assert!(string.srs().params(Fr::S + 1).is_err());
    assert_eq!(G1Affine::generator(), halo2_proofs::poly::commitment::ParamsProver::get_g(&verifying)[0]);
}
