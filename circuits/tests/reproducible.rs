//! Is a compilation the same to the byte, whatever the machine does?
//!
//! The digests in `golden/digests.txt` pin circuits and weights of the fixtures. After a change that is meant to alter
//! them, run with `ASSAY_BLESS=1`.
mod support;

use std::fmt::Write;
use std::path::PathBuf;

use assay_circuits::Compiled;
use assay_verifier::digest::digest;
use assay_verifier::wire;
use rayon::ThreadPoolBuilder;

const MODELS: [&str; 5] = ["digits_mlp", "digits_cnn", "digits_resnet", "cancer_tabular", "digits_vit"];

fn compile(name: &str) -> Compiled {
    let model = support::model(name);
    let calibration = support::samples(&model, &format!("{name}_calibration"));
    support::compiled(&model, 16, calibration)
}

#[test]
fn threads_do_not_matter() {
    for name in MODELS {
        let on = |threads: usize| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
            let compiled = pool.install(|| compile(name));
            (wire::bytes(&compiled.circuit), compiled.weights, wire::bytes(&compiled.report))
        };
        let first = on(1);
        assert!(!first.2.is_empty(), "the report encodes");
        assert!(first == on(3), "{name}");
    }
}

#[test]
fn digests_stay() {
    let mut lines = String::new();
    for name in MODELS {
        let compiled = compile(name);
        let weights: Vec<u8> = compiled.weights.iter().flatten().flat_map(|weight| weight.to_le_bytes()).collect();
        let circuit = compiled.circuit.digest();
        let hex: String = digest("test weights", &weights).iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(lines, "{name} {circuit} {hex}").expect("strings can be written to");
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/digests.txt");
    if std::env::var_os("ASSAY_BLESS").is_some() {
        std::fs::write(&path, &lines).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(&path).expect("the golden file exists");
    assert_eq!(lines, golden);
}
