//! Do wrong usage and wrong files end with code 2 and a message that names them?
mod support;

use assay_prover::file::CircuitFile;
use support::{Folder, fixture, npy};

#[test]
fn wrong_usage_is_refused() {
    let folder = Folder::new();
    folder.refuses(&[], &["Usage"]);
    folder.refuses(&["prove"], &["--input", "--proof"]);
    folder.refuses(&["compile", "m.onnx", "--bits", "9"], &["--bits", "8", "12", "16"]);
    folder.refuses(&["compile", "m.onnx", "--bits", "*attn*=7"], &["--bits", "*attn*=7", "8 to 16"]);
    folder.refuses(&["compile", &fixture("digits_mlp.onnx"), "--bits", "*attn*=12"], &["*attn*", "assay inspect"]);
    folder.refuses(&["demo", "--threads", "0"], &["--threads"]);
    folder.refuses(&["prove", "c", "--input", "i", "--proof", "p", "--context", "xyz"], &["--context", "hexadecimal"]);
    folder.refuses(&["verify", "--key", "k", "--proof", "p", "--sample", "1"], &["--input"]);
}

#[test]
fn help_and_version_explain_themselves() {
    let folder = Folder::new();
    assert!(folder.fine(&["--version"]).stdout.contains("ASSAYPF2"));
    assert!(folder.fine(&["--help"]).stdout.contains("Exit codes"));
    for command in ["compile", "infer", "prove", "key", "verify", "inspect", "srs", "evm"] {
        let help = folder.fine(&[command, "--help"]).stdout;
        assert!(help.contains(&format!("assay {command} ")) && help.contains("Examples"), "{help}");
    }
}

#[test]
fn missing_files_and_folders_are_named() {
    let folder = Folder::new();
    folder.refuses(&["compile", "absent.onnx"], &["absent.onnx", "next:"]);
    folder.refuses(&["verify", "--key", "absent.key", "--proof", "p"], &["absent.key"]);
    folder.refuses(&["inspect", "."], &["folder"]);
    let model = fixture("digits_mlp.onnx");
    folder.refuses(&["compile", &model, "-o", "no/where.circuit"], &["no/where.circuit", "no folder", "mkdir -p no"]);
    let run = folder.run(&["compile", "absent.onnx", "--json"]);
    let failure: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(failure["error"].as_str().unwrap().contains("absent.onnx") && failure["next"].is_string());
}

#[test]
fn malformed_files_are_named() {
    let folder = Folder::with_mlp();
    folder.write("noise", b"noise");
    folder.write("noise.onnx", &[0xff; 100]);
    folder.refuses(&["compile", "noise.onnx"], &["noise.onnx"]);
    folder.refuses(&["key", "noise"], &["noise is not a circuit", "assay compile"]);
    folder.refuses(&["inspect", "noise"], &["noise"]);
    folder.refuses(&["compile", "mlp.circuit"], &["mlp.circuit is not an ONNX model but a circuit"]);
    folder.refuses(&["verify", "--key", "mlp.circuit", "--proof", "noise"], &["mlp.circuit is not a verification key"]);
    folder.refuses(&["verify", "--key", "mlp.key", "--proof", "mlp.key"], &["mlp.key is not a proof"]);
    for name in ["mlp.circuit", "mlp.key"] {
        let whole = folder.bytes(name);
        folder.write("cut", &whole[..whole.len() - 1]);
        folder.refuses(&["inspect", "cut"], &["cut is a damaged", "malformed"]);
        folder.write("long", &[&whole[..], &[0]].concat());
        folder.refuses(&["inspect", "long"], &["long is a damaged", "trailing"]);
    }
}

#[test]
fn changed_circuits_are_refused() {
    let folder = Folder::with_mlp();
    let input = fixture("digits_mlp_test.npz");
    let honest: CircuitFile = folder.load("mlp.circuit");

    let mut other_weights = honest.clone();
    other_weights.weights[0][0] ^= 1;
    folder.store("changed.circuit", &other_weights);
    let said = ["changed.circuit", "commitment", "compile the model again"];
    folder.refuses(&["key", "changed.circuit"], &said);
    folder.refuses(&["prove", "changed.circuit", "--input", &input, "--proof", "p"], &said);
    assert!(!folder.path("p").exists());

    let mut fewer_weights = honest.clone();
    fewer_weights.weights[0].pop();
    folder.store("changed.circuit", &fewer_weights);
    folder.refuses(&["infer", "changed.circuit", "--input", &input], &["changed.circuit", "weights"]);

    let mut no_circuit = honest;
    no_circuit.circuit.limb_bits = 60;
    folder.store("changed.circuit", &no_circuit);
    folder.refuses(&["inspect", "changed.circuit"], &["changed.circuit", "limb"]);
}

#[test]
fn wrong_inputs_are_named() {
    let folder = Folder::with_mlp();
    let infer = |file: &str, words: &[&str]| folder.refuses(&["infer", "mlp.circuit", "--input", file], words);
    folder.write("text.json", b"not json");
    infer("text.json", &["text.json", "not JSON"]);
    folder.write("short.json", br#"{"input_data": [[1, 2, 3]]}"#);
    infer("short.json", &["short.json", "shape [3]", "[1, 64]", "assay inspect"]);
    folder.write("ragged.json", br#"{"input": [[1, 2], [3]]}"#);
    infer("ragged.json", &["ragged.json", "different lengths"]);
    folder.write("far.npy", &npy("(64,)", &[1000.0; 64]));
    infer("far.npy", &["far.npy", "outside the calibrated range", "calibration"]);
    folder.write("nan.npy", &npy("(64,)", &[f32::NAN; 64]));
    infer("nan.npy", &["nan.npy", "not finite"]);
    folder.write("values.csv", b"1,2,3");
    infer("values.csv", &["values.csv", ".npz"]);
    infer("absent.json", &["absent.json"]);
    let model = fixture("digits_mlp.onnx");
    folder.refuses(&["compile", &model, "--calibrate", "short.json"], &["short.json", "shape"]);
}
