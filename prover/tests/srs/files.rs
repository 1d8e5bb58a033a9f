//! Our own files.
use assay_prover::halo2::srs::SrsFile;
use assay_verifier::wire;

use crate::support::{string, with};

/// Where `k`, the number of powers and the powers lie: after the tag, 64 bytes of a point and the origin.
const K: usize = 8 + 64 + 4;
const POWERS: usize = K + 4 + 8;

fn opened(bytes: &[u8]) -> Result<assay_prover::halo2::srs::ProvingSrs, String> {
    let file = wire::decode::<SrsFile>(bytes).map_err(|error| error.to_string())?;
    file.open().map_err(|error| error.to_string())
}

#[test]
fn strings_survive() {
    let string = string(4, 31);
    let file = SrsFile::new(&string);
    assert_eq!((file.k(), file.srs()), (4, string.srs()));
    assert_eq!(opened(&wire::encode(&file)).unwrap(), string);
}

#[test]
fn any_damage_is_noticed() {
    let bytes = wire::encode(&SrsFile::new(&string(1, 32)));
    for place in 0..bytes.len() {
        assert!(opened(&with(&bytes, place, &[bytes[place] ^ 1])).is_err(), "byte {place}");
        assert!(opened(&bytes[..place]).is_err(), "{place} bytes");
    }
    let swapped = with(&bytes, POWERS, &[&bytes[POWERS + 64..POWERS + 128], &bytes[POWERS..POWERS + 64]].concat());
    assert_eq!(opened(&swapped).unwrap_err(), "the checksum does not fit the content");
    assert_eq!(opened(&with(&bytes, K, &[2])).unwrap_err(), "the numbers of points do not fit together");
    assert_eq!(opened(&with(&bytes, K, &[0xff; 4])).unwrap_err(), "the numbers of points do not fit together");
    assert!(opened(&with(&bytes, K + 4, &[0xff; 8])).is_err());
}

#[test]
fn points_are_checked_also_under_a_right_checksum() {
    // A string that is none: two powers of different secrets, joined from two files, under the checksum of what they are.
    let (first, second) = (string(2, 33), string(2, 34));
    let file = |string| wire::encode(&SrsFile::new(string));
    let (left, right) = (file(&first), file(&second));
    let joined = with(&left, POWERS + 64, &right[POWERS + 64..POWERS + 128]);
    let joined = with_checksum(&joined);
    let opened = opened(&joined).unwrap();
    assert!(opened.check().unwrap_err().to_string().contains("not the powers of the secret"));
    let lagrange = POWERS + 4 * 64 + 8;
    let joined = with_checksum(&with(&left, lagrange, &right[lagrange..lagrange + 64]));
    let error = self::opened(&joined).unwrap().check().unwrap_err().to_string();
    assert!(error.contains("the Lagrange basis does not belong"), "{error}");
    let off_curve = with_checksum(&with(&left, POWERS + 64, &[left[POWERS + 64] ^ 1]));
    assert_eq!(self::opened(&off_curve).unwrap_err(), "powers, point 1: it is not on the curve");
}

/// A file whose checksum was made to fit.
fn with_checksum(bytes: &[u8]) -> Vec<u8> {
    let content = &bytes[8..bytes.len() - 32];
    let checksum = assay_verifier::digest::digest("assay srs file v1", content);
    with(bytes, bytes.len() - 32, &checksum)
}
