//! Is every byte of a record of fetched data signed, and is its encoding what it was?
use std::path::Path;

use assay_verifier::digest::Digest32;
use assay_verifier::fetched::{Extracted, Fetched, SignedFetched};
use assay_verifier::signature::{BadSignature, SigningKey};
use assay_verifier::wire;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

fn record() -> Fetched {
    Fetched {
        chain_id: "chain".into(),
        node: SigningKey::from_seed([2; 32]).public(),
        source: "weather".into(),
        url: "https://weather.example/now".into(),
        redirects: vec!["https://weather.example/today".into()],
        time_ms: 1_500,
        status: 200,
        headers: vec![("etag".into(), "\"1\"".into())],
        body: Digest32([1; 32]),
        size: 20,
        extracted: Some(Extracted { path: "$.now".into(), values: vec!["1.5".into()] }),
    }
}

#[test]
fn every_byte_of_a_record_is_signed() {
    let signed = record().sign(&SigningKey::from_seed([2; 32]));
    assert_eq!(signed.verify(), Ok(()));
    let file = wire::encode(&signed);
    assert!(wire::decode::<SignedFetched>(&file).unwrap() == signed);
    for at in 8..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 1;
        if let Ok(changed) = wire::decode::<SignedFetched>(&changed) {
            assert_eq!(changed.verify(), Err(BadSignature), "byte {at}");
            assert_ne!(changed.digest(), signed.digest());
        }
    }
    assert_eq!(record().sign(&SigningKey::from_seed([3; 32])).verify(), Err(BadSignature));
}

/// Files of the fuzz target, which are frozen here. A change that is meant is blessed by `ASSAY_BLESS=1`.
fn same_as_ever(name: &str, file: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/decode_signed").join(name);
    if std::env::var_os("ASSAY_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, file).unwrap();
    }
    assert!(std::fs::read(&path).unwrap() == file, "{name} has another encoding than before");
}

#[test]
fn records_have_one_encoding() {
    let key = SigningKey::from_seed([2; 32]);
    let signed = record().sign(&key);
    same_as_ever("fetched", &wire::encode(&signed));
    same_as_ever("fetched_whole", &wire::encode(&Fetched { extracted: None, ..record() }.sign(&key)));
    // Receipts name records by this digest: the SHA-256 of the file.
    assert_eq!(signed.digest().0, <[u8; 32]>::from(Sha256::digest(wire::encode(&signed))));
}

proptest! {
    #[test]
    fn any_bytes_are_decoded_or_refused(change in proptest::collection::vec((0usize..400, any::<u8>()), 0..8), cut in 0usize..400) {
        let mut file = wire::encode(&record().sign(&SigningKey::from_seed([2; 32])));
        for (at, byte) in change {
            let at = at % file.len();
            file[at] = byte;
        }
        file.truncate(cut);
        if let Ok(decoded) = wire::decode::<SignedFetched>(&file) {
            prop_assert_eq!(wire::encode(&decoded), file);
        }
    }
}
