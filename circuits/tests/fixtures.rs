//! How accurate are whole models, on inputs that calibration has not seen?
mod support;

use assay_circuits::{CompileOptions, compile};

/// The models of the fixtures.
const MODELS: [&str; 4] = ["digits_mlp", "digits_cnn", "digits_resnet", "cancer_tabular"];

/// Compiles on the calibration set and measures on the test set.
fn measure(name: &str, bits: u8) -> assay_circuits::report::Accuracy {
    let model = support::model(name);
    let calibration = support::samples(&model, &format!("{name}_calibration"));
    let compiled = support::compiled(&model, bits, calibration);
    let test = format!("{name}_test");
    let accuracy = support::compare(&compiled, &support::samples(&model, &test), &support::array(&test, "outputs"));
    println!("{name} at {bits} bits: {accuracy:?}\n{}", compiled.report);
    accuracy
}

#[test]
fn sixteen_bits_follow_the_float_model() {
    for name in MODELS {
        let accuracy = measure(name, 16);
        assert!(accuracy.relative_mean_error() <= 0.005, "{name}: {accuracy:?}");
        assert!(accuracy.top1_agreement.is_none_or(|share| share >= 0.99), "{name}: {accuracy:?}");
    }
}

#[test]
fn narrow_widths_still_classify() {
    for name in MODELS {
        for (bits, mean, agreement) in [(12, 0.01, 0.99), (8, 0.05, 0.95)] {
            let accuracy = measure(name, bits);
            assert!(accuracy.relative_mean_error() <= mean, "{name} at {bits}: {accuracy:?}");
            assert!(accuracy.top1_agreement.is_none_or(|share| share >= agreement), "{name} at {bits}: {accuracy:?}");
        }
    }
}

#[test]
fn a_batch_gives_the_same_answers() {
    let name = "digits_cnn";
    let model = support::model(name);
    let inputs = model.inputs(2).expect("an open batch");
    let read = |archive: &str| {
        let tensor = support::array(archive, "inputs");
        assay_circuits::io::samples(vec![(None, tensor)], &inputs).expect("an even number of samples")
    };
    let calibration = Some(read(&format!("{name}_calibration")));
    let options = CompileOptions { batch: 2, calibration, ..CompileOptions::default() };
    let compiled = compile(&model, &options, &|_, _| {}).expect("a valid model");
    let test = format!("{name}_test");
    let accuracy = support::compare(&compiled, &read(&test), &support::array(&test, "outputs"));
    assert!(accuracy.relative_mean_error() <= 0.005, "{accuracy:?}");
}
