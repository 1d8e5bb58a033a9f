//! The whole way from a model to a circuit.
use std::collections::BTreeMap;

use assay_verifier::circuit::{CheckedCircuit, Circuit, Limits, Port};
use rayon::prelude::*;

use crate::cost;
use crate::error::{CompileError, InputError};
use crate::eval::{self, Weights};
use crate::graph::{Graph, passes};
use crate::io::{self, NamedTensors};
use crate::onnx::{self, Model};
use crate::quantize::{calibrate, cut, soften, synthetic};
use crate::report::{Accuracy, Calibration, Report};
use crate::samples::check_samples;
use crate::{graph, lower};

/// Most samples that accuracy is measured on.
const ACCURACY_SAMPLES_MAX: usize = 128;

/// How to compile.
#[derive(Clone, Debug)]
pub struct CompileOptions {
    /// Bits of activations and weights: 8, 12 or 16.
    pub bits: u8,
    /// The batch where the model leaves it open.
    pub batch: u32,
    /// Sample inputs; without them random ones are used, which are worth little.
    pub calibration: Option<Vec<NamedTensors>>,
}

impl Default for CompileOptions {
    fn default() -> Self {
        Self { bits: 16, batch: 1, calibration: None }
    }
}

/// Stages of a compilation, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// ONNX to float graph.
    Import,
    /// Running the float graph on samples.
    Calibrate,
    /// Float graph to circuit.
    Lower,
    /// Checking the circuit and choosing the limb width.
    Check,
    /// Running the circuit on samples.
    Measure,
}

/// What a compilation gives.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The description.
    pub circuit: Circuit,
    /// Values of its weights.
    pub weights: Weights,
    /// What was measured and predicted.
    pub report: Report,
}

/// Compiles a model. `progress` is called with the stage and how much of it is done.
///
/// # Errors
/// Unsupported operators (all at once), malformed models, calibration inputs that do not fit, values that fit no scale.
pub fn compile(
    model: &Model,
    options: &CompileOptions,
    progress: &dyn Fn(Stage, f32),
) -> Result<Compiled, CompileError> {
    if ![8, 12, 16].contains(&options.bits) {
        return Err(CompileError::Bits(options.bits));
    }
    if options.batch == 0 {
        return Err(CompileError::Batch);
    }
    progress(Stage::Import, 0.0);
    let inputs = model.inputs(options.batch)?;
    let onnx::Imported { mut graph, operators } = onnx::import(model, options.batch)?;
    passes::run(&mut graph);
    progress(Stage::Calibrate, 0.0);
    let rows = graph.rows_chosen();
    let (samples, calibration) = match &options.calibration {
        Some(samples) => {
            check_samples(samples, &inputs, &rows)?;
            (samples.clone(), Calibration::Given { samples: samples.len() as u64 })
        }
        None => {
            let samples = synthetic(&inputs, &rows);
            let count = samples.len() as u64;
            (samples, Calibration::Synthetic { samples: count })
        }
    };
    let mut ranges = calibrate(&graph, &samples)?;
    soften(&mut graph, &mut ranges);
    let wide = cut(&mut graph, &mut ranges, &samples, options.bits);
    progress(Stage::Lower, 0.0);
    let (mut circuit, weights) = lower::lower(&graph, &ranges, &wide, options.bits)?;
    progress(Stage::Check, 0.0);
    let checked = CheckedCircuit::new(circuit.clone(), &Limits::default())?;
    circuit.limb_bits = cost::choose_limb_bits(&checked);
    let checked = CheckedCircuit::new(circuit.clone(), &Limits::default())?;
    let size = cost::size(&checked, circuit.limb_bits);
    eval::check_weights(&checked, &weights)?;
    progress(Stage::Measure, 0.0);
    let measured = &samples[..samples.len().min(ACCURACY_SAMPLES_MAX)];
    let accuracy = measure(&checked, &weights, &graph, measured)?;
    progress(Stage::Measure, 1.0);
    let report = Report {
        operators,
        parameters: cost::parameters(&circuit),
        bits: options.bits,
        nodes: circuit.nodes.len() as u64,
        size,
        limb_bits: circuit.limb_bits,
        calibration,
        accuracy,
        prediction: cost::predict(&checked, &size),
    };
    Ok(Compiled { circuit, weights, report })
}

