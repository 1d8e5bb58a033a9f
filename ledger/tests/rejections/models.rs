//! Models and their keys.
use assay_ledger::Rejection;
use assay_ledger::genesis::RawGenesis;
use assay_ledger::tx::{DeprecateModel, Payload};
use assay_verifier::circuit::Circuit;
use assay_verifier::digest::{CircuitDigest, KeyDigest};
use assay_verifier::key::Key;
use assay_verifier::receipt::{ModelId, Program};
use assay_verifier::settlement::model::Manifest;
use assay_verifier::sumcheck;
use assay_verifier::wire;

use crate::Seen;
use crate::common::*;

pub fn all(seen: &mut Seen) {
    manifests(seen);
    keys(seen);
    deprecations(seen);
}

fn manifests(seen: &mut Seen) {
    let mut chain = Chain::ready();
    seen.refused(&mut chain, PUBLISHER, publish("model", "1"), Rejection::ModelExists);
    for name in ["", "Model", "a/b", "-a", ".a", "a b", "é", &"a".repeat(65)] {
        seen.refused(&mut chain, PUBLISHER, publish(name, "1"), Rejection::FieldLength);
        seen.refused(&mut chain, PUBLISHER, publish("good", name), Rejection::FieldLength);
    }
    let Payload::PublishModel(mut model) = publish("model", "2") else { panic!("a model") };
    model.manifest.price += 1;
    seen.refused(&mut chain, PUBLISHER, Payload::PublishModel(model.clone()), Rejection::ManifestSignature);
    model.manifest.price -= 1;
    model.manifest.publisher = key(PAYER);
    seen.refused(&mut chain, PAYER, Payload::PublishModel(model), Rejection::ManifestSignature);
}

fn keys(seen: &mut Seen) {
    // A chain that does not know the reference string of the key.
    let mut chain = Chain::of(&RawGenesis { srs: vec!["11".repeat(32)], ..genesis() });
    seen.refused(&mut chain, PUBLISHER, golden::publish("halo2"), Rejection::SrsNotAllowed);
    let (manifest, file) = (golden::manifest("sumcheck"), golden::file("sumcheck", "key"));
    let with =
        |digests: Vec<KeyDigest>, files: Vec<Vec<u8>>| published(Manifest { keys: digests, ..manifest.clone() }, files);
    let digest = manifest.keys[0];
    let differ = [
        with(vec![digest], vec![]),
        with(vec![], vec![file.clone()]),
        with(vec![digest; 2], vec![file.clone(), file.clone()]),
        with((0..9).map(|number| KeyDigest([number; 32])).collect(), vec![Vec::new(); 9]),
        with(vec![KeyDigest([1; 32])], vec![file.clone()]),
    ];
    for payload in differ {
        seen.refused(&mut chain, PUBLISHER, payload, Rejection::KeysDiffer);
    }
    let malformed = [Vec::new(), file[..file.len() - 1].to_vec(), [file.as_slice(), &[0]].concat()];
    for file in malformed {
        seen.refused(&mut chain, PUBLISHER, with(vec![digest], vec![file]), Rejection::KeyMalformed);
    }
    let Key::Sumcheck(own) = golden::key("sumcheck") else { panic!("a key of sumcheck") };
    let broken = [
        // Nobody has shown the weights to be in range.
        sumcheck::key::Key { range: None, ..own.clone() },
        // Larger than any limit.
        sumcheck::key::Key { circuit: Circuit { limb_bits: 60, ..own.circuit.clone() }, ..own.clone() },
    ];
    for broken in broken {
        let broken = Key::from(broken);
        let payload = with(vec![broken.digest()], vec![wire::encode(&broken)]);
        seen.refused(&mut chain, PUBLISHER, payload, Rejection::KeyRefused);
    }
    let other = Manifest { program: Program::Circuit(CircuitDigest([7; 32])), ..manifest.clone() };
    seen.refused(&mut chain, PUBLISHER, published(other, vec![file.clone()]), Rejection::KeyOtherCircuit);
    chain.good(PUBLISHER, with(vec![digest], vec![file]));
}

fn deprecations(seen: &mut Seen) {
    let mut chain = Chain::ready();
    let deprecate =
        |model, from, reason: &str| Payload::DeprecateModel(DeprecateModel { model, from, reason: reason.into() });
    seen.refused(&mut chain, PUBLISHER, deprecate(ModelId([1; 32]), 100, "x"), Rejection::ModelUnknown);
    seen.refused(&mut chain, PAYER, deprecate(model(), 100, "x"), Rejection::NotPublisher);
    seen.refused(&mut chain, PUBLISHER, deprecate(model(), 100, &"x".repeat(257)), Rejection::FieldLength);
    let past = chain.next().height - 1;
    seen.refused(&mut chain, PUBLISHER, deprecate(model(), past, "x"), Rejection::HeightPast);
    chain.good(PUBLISHER, deprecate(model(), 100, "x"));
    seen.refused(&mut chain, PUBLISHER, deprecate(model(), 101, "x"), Rejection::ModelNotInForce);
}
