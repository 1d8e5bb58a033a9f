//! Does `assay evm` write the contract of a key, and the call of a proof?
mod support;

use assay_prover::file::{CheckedFile, CircuitFile};
use assay_prover::halo2::srs::make;
use assay_prover::halo2::{Prover, choose};
use assay_verifier::halo2::shape::Visibility;
use assay_verifier::key::Key;
use assay_verifier::statement::{Inputs, Proof};
use support::Folder;

#[test]
fn a_key_becomes_a_contract() {
    let folder = Folder::with_mlp();
    let file = folder.load::<CircuitFile>("mlp.circuit");
    let weights = file.weights.clone();
    let checked = CheckedFile::new(file).unwrap().circuit().clone();
    let visibility = Visibility { private_input: false, private_weights: false };
    let shape = choose::choose(&checked, visibility).unwrap();
    let srs = make(shape.k.into(), rand_core::OsRng, |_| {}).unwrap();
    let parts = (srs.params(shape.k.into()).unwrap(), *srs.srs());
    let inputs: Vec<Vec<i64>> = checked
        .circuit()
        .inputs
        .iter()
        .map(|port| vec![0; port.dims.iter().map(|dim| *dim as usize).product()])
        .collect();
    let prover = Prover::new(checked, weights, (shape, visibility), parts, None).unwrap();
    folder.store("halo2.key", &Key::Halo2(prover.key().key().clone()));
    let proof = prover.prove(&inputs, b"request").unwrap().proof;
    folder.store("answer.proof", &proof);

    let run = folder.fine(&["evm", "halo2.key", "-o", "contract", "--proof", "answer.proof"]);
    assert!(run.stdout.contains("calldata.hex"), "{}", run.stdout);
    let text = |name: &str| String::from_utf8(folder.bytes(&format!("contract/{name}"))).unwrap();
    let runtime = text("verifier.bin-runtime");
    assert!(runtime.len() < 2 * 24_576 && text("verifier.bin").ends_with(&runtime));
    let digest = prover.key().digest().to_string();
    assert!(text("README.txt").contains(&digest) && text("Verifier.sol").contains(&digest));
    let (code, answer) = folder.json(&["evm", "halo2.key", "-o", "contract"]);
    assert_eq!((code, answer["code_size_bytes"].as_u64()), (0, Some(runtime.trim().len() as u64 / 2)));
    assert_eq!(answer["call_size_bytes"].as_u64().unwrap() as usize, text("calldata.hex").trim().len() / 2 - 1);

    let mut other: Proof = proof;
    let Inputs::Public(values) = &mut other.statement.inputs else { panic!("inputs are public") };
    values[0][0] += 1;
    folder.store("other.proof", &other);
    folder
        .refuses(&["evm", "halo2.key", "-o", "contract", "--proof", "other.proof"], &["other.proof", "does not hold"]);
    folder.refuses(&["evm", "mlp.key", "-o", "contract"], &["mlp.key", "sumcheck", "--engine halo2"]);
    folder.refuses(&["evm", "halo2.key", "-o", "mlp.key"], &["mlp.key"]);
}
