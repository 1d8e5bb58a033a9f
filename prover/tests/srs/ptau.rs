//! Files of ceremonies: those of snarkjs are taken, and wrong ones refused for what is wrong.
use assay_verifier::halo2::curve::{Fr, G1Affine, G2Affine};
use assay_verifier::halo2::srs::Origin;
use halo2_proofs::halo2curves::bn256::Fq;
use halo2_proofs::halo2curves::ff::{Field, PrimeField};
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::halo2curves::serde::SerdeObject;

use crate::support::{imported, outside_subgroup, powers, powers_g1, refuses, secret, string, with};

/// A file before it is written.
struct Ptau {
    prime: Vec<u8>,
    power: u32,
    tau_g1: Vec<G1Affine>,
    tau_g2: Vec<G2Affine>,
    /// Sections 4 to 6.
    others: Vec<Vec<u8>>,
}

const SEED: u64 = 11;
const POWER: u32 = 3;
/// Where the header's content starts, where its power lies, and where the points of section 2 start.
const HEADER: usize = 24;
const POWER_AT: usize = HEADER + 36;
const TAU_G1: usize = HEADER + 44 + 12;

fn raw<P: SerdeObject>(points: &[P]) -> Vec<u8> {
    points.iter().flat_map(SerdeObject::to_raw_bytes).collect()
}

impl Ptau {
    fn new() -> Self {
        let (secret, alpha, beta) = (secret(SEED), Fr::from(5), Fr::from(6));
        let n = 1 << POWER;
        let others = [raw(&powers::<G1Affine>(alpha, secret, n)), raw(&powers::<G1Affine>(beta, secret, n))];
        Self {
            prime: Fq::MODULUS.trim_start_matches("0x").as_bytes().chunks(2).rev().map(hexadecimal).collect(),
            power: POWER,
            tau_g1: powers_g1(secret, 2 * n - 1),
            tau_g2: powers(Fr::ONE, secret, n),
            others: [&others[..], &[raw(&powers::<G2Affine>(beta, secret, 1))]].concat(),
        }
    }

    fn sections(&self) -> Vec<(u32, Vec<u8>)> {
        let power = self.power.to_le_bytes();
        let header = [&32u32.to_le_bytes()[..], &self.prime, &power, &power].concat();
        let mut sections = vec![(1, header), (2, raw(&self.tau_g1)), (3, raw(&self.tau_g2))];
        sections.extend((4..).zip(self.others.clone()));
        sections.push((7, vec![0; 4]));
        sections
    }

    fn bytes(&self) -> Vec<u8> {
        file(&self.sections())
    }
}

fn hexadecimal(digits: &[u8]) -> u8 {
    u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap()
}

fn file(sections: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = [&b"ptau"[..], &1u32.to_le_bytes(), &(sections.len() as u32).to_le_bytes()].concat();
    for (number, content) in sections {
        bytes.extend(number.to_le_bytes());
        bytes.extend((content.len() as u64).to_le_bytes());
        bytes.extend(content);
    }
    bytes
}

#[test]
fn files_of_snarkjs_are_taken() {
    // snarkjs 0.7.6: powersoftau new bn128 4, then one contribution.
    let bytes = include_bytes!("snarkjs.ptau");
    for k in 1..=4 {
        let string = imported(bytes, k).unwrap();
        string.check().unwrap();
        assert_eq!((string.k(), string.srs().origin), (k, Origin::Imported));
        // Worked out from the bytes of the file without the curve library.
        let digest = "dc2c3e31945985e921468c3ebf6106cfc571b97d2b430d84a2bb15cf13ef11d0";
        assert_eq!(string.srs().digest().to_string(), digest);
    }
    refuses(bytes, 5, "k = 5 is outside of what there is, 1 to 4");
}

#[test]
fn the_string_of_the_secret_comes_out() {
    let bytes = Ptau::new().bytes();
    for k in 1..=POWER {
        let (actual, expected) = (imported(&bytes, k).unwrap(), string(k, SEED));
        assert_eq!(actual.srs().tau_g2, expected.srs().tau_g2);
        assert_eq!(actual.params(k).unwrap().s_g2(), expected.params(k).unwrap().s_g2());
        assert_eq!(crate::making::encoded(&actual.into_params()), crate::making::encoded(&expected.into_params()));
    }
    refuses(&bytes, POWER + 1, "k = 4 is outside");
    refuses(&bytes, 0, "k = 0 is outside");
}

#[test]
fn sections_may_come_in_any_order() {
    let mut sections = Ptau::new().sections();
    sections.reverse();
    imported(&file(&sections), POWER).unwrap();
    sections.push((99, vec![1, 2, 3]));
    imported(&file(&sections), POWER).unwrap();
}

#[test]
fn sections_are_there_once() {
    let sections = Ptau::new().sections();
    for (place, name) in [(0, "1 (header)"), (1, "2 (tauG1)"), (2, "3 (tauG2)")] {
        let mut without = sections.clone();
        without.remove(place);
        refuses(&file(&without), POWER, &format!("there is no section {name}"));
        let mut twice = sections.clone();
        twice.push(sections[place].clone());
        refuses(&file(&twice), POWER, &format!("section {name} occurs twice"));
    }
}

#[test]
fn points_that_are_no_powers_are_refused() {
    let refused = |change: fn(&mut Ptau)| {
        let mut file = Ptau::new();
        change(&mut file);
        refuses(&file.bytes(), POWER, "not the powers of the secret");
    };
    refused(|file| file.tau_g1.swap(3, 4));
    refused(|file| file.tau_g1.swap(6, 7));
    refused(|file| file.tau_g1[1] = -file.tau_g1[1]);
    refused(|file| file.tau_g1[7] = (file.tau_g1[7] + G1Affine::generator()).to_affine());
    refused(|file| file.tau_g2[1] = file.tau_g2[2]);
    refused(|file| file.tau_g2[1] = -file.tau_g2[1]);
}

