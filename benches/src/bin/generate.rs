//! Writes one of the generated models as ONNX and, if it is asked to, random inputs for it as JSON:
//! `generate MODEL FILE.onnx [INPUT.json]`.
use anyhow::{Context, Result, bail};
use assay_benches::ezkl::input_json;
use assay_benches::models::{self, random::Random};
use assay_benches::subject::random_inputs;
use assay_circuits::onnx::{Model, NoExternalData};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, path, input) = match arguments.as_slice() {
        [name, path] => (name, path, None),
        [name, path, input] => (name, path, Some(input)),
        _ => bail!("usage: generate {} FILE.onnx [INPUT.json]", models::NAMES.join("|")),
    };
    let bytes = models::by_name(name).with_context(|| format!("no model {name}"))?;
    std::fs::write(path, &bytes)?;
    if let Some(input) = input {
        let declarations = Model::from_bytes(&bytes, &NoExternalData)?.inputs(1)?;
        let sample = random_inputs(&declarations, models::vocabulary(name), &mut Random::new(3));
        std::fs::write(input, input_json(&sample).to_string())?;
    }
    Ok(())
}
