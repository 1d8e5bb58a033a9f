//! Parameters of halo2: both encodings are taken, and wrong ones refused for what is wrong.
use assay_verifier::halo2::curve::{Bn256, G1Affine, G2Affine};
use halo2_proofs::SerdeFormat;
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::halo2curves::serde::SerdeObject;
use halo2_proofs::poly::kzg::commitment::ParamsKZG;

use crate::making::encoded;
use crate::support::{imported, outside_subgroup, refuses, rng, string, with};

const SEED: u64 = 21;
const K: u32 = 3;
const N: usize = 1 << K;
/// Where the Lagrange basis and the second group start.
const LAGRANGE: usize = 4 + 64 * N;
const SECOND: usize = 4 + 2 * 64 * N;

fn written(format: SerdeFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    ParamsKZG::<Bn256>::setup(K, rng(SEED)).write_custom(&mut bytes, format).unwrap();
    bytes
}

fn swapped(bytes: &[u8], start: usize, size: usize) -> Vec<u8> {
    let (first, second) = (&bytes[start..start + size], &bytes[start + size..start + 2 * size]);
    with(bytes, start, &[second, first].concat())
}

#[test]
fn both_encodings_give_the_string() {
    for format in [SerdeFormat::RawBytes, SerdeFormat::Processed] {
        let bytes = written(format);
        for k in 1..=K {
            let string_of_file = imported(&bytes, k).unwrap();
            assert_eq!(encoded(&string_of_file.into_params()), encoded(&string(k, SEED).into_params()));
        }
        refuses(&bytes, K + 1, "k = 4 is outside of what there is, 1 to 3");
    }
}

#[test]
fn points_that_are_no_powers_are_refused() {
    let raw = written(SerdeFormat::RawBytes);
    refuses(&swapped(&raw, 4 + 2 * 64, 64), K, "not the powers of the secret");
    refuses(&swapped(&raw, 4, 64), K, "the first power is not the generator");
    refuses(&swapped(&raw, SECOND, 128), K, "");
    let other = ParamsKZG::<Bn256>::setup(K, rng(1)).s_g2().to_raw_bytes();
    refuses(&with(&raw, SECOND + 128, &other), K, "not the powers of the secret");
    let compressed = written(SerdeFormat::Processed);
    refuses(&swapped(&compressed, 4 + 2 * 32, 32), K, "not the powers of the secret");
}

#[test]
fn the_lagrange_basis_is_checked() {
    let raw = written(SerdeFormat::RawBytes);
    let message = "the Lagrange basis does not belong to the powers";
    refuses(&swapped(&raw, LAGRANGE, 64), K, message);
    refuses(&with(&raw, LAGRANGE, &G1Affine::generator().to_raw_bytes()), K, message);
    // It is not read where it is of another size.
    assert!(imported(&swapped(&raw, LAGRANGE, 64), K - 1).is_ok());
}

#[test]
fn the_second_group_is_checked() {
    let raw = written(SerdeFormat::RawBytes);
    refuses(&with(&raw, SECOND + 128, &outside_subgroup().to_raw_bytes()), K, "outside of the group of prime order");
    refuses(&with(&raw, SECOND + 128, &G2Affine::generator().to_raw_bytes()), K, "the secret is 0 or 1");
    let twice = (G2Affine::generator() + G2Affine::generator()).to_affine().to_raw_bytes();
    refuses(&with(&raw, SECOND, &twice), K, "the generator of the second group is not the generator");
    refuses(&with(&raw, SECOND, &[0; 128]), K, "generator of the second group, point 0: it is the point at infinity");
}

#[test]
fn points_off_the_curve_are_refused() {
    let raw = written(SerdeFormat::RawBytes);
    for (start, field) in
        [(4 + 64, "powers, point 1"), (LAGRANGE, "Lagrange basis, point 0"), (SECOND + 128, "tau in the")]
    {
        refuses(&with(&raw, start, &[raw[start] ^ 1]), K, "it is not on the curve");
        refuses(&with(&raw, start, &[raw[start] ^ 1]), K, field);
        refuses(&with(&raw, start, &[0xff; 32]), K, "a coordinate is not less than the prime");
    }
    let compressed = written(SerdeFormat::Processed);
    for start in [4 + 32, 4 + 32 * N, 4 + 64 * N + 64] {
        refuses(&with(&compressed, start, &[0xff; 32]), K, "not the canonical encoding of a point");
    }
    // The point at infinity has an encoding of its own.
    let infinity = with(&[0; 32], 31, &[0x80]);
    refuses(&with(&compressed, 4 + 32, &infinity), K, "powers, point 1: it is the point at infinity");
}

#[test]
fn lengths_are_exact() {
    for format in [SerdeFormat::RawBytes, SerdeFormat::Processed] {
        let bytes = written(format);
        for len in 4..bytes.len() {
            assert!(imported(&bytes[..len], 1).is_err(), "{len} bytes");
        }
        let len = bytes.len() - 1;
        refuses(&bytes[..len], 1, &format!("{len} bytes are no parameters of halo2 for k = 3"));
        refuses(&[&bytes[..], &[0]].concat(), 1, "no parameters of halo2");
    }
    let raw = written(SerdeFormat::RawBytes);
    for k in [0, 29, 64, u32::MAX] {
        refuses(&with(&raw, 0, &k.to_le_bytes()), 1, &format!("k is {k}, expected from 1 to 28"));
    }
    refuses(&with(&raw, 0, &28u32.to_le_bytes()), 23, "no parameters of halo2 for k = 28");
}
