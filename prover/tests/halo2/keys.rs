//! Keys that must be refused before anything is worked out from them, and keys that are changed in any bit.
use assay_prover::halo2::keygen::open;
use assay_verifier::circuit::Limits;
use assay_verifier::halo2::blinding::Blinding;
use assay_verifier::halo2::curve::{Fr, G2Affine, Point};
use assay_verifier::halo2::key::{CheckedKey, Key, KeyError};
use assay_verifier::halo2::shape::{Shape, ShapeError};
use assay_verifier::halo2::srs::{Point2, SrsError};
use assay_verifier::{key, wire};

use crate::common::Numbers;
use crate::real::Made;
use crate::samples::{Form, HIDDEN, USUAL};

fn hidden() -> Key {
    Made::new(Form { visibility: HIDDEN, ..USUAL }).key().key().clone()
}

fn check(key: &Key) -> Option<KeyError> {
    CheckedKey::new(key, &Limits::default()).err()
}

#[test]
fn shapes() {
    let key = hidden();
    assert_eq!(check(&key), None);
    let set = |change: fn(&mut Shape, u8), value: u8| {
        let mut key = key.clone();
        change(&mut key.shape, value);
        check(&key)
    };
    let out = |what, value, low, high| Some(KeyError::Shape(ShapeError { what, value, low, high }));
    for value in [0, 4, 23, 64, 255] {
        assert_eq!(set(|shape, value| shape.k = value, value), out("k", value, 5, 22));
    }
    for value in [0, 3, 17, 255] {
        assert_eq!(set(|shape, value| shape.limb_bits = value, value), out("limb width", value, 4, 16));
    }
    for value in [0, 33, 255] {
        assert_eq!(set(|shape, value| shape.lanes = value, value), out("number of lanes", value, 1, 32));
    }
    for value in [0, 1, 9, 255] {
        assert_eq!(set(|shape, value| shape.reads = value, value), out("number of reads", value, 2, 8));
    }
    for value in [65, 255] {
        assert_eq!(set(|shape, value| shape.weights = value, value), out("number of weight columns", value, 1, 64));
    }
    for value in [0, 33, 255] {
        assert_eq!(set(|shape, value| shape.tables = value, value), out("number of tables", value, 1, 32));
    }
    for value in [17, 255] {
        assert_eq!(set(|shape, value| shape.inputs = value, value), out("number of input columns", value, 0, 16));
    }
    for value in [0, 4, 10, 255] {
        assert_eq!(set(|shape, value| shape.degree = value, value), out("degree", value, 5, 9));
    }
    let too_many = set(|shape, value| (shape.degree, shape.reads) = (5, value), 7);
    assert_eq!(too_many, out("number of reads for the degree", 7, 2, 6));
}

