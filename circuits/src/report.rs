//! What a compilation reports: what the model is, how well the integers follow it, what proving it will take.
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cost::{Prediction, Size};
use crate::widths::Width;

/// The report of one compilation. Plain data; every number in it is finite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Operators of the model and how often each occurs.
    pub operators: BTreeMap<String, u64>,
    /// Number of weights and biases in the circuit.
    pub parameters: u64,
    /// Bits of an activation.
    pub bits: u8,
    /// Where they differ.
    pub widths: Vec<Width>,
    /// Nodes of the circuit.
    pub nodes: u64,
    /// What the prover pays for.
    pub size: Size,
    /// Width of a limb in bits, as chosen by the cost model.
    pub limb_bits: u8,
    /// What the scales and the accuracy rest on.
    pub calibration: Calibration,
    /// The integers against the float model on those inputs.
    pub accuracy: Accuracy,
    /// The tensors inside the model that follow it worst, worst first.
    pub worst: Vec<TensorError>,
    /// What proving is expected to take.
    pub prediction: Prediction,
}

/// Inputs that scales were chosen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Calibration {
    /// Samples that were given.
    Given {
        /// How many.
        samples: u64,
    },
    /// Random numbers. They say little: real inputs may be smaller (then accuracy is lost) or larger (then they are
    /// refused or saturate), and the accuracy measured on them is not that of the model in use.
    Synthetic {
        /// How many.
        samples: u64,
    },
}

/// Integers against floats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    /// Samples compared.
    pub samples: u64,
    /// Largest absolute difference of an output value.
    pub max_error: f64,
    /// Mean absolute difference.
    pub mean_error: f64,
    /// Largest minus smallest output value of the float model.
    pub output_range: f64,
    /// Share of the rows of the first output (its last axis holds classes) whose largest value is at the same place;
    /// `None` if they have one value.
    pub top1_agreement: Option<f64>,
}

/// How far the integers of one tensor are off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorError {
    /// Name of the node.
    pub name: String,
    /// Mean absolute difference as a share of the tensor's range.
    pub share: f64,
}

impl Accuracy {
    /// Mean error as a share of the output range.
    pub fn relative_mean_error(&self) -> f64 {
        if self.output_range > 0.0 { self.mean_error / self.output_range } else { self.mean_error }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operators: Vec<String> = self.operators.iter().map(|(name, count)| format!("{name} {count}")).collect();
        writeln!(f, "operators      {}", operators.join(", "))?;
        writeln!(f, "parameters     {}", self.parameters)?;
        writeln!(
            f,
            "nodes          {} ({} cells, {} table entries)",
            self.nodes, self.size.cells, self.size.table_entries
        )?;
        writeln!(f, "widths         {} bit activations, {} bit limbs", self.bits, self.limb_bits)?;
        for Width { pattern, bits } in &self.widths {
            writeln!(f, "               {bits} bits in {pattern:?}")?;
        }
        writeln!(f, "calibration    {}", self.calibration)?;
        let accuracy = &self.accuracy;
        let share = accuracy.relative_mean_error() * 100.0;
        writeln!(
            f,
            "error          mean {:.3e} ({share:.4} % of the output range), max {:.3e}",
            accuracy.mean_error, accuracy.max_error
        )?;
        if let Some(top1) = accuracy.top1_agreement {
            writeln!(
                f,
                "top-1          {:.2} % of the answers in {} samples agree with the float model",
                top1 * 100.0,
                accuracy.samples
            )?;
        }
        for TensorError { name, share } in &self.worst {
            writeln!(f, "               {:.4} % of its range in {name:?}", share * 100.0)?;
        }
        let Prediction { prove_duration_ms, memory_bytes, proof_size_bytes } = self.prediction;
        writeln!(
            f,
            "predicted      {prove_duration_ms:.0} ms, {} MB, proof of {} kB",
            memory_bytes / 1_000_000,
            proof_size_bytes / 1000
        )
    }
}

impl fmt::Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given { samples } => write!(f, "{samples} given samples"),
            Self::Synthetic { samples } => write!(
                f,
                "{samples} samples of random numbers: worth little. Scales may not suit real inputs, and the accuracy \
                 below is not that of the model in use. Give sample inputs."
            ),
        }
    }
}
