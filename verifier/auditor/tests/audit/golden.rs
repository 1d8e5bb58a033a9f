//! What others rely on and what must never change by accident: codes, and bundles that were made before.
//!
//! A change that is meant is blessed by `ASSAY_BLESS=1 cargo test -p assay-verify --test audit`. The verifier's tests and fuzz targets start from
//! the bundles.

use std::path::{Path, PathBuf};

use super::enclave::floating;
use super::upstream::proxied;
use super::world::*;
use assay_ledger::tx::Evidence as Shown;
use assay_verifier::audit::{Bundle, Check, Trust, Unproven};
use assay_verifier::receipt::Backend;
use assay_verifier::settlement::light::Root;
use assay_verifier::settlement::node::Platform;
use assay_verifier::wire;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn same_as_ever(path: &Path, bytes: &[u8]) {
    if std::env::var_os("ASSAY_BLESS").is_some() {
        std::fs::write(path, bytes).unwrap();
    }
    assert!(std::fs::read(path).unwrap_or_default() == bytes, "{} has changed", path.display());
}

#[test]
fn codes() {
    let checks = Check::ALL.iter().map(|check| format!("check {}\n", check.code()));
    let unproven = Unproven::ALL.iter().map(|what| format!("not proven {}\n", what.code()));
    same_as_ever(&folder().join("codes.txt"), checks.chain(unproven).collect::<String>().as_bytes());
}

#[test]
fn every_code_is_explained() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let codes = Check::ALL.iter().map(|check| check.code()).chain(Unproven::ALL.iter().map(|what| what.code()));
    for code in codes {
        assert!(readme.contains(&format!("`{code}`")), "{code}");
    }
}

/// Compares a bundle with the one that was made before; gives whether it holds.
fn same_bundle(name: &str, bundle: &Bundle, trust: &Trust) -> bool {
    let bytes = wire::encode(bundle);
    assert!(bytes.len() < 96 << 10, "{name} has {} bytes", bytes.len());
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/golden");
    same_as_ever(&fuzz.join(format!("{name}.assay")), &bytes);
    audited(&wire::decode(&bytes).unwrap(), trust).holds()
}

#[test]
fn bundles() {
    let mut world = World::new();
    world.settle_with(vanilla().sign(&secret(NODE)), Shown::Signature);
    world.settle("sumcheck", 0);
    world.settle("halo2", 0);
    world.enter(Platform::Nitro);
    let attested = world.settle_attested(&floating());
    let mut drawn = World::drawn("halo2", 5);
    drawn.prove("halo2");
    let sampled = drawn.sampled_bundle("halo2");
    assert!(same_bundle("sampled", &sampled, &drawn.trust()));
    let bundles = [
        ("enclave", attested),
        ("upstream", world.proxied_bundle(&proxied(Backend::Tee))),
        ("vanilla", world.vanilla_bundle()),
        ("sumcheck", world.bundle("sumcheck", 0)),
        ("halo2", world.bundle("halo2", 0)),
        ("unsettled", unsettled("halo2", 0)),
    ];
    for (name, bundle) in bundles {
        assert_eq!(same_bundle(name, &bundle, &world.trust()), name != "unsettled");
    }
    let trust = world.trust();
    let Root::Validators(root) = trust.root else { panic!("the chain's own root") };
    let hex: String = root.iter().map(|byte| format!("{byte:02x}")).collect();
    let (chain, genesis) = (trust.chain_id, trust.genesis.unwrap());
    let json = serde_json::json!({ "chain_id": chain, "validators_hash": hex, "genesis": genesis.to_string() });
    same_as_ever(&folder().join("trust.json"), format!("{json:#}\n").as_bytes());
}
