//! Is what a key carries of a reference string refused unless it is a point of the right group?
use assay_verifier::halo2::curve::{Fr, G2Affine};
use assay_verifier::halo2::srs::{Origin, Point2, Srs, SrsError};
use assay_verifier::wire;
use halo2_proofs::halo2curves::ff::{Field, PrimeField};
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::halo2curves::group::cofactor::CofactorGroup;
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;

fn srs(tau_g2: Point2) -> Srs {
    Srs { tau_g2, origin: Origin::Imported }
}

fn multiple(factor: Fr) -> Srs {
    srs(Point2::new(&(G2Affine::generator() * factor).to_affine()))
}

fn changed(place: usize, mask: u8) -> Srs {
    let mut point = multiple(Fr::from(5)).tau_g2;
    point.0.as_flattened_mut()[place] ^= mask;
    srs(point)
}

#[test]
fn points_of_the_group_are_taken() {
    for factor in [Fr::from(2), -Fr::ONE, Fr::MULTIPLICATIVE_GENERATOR, Fr::TWO_INV] {
        let point = multiple(factor).decode().unwrap();
        assert_eq!(point, (G2Affine::generator() * factor).to_affine());
        let params = multiple(factor).params(7).unwrap();
        assert_eq!((params.g2(), params.s_g2()), (G2Affine::generator(), point));
    }
}

#[test]
fn known_secrets_are_refused() {
    for factor in [Fr::ZERO, Fr::ONE] {
        assert_eq!(multiple(factor).decode(), Err(SrsError::Trivial));
        assert!(multiple(factor).params(3).is_err());
    }
}

#[test]
fn points_outside_of_the_group_are_refused() {
    let mut seen = 0;
    for x in 1..=u8::MAX {
        let mut halves = [[0; 32]; 2];
        halves[0][0] = x;
        let Some(point) = Point2(halves).decompress() else {
            assert_eq!(srs(Point2(halves)).decode(), Err(SrsError::Point));
            continue;
        };
        assert!(!bool::from(point.to_curve().is_torsion_free()));
        assert_eq!(srs(Point2(halves)).decode(), Err(SrsError::Subgroup));
        // Clearing the cofactor brings it into the group.
        let inside = point.to_curve().clear_cofactor().to_affine();
        assert!(srs(Point2::new(&inside)).decode().is_ok());
        let sum = (multiple(Fr::from(5)).decode().unwrap() + point).to_affine();
        assert_eq!(srs(Point2::new(&sum)).decode(), Err(SrsError::Subgroup));
        seen += 1;
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn encodings_are_canonical() {
    let prime = [
        0x47, 0xfd, 0x7c, 0xd8, 0x16, 0x8c, 0x20, 0x3c, 0x8d, 0xca, 0x71, 0x68, 0x91, 0x6a, 0x81, 0x97, 0x5d, 0x58,
        0x81, 0x81, 0xb6, 0x45, 0x50, 0xb8, 0x29, 0xa0, 0x31, 0xe1, 0x72, 0x4e, 0x64, 0x30,
    ];
    for bytes in [prime, [0xff; 32]] {
        for half in 0..2 {
            let mut point = multiple(Fr::from(5)).tau_g2;
            point.0[half] = bytes;
            assert_eq!(srs(point).decode(), Err(SrsError::Point));
        }
        assert_eq!(srs(Point2([bytes; 2])).decode(), Err(SrsError::Point));
    }
    // The flag of infinity on a point that is not, and on the right one with another flag.
    assert_eq!(changed(63, 0x80).decode(), Err(SrsError::Point));
    assert_eq!(srs(Point2([[0; 32], [0; 32]])).decode(), Err(SrsError::Point));
    let mut infinity = [[0; 32]; 2];
    infinity[1][31] = 0x80;
    assert_eq!(srs(Point2(infinity)).decode(), Err(SrsError::Trivial));
    infinity[1][31] = 0xc0;
    assert_eq!(srs(Point2(infinity)).decode(), Err(SrsError::Point));
    // The other sign is another point of the group.
    assert_eq!(changed(63, 0x40).decode().unwrap(), -multiple(Fr::from(5)).decode().unwrap());
}

#[test]
fn sizes_are_bounded() {
    assert_eq!(multiple(Fr::from(5)).params(29).err(), Some(SrsError::Size(29)));
    assert_eq!(multiple(Fr::from(5)).params(u32::MAX).err(), Some(SrsError::Size(u32::MAX)));
}

#[test]
fn the_digest_is_of_the_point_alone() {
    let (one, mut other) = (multiple(Fr::from(5)), multiple(Fr::from(5)));
    other.origin = Origin::Insecure;
    assert_eq!(one.digest(), other.digest());
    assert_ne!(one.digest(), multiple(Fr::from(6)).digest());
    assert_eq!(wire::bytes(&one).len(), 64 + 4);
}
