//! Models that are measured, with their samples: fixtures, and generated models with random inputs.
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use assay_circuits::onnx::{Declaration, Model, NoExternalData};
use assay_circuits::tensor::Tensor;
use assay_circuits::{NamedTensors, io};

use crate::models::{self, random::Random};

/// Random samples of a generated model, for calibration and again for tests.
const SAMPLES: usize = 16;

/// A model with samples to compile and prove.
pub struct Subject {
    /// The model.
    pub model: Model,
    /// Calibration inputs.
    pub calibration: Option<Vec<NamedTensors>>,
    /// Inputs that are proven, first of all the first.
    pub tests: Vec<NamedTensors>,
    /// The right classes of all tests, one after the other, if the test file has them.
    pub labels: Option<Vec<i64>>,
}

/// The folder of the fixtures.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

impl Subject {
    /// A fixture or a generated model.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn named(name: &str) -> Result<Self> {
        if models::NAMES.contains(&name) { Self::generated(name) } else { Self::fixture(name) }
    }

    fn fixture(name: &str) -> Result<Self> {
        let folder = fixtures();
        let model = Model::open(&folder.join(format!("{name}.onnx")))?;
        let inputs = model.inputs(1)?;
        let read = |kind: &str| io::read_inputs(&folder.join(format!("{name}_{kind}.npz")), &inputs);
        let archive = io::decode(&std::fs::read(folder.join(format!("{name}_test.npz")))?, io::Kind::Npz)?;
        let labels = archive.iter().find(|(name, _)| name.as_deref() == Some("labels"));
        let labels = labels.map(|(_, labels)| labels.integers());
        Ok(Self { calibration: Some(read("calibration")?), tests: read("test")?, model, labels })
    }

    fn generated(name: &str) -> Result<Self> {
        let bytes = models::by_name(name).with_context(|| format!("no model {name}"))?;
        let model = Model::from_bytes(&bytes, &NoExternalData)?;
        let declarations = model.inputs(1)?;
        let mut random = Random::new(7);
        let mut samples = || -> Vec<NamedTensors> {
            (0..SAMPLES).map(|_| random_inputs(&declarations, models::vocabulary(name), &mut random)).collect()
        };
        Ok(Self { calibration: Some(samples()), tests: samples(), model, labels: None })
    }
}

/// Random values for each input: numbers in -1 to 1, or tokens.
pub fn random_inputs(declarations: &[Declaration], vocabulary: Option<u32>, random: &mut Random) -> NamedTensors {
    let mut value = || match vocabulary {
        Some(end) => random.below(end).into(),
        None => random.uniform(),
    };
    let mut tensor = |dims: &[u32]| {
        let count: u32 = dims.iter().product();
        Tensor { dims: dims.to_vec(), values: (0..count).map(|_| value()).collect() }
    };
    declarations.iter().map(|input| (input.name.clone(), tensor(&input.dims))).collect()
}
