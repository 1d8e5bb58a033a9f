//! Replays the corpora of the fuzz targets.
#[path = "../fuzz/attestation.rs"]
mod attestation;
#[path = "../fuzz/targets.rs"]
mod targets;

use std::fs;
use std::path::Path;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 4, "{target} has {} files", files.len());
    for file in files {
        println!("{}", file.display());
        run(&fs::read(file).unwrap());
    }
}

#[test]
fn keys() {
    replay("decode_key", targets::decode_key);
}

#[test]
fn receipts_and_records() {
    replay("decode_signed", targets::decode_signed);
}

#[test]
fn proofs() {
    replay("decode_proof", targets::decode_proof);
}

#[test]
fn circuits() {
    replay("check_circuit", targets::check_circuit);
}

#[test]
fn changed_proofs() {
    replay("verify", targets::verify);
}

#[test]
fn changed_proofs_of_halo2() {
    replay("verify_halo2", targets::verify_halo2);
}

#[test]
fn changed_bundles() {
    replay("audit", targets::audit);
}

#[test]
fn documents_of_nitro() {
    replay("attest_nitro", attestation::nitro);
}

#[test]
fn quotes() {
    replay("attest_dcap", attestation::dcap);
}

#[test]
fn reports_of_snp() {
    replay("attest_snp", attestation::snp);
}