#[test]
fn only_the_powers_asked_for_are_read() {
    let mut file = Ptau::new();
    file.tau_g1.swap(4, 5);
    assert!(imported(&file.bytes(), 2).is_ok());
    refuses(&file.bytes(), 3, "not the powers");
}

#[test]
fn generators_are_fixed() {
    let mut file = Ptau::new();
    file.tau_g1 = powers(Fr::from(2), secret(SEED), file.tau_g1.len());
    refuses(&file.bytes(), POWER, "the first power is not the generator");
    let mut file = Ptau::new();
    file.tau_g2 = powers(Fr::from(2), secret(SEED), file.tau_g2.len());
    refuses(&file.bytes(), POWER, "the first point of section 3 (tauG2) is not the generator");
}

#[test]
fn trivial_secrets_are_refused() {
    // What `snarkjs powersoftau new` writes, before any contribution.
    let mut file = Ptau::new();
    file.tau_g1.fill(G1Affine::generator());
    file.tau_g2.fill(G2Affine::generator());
    refuses(&file.bytes(), POWER, "the secret is 0 or 1");
}

#[test]
fn the_second_group_is_checked() {
    let mut file = Ptau::new();
    file.tau_g2[1] = outside_subgroup();
    refuses(&file.bytes(), POWER, "outside of the group of prime order");
    // A component outside of the group that the pairing might not see.
    let mut file = Ptau::new();
    file.tau_g2[1] = (file.tau_g2[1] + outside_subgroup()).to_affine();
    refuses(&file.bytes(), POWER, "outside of the group of prime order");
}

#[test]
fn points_off_the_curve_are_refused() {
    let bytes = Ptau::new().bytes();
    let tau_g2 = TAU_G1 + (2 * (1 << POWER) - 1) * 64 + 12 + 128;
    for (start, size, field) in
        [(TAU_G1 + 5 * 64, 64, "section 2 (tauG1), point 5"), (tau_g2, 128, "section 3 (tauG2), point 1")]
    {
        let changed = with(&bytes, start, &[bytes[start] ^ 1]);
        refuses(&changed, POWER, &format!("{field}: it is not on the curve"));
        refuses(&with(&bytes, start, &vec![0; size]), POWER, &format!("{field}: it is the point at infinity"));
        for half in [0, size / 2] {
            let changed = with(&bytes, start + half, &Ptau::new().prime);
            refuses(&changed, POWER, &format!("{field}: a coordinate is not less than the prime"));
            let changed = with(&bytes, start + half, &[0xff; 32]);
            refuses(&changed, POWER, &format!("{field}: a coordinate is not less than the prime"));
        }
    }
}

#[test]
fn no_part_of_a_file_is_enough() {
    let bytes = Ptau::new().bytes();
    for len in 0..bytes.len() {
        assert!(imported(&bytes[..len], 1).is_err(), "{len} bytes");
    }
    refuses(&bytes[..3], 1, "first bytes: 4 bytes from byte 0 on are needed, but the file has 3");
    refuses(&bytes[..12], 1, "number of a section: 4 bytes from byte 12 on");
    refuses(&bytes[..bytes.len() - 1], 1, "a section: 4 bytes");
}

#[test]
fn sizes_in_the_header_are_not_believed() {
    let bytes = Ptau::new().bytes();
    for power in [0, 29, 31, 63, u32::MAX] {
        refuses(&with(&bytes, POWER_AT, &power.to_le_bytes()), 1, &format!("power is {power}, expected from 1 to 28"));
    }
    // Within bounds, but more than there is.
    let absurd = with(&bytes, POWER_AT, &28u32.to_le_bytes());
    refuses(&absurd, 23, "section 2 (tauG1): 536870912 bytes are needed, but the section has 960");
    for size in [u64::MAX, u64::MAX - 100, 1 << 40] {
        refuses(&with(&bytes, TAU_G1 - 8, &size.to_le_bytes()), 1, "a section:");
    }
    refuses(&with(&bytes, 8, &u32::MAX.to_le_bytes()), 1, "number of sections is 4294967295");
    refuses(&with(&bytes, 4, &2u32.to_le_bytes()), 1, "version is 2, expected 1");
    refuses(&with(&bytes, HEADER - 8, &45u64.to_le_bytes()), 1, "");
    let mut sections = Ptau::new().sections();
    sections[0].1.push(0);
    refuses(&file(&sections), 1, "size of section 1 (header) is 45, expected 44");
    sections[0].1.clear();
    refuses(&file(&sections), 1, "size of section 1 (header) is 0, expected 44");
}

#[test]
fn other_curves_are_refused() {
    let bytes = Ptau::new().bytes();
    refuses(&with(&bytes, HEADER, &48u32.to_le_bytes()), 1, "size of a coordinate is 48, expected 32");
    refuses(&with(&bytes, HEADER + 4, &[0x46]), 1, "the prime is not that of BN254");
    refuses(&with(&bytes, HEADER + 4, Fr::ROOT_OF_UNITY.to_repr().as_ref()), 1, "the prime is not that of BN254");
}

#[test]
fn other_files_are_refused() {
    refuses(b"", 1, "first bytes");
    refuses(b"PTAU\x01\0\0\0\0\0\0\0", 1, "k is");
    refuses(b"ptau\x01\0\0\0\0\0\0\0", 1, "there is no section 1 (header)");
}
