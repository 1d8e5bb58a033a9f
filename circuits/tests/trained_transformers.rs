//! Do trained transformers say the same in integers, on inputs that calibration has not seen?
mod support;

use assay_circuits::compile::evaluate_model;
use assay_circuits::io;
use assay_circuits::{Compiled, Model, NamedTensors};
use support::{array, compiled, model};

/// The samples of an archive: of one input called `inputs`, or by the names of the inputs.
fn samples(model: &Model, archive: &str) -> Vec<NamedTensors> {
    let inputs = model.inputs(1).expect("the fixture's shape is fixed");
    let name = |input: &str| if inputs.len() == 1 { "inputs".to_owned() } else { input.to_owned() };
    let tensors = inputs.iter().map(|input| (Some(input.name.clone()), array(archive, &name(&input.name)))).collect();
    io::samples(tensors, &inputs).expect("the fixture fits its model")
}

/// Figures over all rows of logits: the share in which the largest is at the same place, and the loss in nats a label
/// of the integers and of the floats.
struct Figures {
    agreement: f64,
    loss: f64,
    float_loss: f64,
}

fn measure(name: &str, bits: u8) -> (Compiled, Figures) {
    let model = model(name);
    let compiled = compiled(&model, bits, samples(&model, &format!("{name}_calibration")));
    let test = format!("{name}_test");
    let (expected, labels) = (array(&test, "outputs"), array(&test, "labels"));
    let classes = *expected.dims.last().expect("logits have an axis") as usize;
    let outputs = evaluate_model(&compiled, &samples(&model, &test)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let actual: Vec<f64> =
        outputs.into_iter().flat_map(|mut output| output.pop_first().expect("one").1.values).collect();
    assert_eq!(actual.len(), expected.values.len(), "{name}");
    let mut figures = Figures { agreement: 0.0, loss: 0.0, float_loss: 0.0 };
    let rows = actual.chunks_exact(classes).zip(expected.values.chunks_exact(classes));
    for ((actual, expected), &label) in rows.zip(&labels.values) {
        figures.agreement += f64::from(u8::from(largest(actual) == largest(expected)));
        figures.loss += loss(actual, label as usize);
        figures.float_loss += loss(expected, label as usize);
    }
    let count = labels.values.len() as f64;
    figures.agreement /= count;
    figures.loss /= count;
    figures.float_loss /= count;
    let Figures { agreement, loss, float_loss } = figures;
    println!("{name} at {bits} bits: agreement {agreement}, loss {loss} ({float_loss} in floats)\n{}", compiled.report);
    (compiled, figures)
}

fn largest(row: &[f64]) -> usize {
    (0..row.len()).fold(0, |best, place| if row[place] > row[best] { place } else { best })
}

fn loss(row: &[f64], label: usize) -> f64 {
    let most = row[largest(row)];
    row.iter().map(|x| (x - most).exp()).sum::<f64>().ln() + most - row[label]
}

#[test]
fn a_language_model_predicts_the_same_characters() {
    let (compiled, figures) = measure("chargpt", 16);
    assert!(figures.agreement >= 0.99, "{}", figures.agreement);
    let perplexity = (figures.loss - figures.float_loss).exp();
    assert!((perplexity - 1.0).abs() <= 0.01, "{perplexity}");
    let size = compiled.report.size;
    assert!(size.cells + size.table_entries <= 1_500_000, "{size:?}");
}

#[test]
fn a_language_model_at_twelve_bits() {
    let (_, figures) = measure("chargpt", 12);
    assert!(figures.agreement >= 0.98, "{}", figures.agreement);
    assert!((figures.loss - figures.float_loss).exp() <= 1.01, "{}", figures.loss);
}

#[test]
fn classifiers_answer_the_same() {
    for name in ["digits_vit", "sentence_bert"] {
        for (bits, agreement) in [(16, 0.995), (8, 0.97)] {
            let (_, figures) = measure(name, bits);
            assert!(figures.agreement >= agreement, "{name} at {bits} bits: {}", figures.agreement);
        }
    }
}
