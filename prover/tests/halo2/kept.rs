//! Proving keys that are kept on disk.
use std::fs;

use assay_prover::halo2::cache::Cache;
use assay_prover::halo2::packed::Packed;
use assay_verifier::wire;
use halo2_proofs::SerdeFormat;

use crate::real::Made;
use crate::samples::{Form, HIDDEN, USUAL};

/// Unpacking gives the very key, in all its columns.
#[test]
fn unpacked() {
    for visibility in [USUAL.visibility, HIDDEN] {
        let made = Made::new(Form { visibility, ..USUAL });
        let pk = made.prover.proving_key();
        let whole = pk.to_bytes(SerdeFormat::RawBytesUnchecked);
        let packed = wire::encode(&Packed::new(made.key(), pk));
        assert!(packed.len() * 20 < whole.len(), "{} of {}", packed.len(), whole.len());
        let unpacked = wire::decode::<Packed>(&packed).unwrap().unpack(made.key()).unwrap();
        assert_eq!(unpacked.to_bytes(SerdeFormat::RawBytesUnchecked), whole);
    }
}

/// Neither a file that is damaged anywhere nor one of another key is taken; either is deleted.
#[test]
fn damaged() {
    let (made, other) = (Made::new(USUAL), Made::new(Form { visibility: HIDDEN, ..USUAL }));
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path(), u64::MAX);
    assert!(cache.load(made.key()).is_none());
    assert!(cache.store(made.key(), made.prover.proving_key()).unwrap());
    assert!(cache.load(made.key()).is_some());
    let path = folder.path().join(format!("{}.pk", made.key().digest()));
    let bytes = fs::read(&path).unwrap();
    for at in (0..bytes.len()).step_by(bytes.len() / 50) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs::write(&path, changed).unwrap();
        assert!(cache.load(made.key()).is_none(), "byte {at}");
        assert!(!path.exists());
    }
    for len in [0, 8, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..len]).unwrap();
        assert!(cache.load(made.key()).is_none(), "{len} bytes");
    }
    fs::write(folder.path().join(format!("{}.pk", other.key().digest())), &bytes).unwrap();
    assert!(cache.load(other.key()).is_none());
    fs::write(&path, &bytes).unwrap();
    assert!(cache.load(made.key()).is_some());
}

/// What was used longest ago makes room.
#[test]
fn limited() {
    let made = [USUAL, Form { visibility: HIDDEN, ..USUAL }].map(Made::new);
    let size = |made: &Made| wire::encode(&Packed::new(made.key(), made.prover.proving_key())).len() as u64;
    let both = made.iter().map(size).sum::<u64>();
    let folder = tempfile::tempdir().unwrap();
    let store = |limit: u64, made: &Made| {
        Cache::new(folder.path(), limit).store(made.key(), made.prover.proving_key()).unwrap()
    };
    let kept = || made.each_ref().map(|made| Cache::new(folder.path(), both).load(made.key()).is_some());
    assert!(!store(size(&made[0]) - 1, &made[0]));
    assert!(store(both, &made[0]) && store(both, &made[1]));
    assert_eq!(kept(), [true, true]);
    assert!(store(both - 1, &made[1]));
    assert_eq!(kept(), [false, true]);
}
