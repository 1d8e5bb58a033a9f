//! Runs ezkl on the models that are measured, within limits of time and memory.
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::models::{self, random::Random};
use crate::subject::{Subject, fixtures, random_inputs};

/// A number for all models, and others for some.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    default: f64,
    of_models: BTreeMap<String, f64>,
}

impl Limit {
    /// Reads `NUMBER`, `MODEL=NUMBER` or several of them with commas between.
    ///
    /// # Errors
    /// Something that is no positive number.
    pub fn parse(text: &str, default: f64) -> Result<Self> {
        let mut limit = Self { default, of_models: BTreeMap::new() };
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (model, number) = part.split_once('=').map_or((None, part), |(model, number)| (Some(model), number));
            let number: f64 = number.parse().with_context(|| format!("{part:?} is no limit"))?;
            ensure!(number > 0.0, "{part:?} is no limit");
            match model {
                None => limit.default = number,
                Some(model) => drop(limit.of_models.insert(model.into(), number)),
            }
        }
        Ok(limit)
    }

    fn of(&self, model: &str) -> f64 {
        self.of_models.get(model).copied().unwrap_or(self.default)
    }
}

/// What ezkl may take: seconds for everything from settings to the last proof, and GiB of resident memory.
pub struct Limits {
    /// Seconds.
    pub time: Limit,
    /// GiB.
    pub memory: Limit,
}

/// Runs ezkl on a model and returns its report, which says so if it failed or went over a limit.
///
/// # Errors
/// ezkl cannot be installed, or no report was written.
pub fn run(model: &str, limits: &Limits, work: &Path) -> Result<Value> {
    let venv = work.join("venv");
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let set_up = Command::new("bash").arg(peers.join("setup.sh")).arg(&venv).stdout(std::io::stderr()).status()?;
    ensure!(set_up.success(), "benches/peers/setup.sh could not install ezkl; --without-ezkl leaves it out");
    let folder = work.join(model);
    fs::create_dir_all(&folder)?;
    let report = work.join(format!("{model}.json"));
    let files = files(model, &folder)?;
    let status = Command::new(venv.join("bin/python"))
        .arg(peers.join("ezkl_bench.py"))
        .arg("--model")
        .arg(files.model)
        .arg("--input")
        .arg(files.input)
        .arg("--calibration")
        .arg(files.calibration)
        .arg("--work")
        .arg(&folder)
        .args(["--timeout", &limits.time.of(model).to_string(), "--memory-gib", &limits.memory.of(model).to_string()])
        .args(["--repeat", "3", "--json"])
        .arg(&report)
        .stdout(std::io::stderr())
        .status()?;
    ensure!(status.success(), "ezkl_bench.py wrote no report for {model}");
    // Keys of gigabytes are of no use afterwards.
    let _ = fs::remove_dir_all(&folder);
    Ok(serde_json::from_slice(&fs::read(&report)?)?)
}

struct Files {
    model: PathBuf,
    input: PathBuf,
    calibration: PathBuf,
}

/// The files of a fixture, or those of a generated model, which are written.
fn files(model: &str, folder: &Path) -> Result<Files> {
    let Some(bytes) = models::by_name(model) else {
        let fixture = |ending: &str| fixtures().join(format!("{model}{ending}"));
        let (input, calibration) = (fixture("_test.npz"), fixture("_calibration.npz"));
        return Ok(Files { model: fixture(".onnx"), input, calibration });
    };
    let (path, input) = (folder.join("generated.onnx"), folder.join("generated.json"));
    fs::write(&path, bytes)?;
    let declarations = Subject::named(model)?.model.inputs(1)?;
    let sample = random_inputs(&declarations, models::vocabulary(model), &mut Random::new(3));
    fs::write(&input, input_json(&sample).to_string())?;
    Ok(Files { model: path, calibration: input.clone(), input })
}

/// One sample as JSON: a list for each input.
pub fn input_json(sample: &assay_circuits::NamedTensors) -> Value {
    let lists: Vec<&Vec<f64>> = sample.values().map(|tensor| &tensor.values).collect();
    json!({ "input_data": lists })
}

#[cfg(test)]
mod tests {
    use super::Limit;

    #[test]
    fn limits_are_for_all_models_or_for_one() {
        let limit = Limit::parse("900,gpt2=3600,gpt-10m=1800.5", 600.0).unwrap();
        assert_eq!(["gpt2", "gpt-10m", "chargpt"].map(|model| limit.of(model)), [3600.0, 1800.5, 900.0]);
        assert_eq!(Limit::parse("gpt2=7", 600.0).unwrap().of("chargpt"), 600.0);
        assert_eq!(Limit::parse("", 600.0).unwrap().of("gpt2"), 600.0);
        for text in ["ten", "gpt2=", "-1", "gpt2=0", "nan"] {
            assert!(Limit::parse(text, 600.0).is_err(), "{text}");
        }
    }
}
