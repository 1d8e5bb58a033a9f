//! ONNX models of quoted sizes, with random weights: what is measured is speed, not accuracy.
mod chain;
mod gpt;
mod graph;
pub mod random;

/// Names of the models.
pub const NAMES: [&str; 4] = ["mlp-4m", "cnn-264k", "gpt-10m", "gpt2"];

/// A model's file, by name.
pub fn by_name(name: &str) -> Option<Vec<u8>> {
    match name {
        "mlp-4m" => Some(chain::mlp_4m()),
        "cnn-264k" => Some(chain::cnn_264k()),
        "gpt-10m" => Some(gpt::gpt_10m()),
        "gpt2" => Some(gpt::gpt2()),
        _ => None,
    }
}

/// How many tokens a language model knows; nothing for models that read real numbers.
pub fn vocabulary(name: &str) -> Option<u32> {
    match name {
        "gpt-10m" => Some(gpt::CHARACTERS as u32),
        "gpt2" => Some(gpt::TOKENS as u32),
        _ => None,
    }
}
