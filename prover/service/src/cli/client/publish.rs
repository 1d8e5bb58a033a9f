//! `assay client publish`: a model is uploaded, compiled there, given keys, and published on the ledger.
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;
use assay_verifier::key::Engine;
use clap::Args;

use super::super::output::Output;
use super::super::problem::problem;
use super::super::progress::Progress;
use super::super::{Verdict, files};
use super::http::Server;
use crate::routes::models::{ModelOut, Upload, WantedKey};

/// From one look to the next.
const INTERVAL: Duration = Duration::from_millis(300);

/// Options of compilation.
#[derive(Args)]
pub struct ModelArguments {
    /// Sample inputs to choose scales and measure accuracy on: .npz, .npy or .json
    #[arg(long, value_name = "INPUTS")]
    pub calibrate: Option<PathBuf>,
    /// Width of the integers: 8, 12 or 16 [default: 16]
    #[arg(long, value_name = "BITS")]
    pub bits: Option<u8>,
    /// Batch size where the model leaves it open
    #[arg(long, value_name = "N")]
    pub batch: Option<u32>,
}

/// Publish a model on a service
#[derive(Args)]
pub struct Arguments {
    /// The model: ONNX, or a circuit that was compiled here
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Its name
    #[arg(long)]
    name: String,
    /// Its version
    #[arg(long, default_value = "1")]
    version: String,
    /// What a request costs
    #[arg(long, default_value_t = 0)]
    price: u64,
    /// Engines to make keys for
    #[arg(long, value_name = "ENGINE", value_delimiter = ',', default_value = "sumcheck")]
    engine: Vec<Engine>,
    /// Evaluate the ONNX file as it is, in floating point: answers come from an enclave only (mode tee) and are not proven
    #[arg(long, conflicts_with_all = ["engine", "private_input", "private_weights", "calibrate", "bits"])]
    float: bool,
    /// Hide inputs (engine halo2)
    #[arg(long)]
    private_input: bool,
    /// Hide weights (engine halo2)
    #[arg(long)]
    private_weights: bool,
    #[command(flatten)]
    options: ModelArguments,
}

/// How a file of samples is encoded.
pub fn encoding(path: &Path) -> Result<String> {
    let found =
        path.extension().and_then(|extension| extension.to_str()).filter(|kind| ["npz", "npy", "json"].contains(kind));
    found
        .map(str::to_owned)
        .ok_or_else(|| problem(format!("{}: neither npz, npy nor json", path.display()), "convert the samples"))
}

/// Runs the command.
pub fn run(arguments: &Arguments, server: &Server, output: &Output) -> Result<Verdict> {
    let bytes = files::read(&arguments.model)?;
    let is_circuit = files::kind(&bytes).is_some();
    let progress = Progress::spinner("Uploading");
    let model = server.upload(bytes)?.to_string();
    let samples = arguments.options.calibrate.as_deref();
    let calibration = samples.map(|path| server.upload(files::read(path)?)).transpose()?;
    let key = |engine: &Engine| {
        let hides = *engine == Engine::Halo2;
        WantedKey {
            engine: engine.to_string(),
            private_input: hides && arguments.private_input,
            private_weights: hides && arguments.private_weights,
        }
    };
    let (onnx, circuit) = if is_circuit { (None, Some(model)) } else { (Some(model), None) };
    let upload = Upload {
        name: arguments.name.clone(),
        version: arguments.version.clone(),
        price: arguments.price,
        onnx,
        calibration: calibration.map(|id| id.to_string()),
        calibration_encoding: samples.map(encoding).transpose()?,
        bits: arguments.options.bits,
        batch: arguments.options.batch,
        execution: arguments.float.then(|| "float".into()),
        circuit,
        keys: if arguments.float { Vec::new() } else { arguments.engine.iter().map(key).collect() },
        signed: None,
    };
    let mut model: ModelOut = server.post("/v1/models", &upload)?;
    while !model.serves {
        progress.at(0, format!("compilation {}, publication {}", model.compilation, model.publication));
        if model.compilation == "failed" || model.publication == "rejected" {
            let why = model.failure.map_or_else(String::new, |failure| format!("{} ({})", failure.text, failure.code));
            return Err(problem(
                format!("{} is not published: {why}", arguments.name),
                "mend it and publish another version",
            ));
        }
        sleep(INTERVAL);
        model = server.get(&format!("/v1/models/{}", model.reference))?;
    }
    drop(progress);
    output.field("published", &model.reference);
    output.field("  id", &model.id);
    for key in &model.keys {
        output.field("  key", format_args!("{} ({})", key.digest, key.engine));
    }
    output.field("  height", model.height.unwrap_or_default());
    output.field("next", format_args!("assay client infer {} --input IN", arguments.name));
    output.json(&model);
    Ok(Verdict::Fine)
}
