//! Private weights within their widths: a publisher whose weights are not has no key.
use assay_circuits::eval::Weights;
use assay_prover::halo2::check::derive;
use assay_prover::halo2::circuit::Setting;
use assay_prover::halo2::keygen::KeygenError;
use assay_prover::halo2::secret::Secret;
use assay_prover::halo2::widths::prove;
use assay_prover::halo2::{Params, Prover};
use assay_verifier::circuit::Limits;
use assay_verifier::halo2::key::{CheckedKey, Key, KeyError};

use crate::real::{prover, small, srs};
use crate::samples::{Form, HIDDEN, USUAL};

/// A publisher of private weights, and what it makes keys of.
struct Publisher {
    prover: Prover,
    params: Params,
    secret: Secret,
}

impl Publisher {
    fn new() -> Self {
        let prover = prover(&small(), Form { visibility: HIDDEN, ..USUAL }, srs());
        let params = srs().params(prover.setting().layout.shape.k.into()).unwrap();
        Self { prover, params, secret: Secret::random() }
    }

    fn setting(&self, weights: &Weights) -> Setting {
        let setting = self.prover.setting();
        let shape = setting.layout.shape;
        Setting::new(setting.checked.clone(), weights.clone(), HIDDEN, shape).unwrap()
    }

    /// A key that commits to some weights and brings a proof that was made with others.
    fn key(&self, committed: &Weights, proven: &Weights) -> Key {
        let setting = self.setting(committed);
        let mut key =
            setting.key_without_widths(&self.params, *srs().srs(), self.prover.proving_key(), Some(&self.secret));
        key.widths = Some(prove(&setting, proven, &key, &self.params, &self.secret).unwrap());
        key
    }

    fn weights(&self) -> &Weights {
        &self.prover.setting().weights
    }
}

fn check(key: &Key) -> Option<KeyError> {
    CheckedKey::new(key, &Limits::default()).err()
}

/// One weight that is out of its range by one, or by more than limbs hold.
#[test]
fn out_of_range() {
    let publisher = Publisher::new();
    let honest = publisher.weights();
    assert_eq!(check(&publisher.key(honest, honest)), None);
    let specs = &publisher.prover.setting().checked.circuit().weights;
    for (id, spec) in specs.iter().enumerate() {
        let half = 1i32 << (spec.bits - 1);
        for (at, value) in [(0, half), (1, -half - 1), (spec.len() as usize - 1, i16::MAX.into()), (2, i16::MIN.into())]
        {
            let mut weights = honest.clone();
            let Some(weight) = weights[id].get_mut(at) else { continue };
            *weight = i16::try_from(value).unwrap_or(i16::MAX);
            let outside = i32::from(*weight) >= half || i32::from(*weight) < -half;
            assert!(outside || spec.bits == 16);
            let refused = outside.then_some(KeyError::Widths);
            assert_eq!(check(&publisher.key(&weights, &weights)), refused, "weight {id}, {value}");
            // A proof for the honest weights is of other columns than the key commits to.
            if weights[id] != honest[id] {
                assert_eq!(check(&publisher.key(&weights, honest)), Some(KeyError::Widths), "weight {id}, {value}");
            }
        }
    }
    let mut weights = honest.clone();
    weights[0][0] = 1 << (specs[0].bits - 1);
    let setting = publisher.setting(&weights);
    let made = setting.key(&publisher.params, *srs().srs(), publisher.prover.proving_key(), Some(&publisher.secret));
    assert!(matches!(made, Err(KeygenError::Key(KeyError::Widths))));
}

/// Messages that are changed, left out, added or another key's, and keys without.
#[test]
fn messages() {
    let publisher = Publisher::new();
    let key = publisher.key(publisher.weights(), publisher.weights());
    let widths = key.widths.clone().unwrap();
    let with = |change: &dyn Fn(&mut assay_verifier::halo2::widths::Widths)| {
        let mut changed = (key.clone(), widths.clone());
        change(&mut changed.1);
        changed.0.widths = Some(changed.1);
        check(&changed.0)
    };
    assert_eq!(with(&|_| {}), None);
    for word in 0..widths.messages.len() / 32 {
        assert_eq!(with(&|widths| widths.messages[32 * word + word % 31] ^= 1), Some(KeyError::Widths), "word {word}");
    }
    for column in 0..widths.fixed.len() {
        let other = widths.fixed[(column + 1) % widths.fixed.len()];
        let refused = (other != widths.fixed[column]).then_some(KeyError::Widths);
        assert_eq!(with(&|widths| widths.fixed[column] = other), refused, "column {column}");
    }
    assert_eq!(with(&|widths| widths.fixed.truncate(1)), Some(KeyError::Widths));
    assert_eq!(with(&|widths| widths.messages.truncate(64)), Some(KeyError::Widths));
    assert_eq!(with(&|widths| widths.messages.push(0)), Some(KeyError::Widths));
    assert_eq!(with(&|widths| widths.messages.clear()), Some(KeyError::Widths));
    let another = Publisher { secret: Secret::random(), ..Publisher::new() };
    let other = another.key(publisher.weights(), publisher.weights());
    assert_eq!(check(&other), None);
    assert_eq!(with(&|widths| *widths = other.widths.clone().unwrap()), Some(KeyError::Widths));
    let without = Key { widths: None, ..key.clone() };
    assert_eq!(check(&without), Some(KeyError::Widths));
    let open = prover(&small(), USUAL, srs()).key().key().clone();
    assert_eq!(check(&Key { widths: Some(widths), ..open }), Some(KeyError::Widths));
}

/// Fixed columns for wider weights than the description's show nothing about it: who derives the key anew finds them.
#[test]
fn columns_for_wider_weights() {
    let publisher = Publisher::new();
    let honest = publisher.weights();
    let mut weights = honest.clone();
    let mut circuit = publisher.prover.setting().checked.circuit().clone();
    // Tables of the same number.
    let id = (0..circuit.weights.len()).min_by_key(|&id| circuit.weights[id].bits).unwrap();
    weights[id][0] = 1 << (circuit.weights[id].bits - 1);
    circuit.weights[id].bits += 1;
    let checked = assay_verifier::circuit::CheckedCircuit::new(circuit, &Limits::default()).unwrap();
    let shape = publisher.prover.setting().layout.shape;
    let wider = Setting::new(checked, weights.clone(), HIDDEN, shape).unwrap();
    let setting = publisher.setting(&weights);
    let pk = publisher.prover.proving_key();
    let mut key = setting.key_without_widths(&publisher.params, *srs().srs(), pk, Some(&publisher.secret));
    key.widths = Some(prove(&wider, &weights, &key, &publisher.params, &publisher.secret).unwrap());
    let accepted = CheckedKey::new(&key, &Limits::default()).expect("only the fixed columns differ");
    assert!(!derive(&accepted, &publisher.params, None, None).unwrap().relations);
    let key = publisher.key(honest, honest);
    let accepted = CheckedKey::new(&key, &Limits::default()).unwrap();
    assert!(derive(&accepted, &publisher.params, None, None).unwrap().relations);
}