/// Columns that the circuit has no use for, or that it lacks.
#[test]
fn columns() {
    let key = hidden();
    let fit = |change: &dyn Fn(&mut Key)| {
        let mut key = key.clone();
        change(&mut key);
        match check(&key) {
            Some(KeyError::Fit { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(fit(&|key| key.shape.weights = 0), "number of columns of weights");
    assert_eq!(fit(&|key| key.shape.inputs = 0), "number of columns of private inputs");
    assert_eq!(fit(&|key| key.visibility.private_input = false), "number of columns of private inputs");
    assert_eq!(fit(&|key| key.visibility.private_weights = false), "fixed columns");
    assert_eq!(fit(&|key| key.shape.lanes += 1), "columns with copies");
    assert_eq!(fit(&|key| key.shape.tables += 1), "fixed columns");
    type List = fn(&mut Key) -> &mut Vec<Point>;
    let lists: [(&str, List); 3] = [
        ("fixed columns", |key| &mut key.fixed),
        ("columns with copies", |key| &mut key.permutation),
        ("columns of weights", |key| &mut key.weights),
    ];
    for (name, list) in lists {
        assert_eq!(fit(&|key| list(key).truncate(1)), name);
        assert_eq!(fit(&|key| list(key).clear()), name);
        assert_eq!(
            fit(&|key| {
                let first = list(key)[0];
                list(key).push(first);
            }),
            name
        );
        for bytes in [[0xff; 32], [0x3f; 32]] {
            let mut changed = key.clone();
            let position = list(&mut changed).len() - 1;
            list(&mut changed)[position] = Point(bytes);
            assert_eq!(check(&changed), Some(KeyError::Point { what: name, position }));
        }
    }
    let mut few = key.clone();
    few.shape.k = 5;
    assert!(matches!(check(&few), Some(KeyError::Rows(_) | KeyError::Blinding)));
}

/// With other commitments in place of the blinding rows', a publisher could change hidden weights from proof to proof.
#[test]
fn blinding_rows() {
    let key = hidden();
    let refused = |expected: KeyError, change: &dyn Fn(&mut Blinding)| {
        let mut key = key.clone();
        change(key.blinding.as_mut().unwrap());
        assert_eq!(check(&key), Some(expected));
    };
    let count = key.blinding.as_ref().unwrap().rows.len();
    let fit = |actual| KeyError::Fit { what: "blinding rows", actual, expected: count };
    refused(fit(count - 1), &|blinding| blinding.rows.truncate(count - 1));
    refused(fit(count + 1), &|blinding| blinding.rows.push(blinding.opening));
    let mut without = key.clone();
    without.blinding = None;
    assert_eq!(check(&without), Some(fit(0)));
    let mut public = Made::new(USUAL).key().key().clone();
    public.blinding = key.blinding.clone();
    assert_eq!(check(&public), Some(KeyError::Fit { what: "blinding rows", actual: count, expected: 0 }));
    for row in 0..count {
        refused(KeyError::Blinding, &|blinding| blinding.rows[row] = blinding.opening);
        refused(KeyError::Blinding, &|blinding| blinding.rows[row] = Point([0xff; 32]));
    }
    refused(KeyError::Blinding, &|blinding| blinding.rows.swap(0, 1));
    refused(KeyError::Blinding, &|blinding| blinding.opening = blinding.rows[0]);
    refused(KeyError::Blinding, &|blinding| blinding.opening = Point([0; 32]));
}

/// The rows' commitments with one of them moved by that of a row with weights, opened as they are.
#[test]
fn moved_blinding_rows() {
    let made = Made::new(Form { visibility: HIDDEN, ..USUAL });
    let (tools, key) = (made.prover.tools(), made.key().key().clone());
    let rows = key.blinding.as_ref().unwrap().rows.len();
    let n = 1usize << key.shape.k;
    let mut columns: Vec<Vec<Fr>> =
        (n - rows..n).map(|at| (0..n).map(|row| if row == at { Fr::one() } else { Fr::zero() }).collect()).collect();
    for moved in [false, true] {
        if moved {
            columns[0][3] = Fr::one();
        }
        let mut changed = key.clone();
        changed.blinding = Some(open(tools.params, tools.pk, &key.srs, &columns));
        assert_eq!(check(&changed), moved.then_some(KeyError::Blinding));
        assert_eq!(changed.blinding == key.blinding, !moved);
    }
}

/// A point of the curve that is outside of the group of prime order, as almost all are.
fn outside() -> Point2 {
    let point = |x: u8| {
        let mut halves = [[0; 32]; 2];
        halves[0][0] = x;
        Point2(halves)
    };
    (1..=u8::MAX).map(point).find(|point| point.decompress().is_some()).expect("half of them are on the curve")
}

#[test]
fn reference_strings() {
    let mut key = hidden();
    key.srs.tau_g2 = outside();
    assert!(key.srs.tau_g2.decompress().is_some());
    assert_eq!(check(&key), Some(KeyError::Srs(SrsError::Subgroup)));
    key.srs.tau_g2 = Point2::new(&G2Affine::generator());
    assert_eq!(check(&key), Some(KeyError::Srs(SrsError::Trivial)));
    key.srs.tau_g2 = Point2([[0xff; 32]; 2]);
    assert_eq!(check(&key), Some(KeyError::Srs(SrsError::Point)));
}

/// Whatever bits of a key are changed, it is refused or is another key, and nothing panics.
#[test]
fn changed_bits() {
    let key = key::Key::from(hidden());
    let bytes = wire::encode(&key);
    let mut numbers = Numbers(9);
    let mut decoded = 0;
    for _ in 0..400 {
        let mut changed = bytes.clone();
        for _ in 0..1 + numbers.below(3) {
            let at = numbers.below(bytes.len() as u64) as usize;
            changed[at] ^= 1 << numbers.below(8);
        }
        let Ok(other) = wire::decode::<key::Key>(&changed) else { continue };
        decoded += 1;
        if let Ok(checked) = key::CheckedKey::new(&other, &Limits::default()) {
            assert!(changed == bytes || checked.digest() != key.digest());
        }
    }
    assert!(decoded > 100, "only {decoded} keys decode");
}
