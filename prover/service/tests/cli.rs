//! Does the command line do what its help says, from a model to a checked answer?
mod support;

use assay_prover::file::CircuitFile;
use assay_verifier::key::Key;
use assay_verifier::statement::Proof;
use serde_json::{Value, json};
use support::{Folder, fixture, npy, write_npz};

/// One image, simple enough to write down.
fn pixels() -> Vec<f32> {
    (0..64).map(|place| (place % 16) as f32 / 16.0).collect()
}

#[test]
fn from_a_model_to_a_checked_answer() {
    let folder = Folder::with_mlp();
    let input = fixture("digits_mlp_test.npz");
    let (code, inferred) = folder.json(&["infer", "mlp.circuit", "--input", &input, "--output", "answer.json"]);
    assert_eq!(code, 0);
    let prove = ["prove", "mlp.circuit", "--input", &input, "--proof", "p.proof", "--context", "c0ffee"];
    let (code, proven) = folder.json(&prove);
    assert_eq!(code, 0);
    assert_eq!(inferred["outputs"], proven["outputs"], "the answer that is served is the one that is proven");
    let written: Value = serde_json::from_slice(&folder.bytes("answer.json")).unwrap();
    assert_eq!(written["output"][0], proven["outputs"][0]["values"]);

    let (code, verified) = folder.json(&["verify", "--key", "mlp.key", "--proof", "p.proof"]);
    assert_eq!((code, &verified["verified"], &verified["hiding"]), (0, &json!(true), &json!(false)));
    assert_eq!((&verified["engine"], &verified["secrecy"]["inputs"]), (&json!("sumcheck"), &json!("public")));
    assert_eq!(verified["outputs"], proven["outputs"]);
    assert_eq!((&verified["key"], &verified["circuit"]), (&proven["key"], &proven["circuit"]));
    assert_eq!(verified["context"], "c0ffee");
    assert_eq!(verified["inputs"][0]["integers"].as_array().unwrap().len(), 64);
    assert!(verified["soundness_bits"].as_f64().unwrap() >= 90.0, "{}", verified["soundness_bits"]);

    let text = folder.fine(&["verify", "--key", "mlp.key", "--proof", "p.proof"]).stdout;
    for words in ["VERIFIED", "not proven", "hiding", "c0ffee"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn forged_statements_are_rejected() {
    let folder = Folder::with_mlp();
    let input = fixture("digits_mlp_test.npz");
    folder.fine(&["prove", "mlp.circuit", "--input", &input, "--proof", "p.proof", "--context", "01"]);
    let rejected = |arguments: &[&str]| {
        let (code, answer) = folder.json(&[&["verify", "--proof", "p.proof"], arguments].concat());
        assert_eq!((code, &answer["verified"], &answer["proven"]), (1, &json!(false), &Value::Null), "{arguments:?}");
        answer["reason"].as_str().unwrap().to_owned()
    };

    // Other expectations than what is proven.
    assert!(rejected(&["--key", "mlp.key", "--context", "02"]).contains("context"));
    assert!(rejected(&["--key", "mlp.key", "--input", &input, "--sample", "1"]).contains("inputs"));
    folder.fine(&["verify", "--key", "mlp.key", "--proof", "p.proof", "--context", "0x01", "--input", &input]);

    // Another key.
    folder.fine(&["compile", &fixture("digits_mlp.onnx"), "--bits", "12", "-o", "other.circuit"]);
    folder.fine(&["key", "other.circuit", "-o", "other.key"]);
    assert!(rejected(&["--key", "other.key"]).contains("another key"));

    let proof = ["prove", "mlp.circuit", "--input", &input, "--proof", "q.proof", "--key"];
    folder.fine(&[&proof[..], &["mlp.key"]].concat());
    folder.refuses(&[&proof[..], &["other.key"]].concat(), &["other.key is not the key of mlp.circuit"]);

    // A key that claims to be for other weights.
    let key: Key = folder.load("mlp.key");
    let mut key = key.as_sumcheck().unwrap().clone();
    key.weights[0].root[0] ^= 1;
    folder.store("forged.key", &Key::from(key));
    assert!(rejected(&["--key", "forged.key"]).contains("forged.key"));

    // A changed proof.
    let honest: Proof = folder.load("p.proof");
    let forge = |change: &dyn Fn(&mut Proof)| {
        let mut proof = honest.clone();
        change(&mut proof);
        folder.store("p.proof", &proof);
        rejected(&["--key", "mlp.key"])
    };
    forge(&|proof| proof.statement.outputs[0].swap(0, 1));
    forge(&|proof| proof.statement.inputs.public_mut().unwrap()[0][0] += 1);
    forge(&|proof| proof.statement.context.push(0));
    forge(&|proof| proof.argument.as_sumcheck_mut().unwrap().root[0] ^= 1);
    forge(&|proof| proof.argument.as_sumcheck_mut().unwrap().messages.truncate(3));
}

#[test]
fn compiling_twice_gives_the_same_bytes() {
    let folder = Folder::new();
    let compile = |threads: &str, target: &str| {
        let (model, samples) = (fixture("digits_mlp.onnx"), fixture("digits_mlp_calibration.npz"));
        folder.fine(&["compile", &model, "--calibrate", &samples, "-o", target, "--threads", threads]);
        folder.bytes(target)
    };
    assert!(compile("1", "a.circuit") == compile("2", "b.circuit"), "the files differ");
}

#[test]
fn all_kinds_of_input_files_are_read_alike() {
    let folder = Folder::with_mlp();
    let flat = json!({ "input_data": [pixels()] }).to_string();
    let named = json!({ "input": [pixels()] }).to_string();
    folder.write("flat.json", flat.as_bytes());
    folder.write("named.json", named.as_bytes());
    folder.write("one.npy", &npy("(1, 64)", &pixels()));
    write_npz(&folder.path("one.npz"), "input", &npy("(1, 64)", &pixels()));
    let three = [vec![0.0; 64], pixels(), vec![1.0; 64]].concat();
    folder.write("three.npy", &npy("(3, 64)", &three));
    let outputs = |arguments: &[&str]| {
        let (code, answer) = folder.json(&[&["infer", "mlp.circuit", "--input"], arguments].concat());
        assert_eq!(code, 0, "{arguments:?}: {answer}");
        answer["outputs"].clone()
    };
    let expected = outputs(&["flat.json"]);
    for file in ["named.json", "one.npy", "one.npz"] {
        assert_eq!(outputs(&[file]), expected, "{file}");
    }
    assert_eq!(outputs(&["three.npy", "--sample", "1"]), expected);
    assert_ne!(outputs(&["three.npy"]), expected);
    let remark = folder.fine(&["infer", "mlp.circuit", "--input", "three.npy"]).stderr;
    assert!(remark.contains("3 samples") && remark.contains("sample 0"), "{remark}");
    folder.refuses(&["infer", "mlp.circuit", "--input", "three.npy", "--sample", "3"], &["three.npy", "0 to 2"]);
}

#[test]
fn compiling_reports_what_to_expect() {
    let folder = Folder::new();
    let model = fixture("digits_mlp.onnx");
    let run = folder.fine(&["compile", &model]);
    assert!(folder.path("digits_mlp.circuit").exists(), "the default is the model's name in the current folder");
    for words in ["Gemm", "parameters", "NONE GIVEN", "worth little", "Predicted", "memory", "proof size"] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    let samples = fixture("digits_mlp_calibration.npz");
    let (_, answer) = folder.json(&["compile", &model, "--calibrate", &samples, "--bits", "12", "-o", "12.circuit"]);
    assert_eq!(answer["report"]["bits"], 12);
    assert!(answer["report"]["accuracy"]["top1_agreement"].as_f64().unwrap() > 0.9);
    let file: CircuitFile = folder.load("12.circuit");
    assert_eq!(answer["key"], file.key_digest().to_string());
    let run = folder.fine(&["compile", &model, "--calibrate", &samples, "--bits", "16", "--bits", "*=12"]);
    for words in ["activations of 12 bits in *", "worst inside"] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
}

#[test]
fn all_kinds_of_files_are_inspected() {
    let folder = Folder::with_mlp();
    let (model, input) = (fixture("digits_mlp.onnx"), fixture("digits_mlp_test.npz"));
    folder.fine(&["prove", "mlp.circuit", "--input", &input, "--proof", "p.proof"]);
    for (file, kind, words) in [
        (model.as_str(), "model", ["[1, 64]", "weights"]),
        ("mlp.circuit", "circuit", ["digest", "rescale"]),
        ("mlp.key", "key", ["no salt", "all together"]),
        ("p.proof", "proof", ["not verified", "messages"]),
    ] {
        let text = folder.fine(&["inspect", file]).stdout;
        words.iter().for_each(|word| assert!(text.contains(word), "{file} without {word}: {text}"));
        let (code, answer) = folder.json(&["inspect", file]);
        assert_eq!((code, answer["kind"].as_str()), (0, Some(kind)));
    }
}

#[test]
fn the_demo_proves_ten_digits_and_refuses_forgeries() {
    digits(&["demo"], false);
}

#[test]
fn the_demo_hides_the_weights() {
    digits(&["demo", "--engine", "halo2"], true);
    Folder::new().refuses(&["demo", "--engine", "halo2", "--model", "gpt"], &["halo2", "--model gpt"]);
}

fn digits(command: &[&str], hiding: bool) {
    let (code, answer) = Folder::new().json(command);
    assert_eq!((code, &answer["verified"]), (0, &json!(true)));
    assert_eq!(answer["hiding"], json!(hiding));
    let images = answer["images"].as_array().unwrap();
    assert_eq!(images.len(), 10);
    assert!(images.iter().all(|image| image["verified"] == true));
    let right = images.iter().filter(|image| image["answer"] == image["label"]).count();
    assert!(right >= 9, "the network is right on 98 % of the test set");
    assert!(answer["forgeries"].as_array().unwrap().iter().all(|forgery| forgery["refused"] == true));
}

#[test]
fn the_demo_writes_text_from_proven_passes() {
    let folder = Folder::new();
    let task = ["demo", "--model", "gpt", "--prompt", "Mr. Darc", "--tokens", "3"];
    let (code, answer) = folder.json(&task);
    assert_eq!((code, &answer["verified"]), (0, &json!(true)));
    let tokens = answer["tokens"].as_array().unwrap();
    assert!(tokens.len() == 3 && tokens.iter().all(|token| token["verified"] == true));
    let written: String = tokens.iter().map(|token| token["character"].as_str().unwrap()).collect();
    assert_eq!(answer["text"], written);
    assert!(written.starts_with('y'), "{written:?}");
    assert!(tokens.iter().all(|token| token["logits"].as_array().unwrap().len() == 65));
    assert!(answer["forgeries"].as_array().unwrap().iter().all(|forgery| forgery["refused"] == true));
}

#[test]
fn the_demo_says_which_characters_and_options_it_cannot_take() {
    let folder = Folder::new();
    let prompt = |text| ["demo", "--model", "gpt", "--prompt", text];
    folder.refuses(&prompt("Caf\u{e9} 1813"), &["'\u{e9}'", "'1'", "'3'", "'8'", "line breaks"]);
    folder.refuses(&prompt(""), &["empty", "at least one character"]);
    folder.refuses(&["demo", "--prompt", "Mr. Darcy"], &["--prompt", "--model gpt"]);
}

#[test]
fn keys_are_derived_anew() {
    let folder = Folder::with_mlp();
    let check = |arguments: &[&str]| {
        let (code, answer) = folder.json(&[&["key", "--check"], arguments].concat());
        let parts = answer["parts"].as_array().unwrap().iter();
        let finding = |row: &Value| format!("{} {}", row["part"].as_str().unwrap(), row["finding"].as_str().unwrap());
        (code, parts.map(finding).collect::<Vec<_>>())
    };
    let publishers = ["the description trusted", "the weights trusted", "the model trusted"];
    let proven = ["form of the description confirmed", "range of the weights confirmed"];
    assert_eq!(check(&["mlp.key"]), (0, [&proven[..], &publishers].concat().iter().map(|&row| row.into()).collect()));
    let (code, parts) = check(&["mlp.key", "--circuit", "mlp.circuit"]);
    assert_eq!(
        (code, parts[2..].join(", ")),
        (0, "the description confirmed, the weights confirmed, the model trusted".into())
    );

    // The same description with other weights, and another description.
    let mut file: CircuitFile = folder.load("mlp.circuit");
    file.weights[0][0] ^= 1;
    let other = CircuitFile::new(file.circuit, file.weights, file.report).unwrap();
    folder.store("weights.circuit", &other);
    let (code, parts) = check(&["mlp.key", "--circuit", "weights.circuit"]);
    assert_eq!((code, parts[2..4].join(", ")), (1, "the description confirmed, the weights refused".into()));
    folder.fine(&["compile", &fixture("digits_mlp.onnx"), "--bits", "12", "-o", "other.circuit"]);
    let (code, parts) = check(&["mlp.key", "--circuit", "other.circuit"]);
    assert_eq!((code, parts[2..4].join(", ")), (1, "the description refused, the weights refused".into()));

    // A range proof of other weights.
    let key: Key = folder.load("mlp.key");
    let mut key = key.as_sumcheck().unwrap().clone();
    key.weights[0].root[0] ^= 1;
    folder.store("forged.key", &Key::from(key));
    let (code, parts) = check(&["forged.key"]);
    assert_eq!((code, parts[1].as_str()), (1, "range of the weights refused"));
    folder.refuses(&["key", "mlp.circuit", "--check", "mlp.key"], &["--check"]);
    folder.refuses(&["key", "--circuit", "mlp.circuit"], &["--check"]);
    let text = folder.fine(&["key", "--check", "mlp.key"]).stdout;
    assert!(text.contains("trusted to the publisher") && text.contains("confirmed"), "{text}");
}
