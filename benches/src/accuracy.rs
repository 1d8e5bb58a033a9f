//! The circuit's answers against the float model's, on test samples.
use anyhow::{Result, ensure};
use assay_circuits::compile::{Compared, float_graph};
use assay_circuits::{compile, graph, io};
use assay_prover::sumcheck::Prover;
use serde::{Deserialize, Serialize};

use crate::measure::integers;
use crate::subject::Subject;

/// How the integers compare.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Accuracy {
    /// Samples that were compared.
    pub samples: usize,
    /// Answers in them: rows of the first output, whose last axis holds classes.
    pub answers: usize,
    /// Share of answers whose largest class is the float model's; absent with one class.
    pub top1_agreement: Option<f64>,
    /// Mean error as a share of the output range.
    pub relative_mean_error: f64,
    /// Perplexity of the float model and of the integers on the labels, where there is a label for each of several answers in a
    /// sample.
    pub perplexity: Option<[f64; 2]>,
}

/// Compares all test samples.
///
/// # Errors
/// A sample does not fit.
pub fn accuracy(subject: &Subject, prover: &Prover) -> Result<Accuracy> {
    let graph = float_graph(&subject.model, 1)?;
    let ports = &prover.key().circuit().circuit().outputs;
    let mut pairs: Vec<Vec<Compared>> = Vec::new();
    for sample in &subject.tests {
        let floats = sample.iter().map(|(name, tensor)| (name.clone(), tensor.values.clone())).collect();
        let expected = graph::eval::evaluate(&graph, &floats);
        let evaluation = prover.evaluate(&integers(prover, sample)?)?;
        let outputs = prover.outputs(&evaluation);
        ensure!(outputs.len() == graph.outputs.len(), "all outputs are there");
        let pair = |((port, integers), (_, node)): ((_, &Vec<i64>), &(String, u32))| Compared {
            expected: expected[*node as usize].clone(),
            actual: io::dequantize(port, integers).values,
            classes: compile::classes(&graph, *node),
        };
        pairs.push(ports.iter().zip(&outputs).zip(&graph.outputs).map(pair).collect());
    }
    let first = || pairs.iter().filter_map(|outputs| outputs.first());
    let answers = first().map(|output| output.expected.len() / output.classes).sum();
    let labels = subject.labels.as_ref().filter(|labels| labels.len() == answers && answers > subject.tests.len());
    let perplexity = labels.map(|labels| {
        let of = |values: fn(&Compared) -> &[f64]| {
            let rows = first().flat_map(|output| values(output).chunks_exact(output.classes));
            let loss: f64 = rows.zip(labels).map(|(row, &label)| surprise(row, label as usize)).sum();
            (loss / answers as f64).exp()
        };
        [of(|output| &output.expected), of(|output| &output.actual)]
    });
    let overall = compile::accuracy(&pairs);
    Ok(Accuracy {
        samples: subject.tests.len(),
        answers,
        top1_agreement: overall.top1_agreement,
        relative_mean_error: overall.relative_mean_error(),
        perplexity,
    })
}

/// The negative logarithm of the probability that logits give a class.
fn surprise(logits: &[f64], class: usize) -> f64 {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    logits.iter().map(|logit| (logit - most).exp()).sum::<f64>().ln() + most - logits[class]
}
