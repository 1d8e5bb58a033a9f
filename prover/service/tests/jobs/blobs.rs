//! Blobs as files: whole or not at all, under their own hash, and kept no longer than they should be.
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use assay_service::storage::{BlobError, BlobId, BlobStore, FileBlobs, Limits, Swept};

fn path(folder: &Path, id: BlobId) -> PathBuf {
    let name = id.to_string();
    folder.join(&name[..2]).join(&name[2..])
}

#[test]
fn what_is_stored_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileBlobs::open(folder.path()).unwrap();
    let ids: Vec<BlobId> = (0..40u8).map(|n| store.put(&[n; 100]).unwrap()).collect();
    assert_eq!(store.put(&[0; 100]).unwrap(), ids[0], "the same is not stored twice");
    assert_eq!(store.bytes(), 4_000);
    fs::write(folder.path().join("incoming/half"), b"half written").unwrap();
    drop(store);
    let store = FileBlobs::open(folder.path()).unwrap();
    assert_eq!(store.bytes(), 4_000);
    assert!(!folder.path().join("incoming/half").exists());
    for (n, id) in (0u8..).zip(&ids) {
        assert_eq!(store.get(*id).unwrap(), vec![n; 100]);
    }
    // The hash is that of the bytes alone, as `sha256sum` gives it.
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(store.put(b"").unwrap(), empty.parse().unwrap());
    store.remove(ids[0]).unwrap();
    store.remove(ids[0]).unwrap();
    assert!(matches!(store.get(ids[0]), Err(BlobError::Missing(id)) if id == ids[0]));
    assert_eq!(store.bytes(), 3_900);
}

#[cfg(unix)]
#[test]
fn files_and_folders_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("blobs");
    let store = FileBlobs::open(&inner).unwrap();
    let id = store.put(b"x").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let file = path(&inner, id);
    assert_eq!((mode(&inner), mode(file.parent().unwrap()), mode(&file)), (0o700, 0o700, 0o600));
}

#[test]
fn what_is_damaged_counts_as_missing_and_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileBlobs::open(folder.path()).unwrap();
    let id = store.put(b"evidence").unwrap();
    for damage in [b"evidencf".as_slice(), b"", b"evidence and more"] {
        fs::write(path(folder.path(), id), damage).unwrap();
        assert!(matches!(store.get(id), Err(BlobError::Damaged(_))));
        assert!(matches!(store.get(id), Err(BlobError::Missing(_))));
        assert_eq!(fs::read(folder.path().join("damaged").join(id.to_string())).unwrap(), damage);
        // It can be stored again; also over what is damaged and was not read.
        fs::write(path(folder.path(), id), damage).unwrap();
        assert_eq!(store.put(b"evidence").unwrap(), id);
        assert_eq!(store.get(id).unwrap(), b"evidence");
    }
}

#[test]
fn names_are_digests_and_nothing_else() {
    let id = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert!(id.parse::<BlobId>().is_ok());
    let long = format!("{id}00");
    for name in ["", "..", "../../etc/passwd", &id[1..], &long, &id.replace('e', "/"), &id.replace('e', "g")] {
        assert!(name.parse::<BlobId>().is_err(), "{name}");
    }
    // Files of others in the folder are none of ours.
    let folder = tempfile::tempdir().unwrap();
    let store = FileBlobs::open(folder.path()).unwrap();
    fs::write(folder.path().join("00/notes.txt"), b"mine").unwrap();
    fs::create_dir(folder.path().join("00").join(&id[2..])).unwrap();
    drop(store);
    let store = FileBlobs::open(folder.path()).unwrap();
    assert_eq!(store.bytes(), 0);
    let all = Limits { age: Duration::ZERO, bytes: 0, young: Duration::ZERO };
    let later = SystemTime::now() + Duration::from_secs(10);
    assert_eq!(store.sweep(&HashSet::new(), &all, later).unwrap(), Swept::default());
    assert!(folder.path().join("00/notes.txt").exists());
}

#[test]
fn what_nobody_keeps_goes_by_age_and_by_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileBlobs::open(folder.path()).unwrap();
    let now = SystemTime::now();
    let hours = |hours: u64| Duration::from_secs(3_600 * hours);
    // The first is ten hours old, the last one.
    let ids: Vec<BlobId> = (1..=10u8)
        .map(|n| {
            let id = store.put(&[n; 100]).unwrap();
            let file = fs::File::options().append(true).open(path(folder.path(), id)).unwrap();
            file.set_modified(now - hours(11 - u64::from(n))).unwrap();
            id
        })
        .collect();
    let kept = HashSet::from([ids[0], ids[5]]);
    let there = || (1..=10).filter(|n| store.get(ids[n - 1]).is_ok()).collect::<Vec<_>>();
    let limits = Limits { age: hours(7), bytes: 10_000, young: hours(2) };
    let swept = store.sweep(&kept, &limits, now + Duration::from_secs(1)).unwrap();
    assert_eq!((swept, there()), (Swept { blobs: 3, bytes: 300 }, vec![1, 5, 6, 7, 8, 9, 10]));
    // Too many bytes: the oldest go, but not what is kept or was stored just now.
    let limits = Limits { bytes: 450, ..limits };
    store.sweep(&kept, &limits, now + Duration::from_secs(1)).unwrap();
    assert_eq!((there(), store.bytes()), (vec![1, 6, 9, 10], 400));
    store.sweep(&kept, &Limits { bytes: 0, ..limits }, now + Duration::from_secs(1)).unwrap();
    assert_eq!(there(), [1, 6, 10]);
    // Stored again, it is young again.
    store.put(&[10; 100]).unwrap();
    store.sweep(&kept, &Limits { bytes: 0, ..limits }, now + hours(1)).unwrap();
    assert_eq!(there(), [1, 6, 10]);
}