/// The float graph of a model as it was imported, before any pass.
///
/// # Errors
/// Unsupported operators (all at once) and malformed models.
pub fn float_graph(model: &Model, batch: u32) -> Result<Graph, CompileError> {
    Ok(onnx::import(model, batch)?.graph)
}

/// Evaluates a circuit on real inputs: quantises them, evaluates in integers, and reads the outputs back.
///
/// # Errors
/// Inputs that do not fit.
pub fn evaluate(
    checked: &CheckedCircuit,
    weights: &Weights,
    inputs: &NamedTensors,
) -> Result<NamedTensors, CompileError> {
    let mut integers = Vec::new();
    for port in &checked.circuit().inputs {
        let missing = || InputError::Missing(port.name.clone());
        let tensor = inputs.get(&port.name).ok_or_else(missing)?;
        let range = checked.range(port.node).ok_or_else(missing)?;
        integers.push(port.to_node_order(&io::quantize(port, range, tensor)?));
    }
    let evaluation = eval::evaluate(checked, weights, &integers)?;
    let outputs = checked.circuit().outputs.iter();
    let real = |port: &Port| io::dequantize(port, &port.to_model_order(&evaluation.nodes[port.node as usize]));
    Ok(outputs.map(|port| (port.name.clone(), real(port))).collect())
}

/// Evaluates a compiled model on samples. The circuit is checked first.
///
/// # Errors
/// Inputs that do not fit.
pub fn evaluate_model(compiled: &Compiled, samples: &[NamedTensors]) -> Result<Vec<NamedTensors>, CompileError> {
    let checked = CheckedCircuit::new(compiled.circuit.clone(), &Limits::default())?;
    eval::check_weights(&checked, &compiled.weights)?;
    samples.par_iter().map(|sample| evaluate(&checked, &compiled.weights, sample)).collect()
}

/// Integers against floats.
fn measure(
    checked: &CheckedCircuit,
    weights: &Weights,
    graph: &Graph,
    samples: &[NamedTensors],
) -> Result<Accuracy, CompileError> {
    let compare = |sample: &NamedTensors| -> Result<Vec<Compared>, CompileError> {
        let inputs: BTreeMap<String, Vec<f64>> =
            sample.iter().map(|(name, tensor)| (name.clone(), tensor.values.clone())).collect();
        let mut values = graph::eval::evaluate(graph, &inputs);
        let outputs = evaluate(checked, weights, sample)?;
        let pair = |(name, node): &(String, u32)| Compared {
            expected: std::mem::take(&mut values[*node as usize]),
            actual: outputs.get(name).map(|tensor| tensor.values.clone()).unwrap_or_default(),
        };
        Ok(graph.outputs.iter().map(pair).collect())
    };
    let pairs: Vec<_> = samples.par_iter().map(compare).collect::<Result<_, _>>()?;
    Ok(accuracy(&pairs))
}

/// Values of one output.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Those of the float model.
    pub expected: Vec<f64>,
    /// Those of the integers.
    pub actual: Vec<f64>,
}

/// Accuracy from the outputs of each sample.
pub fn accuracy(samples: &[Vec<Compared>]) -> Accuracy {
    let (mut low, mut high, mut largest, mut total, mut count) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0.0, 0u64);
    let mut agreeing = 0u64;
    let mut has_classes = false;
    for sample in samples {
        for Compared { expected, actual } in sample {
            for (&expected, &actual) in expected.iter().zip(actual) {
                let error = libm::fabs(expected - actual);
                largest = if error > largest { error } else { largest };
                low = if expected < low { expected } else { low };
                high = if expected > high { expected } else { high };
                total += error;
                count += 1;
            }
        }
        if let Some(Compared { expected, actual }) = sample.first() {
            has_classes |= expected.len() > 1;
            agreeing += u64::from(top1(expected) == top1(actual));
        }
    }
    Accuracy {
        samples: samples.len() as u64,
        max_error: largest,
        mean_error: if count > 0 { total / count as f64 } else { 0.0 },
        output_range: if high > low { high - low } else { 0.0 },
        top1_agreement: has_classes.then(|| agreeing as f64 / samples.len() as f64),
    }
}

/// Place of the largest value, the first of equal ones.
fn top1(values: &[f64]) -> usize {
    (0..values.len()).fold(0, |best, place| if values[place] > values[best] { place } else { best })
}
