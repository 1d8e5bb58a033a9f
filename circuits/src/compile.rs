//! The whole way from a model to a circuit.
use std::collections::BTreeMap;

use assay_verifier::circuit::{CheckedCircuit, Circuit, Limits, Port};
use rayon::prelude::*;

use crate::cost;
use crate::error::{CompileError, InputError};
use crate::eval::{self, Weights};
use crate::graph::{Graph, NodeId, passes};
use crate::io::{self, NamedTensors};
use crate::lower;
pub use crate::measure::{Compared, accuracy, classes};
use crate::measure::{measure, measured};
use crate::onnx::{self, Model};
use crate::quantize::{Ranges, calibrate, cut, share, soften, synthetic};
use crate::report::{Calibration, Report};
use crate::samples::check_samples;
use crate::widths::{self, Width};

/// How to compile.
#[derive(Clone, Debug)]
pub struct CompileOptions {
    /// Bits of activations and weights: 8, 12 or 16.
    pub bits: u8,
    /// Widths of activations by names of nodes; of several that match, the last counts.
    pub widths: Vec<Width>,
    /// The batch where the model leaves it open.
    pub batch: u32,
    /// Sample inputs; without them random ones are used, which are worth little.
    pub calibration: Option<Vec<NamedTensors>>,
}

impl Default for CompileOptions {
    fn default() -> Self {
        Self { bits: 16, widths: Vec::new(), batch: 1, calibration: None }
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
    share(&graph, &mut ranges);
    let wide = cut(&mut graph, &mut ranges, &samples, options.bits);
    progress(Stage::Lower, 0.0);
    let bits = widths::of_nodes(&graph, options.bits, &options.widths)?;
    let lowered = |limb_bits| Lowered::new(&graph, &ranges, &wide, (&bits, limb_bits));
    let mut first = lowered(lower::LIMB_BITS)?;
    progress(Stage::Check, 0.0);
    // Where limbs turn out wide, finer weights are free: a shift takes one limb either way.
    if first.circuit.limb_bits > lower::LIMB_BITS {
        let finer = lowered(first.circuit.limb_bits)?;
        if finer.cells() <= first.cells() {
            first = finer;
        }
    }
    let Lowered { circuit, weights, tensors, size } = first;
    let checked = CheckedCircuit::new(circuit.clone(), &Limits::default())?;
    eval::check_weights(&checked, &weights)?;
    progress(Stage::Measure, 0.0);
    let measured = measured(&checked, &samples);
    let (accuracy, worst) = measure(&checked, &weights, (&graph, &tensors, &ranges.values), measured)?;
    progress(Stage::Measure, 1.0);
    let report = Report {
        operators,
        parameters: cost::parameters(&circuit),
        bits: options.bits,
        widths: options.widths.clone(),
        nodes: circuit.nodes.len() as u64,
        size,
        limb_bits: circuit.limb_bits,
        calibration,
        accuracy,
        worst,
        prediction: cost::predict(&checked, &size),
    };
    Ok(Compiled { circuit, weights, report })
}

/// A circuit with the limb width that suits it.
struct Lowered {
    circuit: Circuit,
    weights: Weights,
    tensors: lower::Tensors,
    size: cost::Size,
}

impl Lowered {
    /// Lowers a graph for limbs of some width and chooses the width that suits the result.
    fn new(
        graph: &Graph,
        ranges: &Ranges,
        wide: &BTreeMap<NodeId, i32>,
        (bits, limb_bits): (&[u8], u8),
    ) -> Result<Self, CompileError> {
        let (mut circuit, weights, tensors) = lower::lower(graph, ranges, wide, (bits, limb_bits))?;
        let checked = CheckedCircuit::new(circuit.clone(), &Limits::default())?;
        circuit.limb_bits = cost::choose_limb_bits(&checked);
        let size = cost::size(&checked, circuit.limb_bits);
        Ok(Self { circuit, weights, tensors, size })
    }

    /// What the prover pays for.
    fn cells(&self) -> u64 {
        self.size.cells + self.size.table_entries
    }
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
    let evaluation = eval::evaluate(checked, weights, &integers(checked, inputs)?)?;
    let outputs = checked.circuit().outputs.iter();
    let real = |port: &Port| io::dequantize(port, &port.to_model_order(&evaluation.nodes[port.node as usize]));
    Ok(outputs.map(|port| (port.name.clone(), real(port))).collect())
}

/// The integers of real inputs, cells in the nodes' order.
pub(crate) fn integers(checked: &CheckedCircuit, inputs: &NamedTensors) -> Result<Vec<Vec<i64>>, InputError> {
    let quantised = |port: &Port| {
        let missing = || InputError::Missing(port.name.clone());
        let tensor = inputs.get(&port.name).ok_or_else(missing)?;
        let range = checked.range(port.node).ok_or_else(missing)?;
        Ok(port.to_node_order(&io::quantize(port, range, tensor)?))
    };
    checked.circuit().inputs.iter().map(quantised).collect()
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
