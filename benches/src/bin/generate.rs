//! Writes one of the generated models as ONNX: `generate mlp-4m|cnn-264k FILE.onnx`.
fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, path] = arguments.as_slice() else { anyhow::bail!("usage: generate mlp-4m|cnn-264k FILE.onnx") };
    let bytes = assay_benches::models::by_name(name).ok_or_else(|| anyhow::anyhow!("no model {name}"))?;
    std::fs::write(path, bytes)?;
    Ok(())
}
