//! Characters and tokens, and the window that the model sees.
use anyhow::{Context, Result};
use assay_circuits::NamedTensors;
use assay_circuits::tensor::Tensor;
use assay_verifier::circuit::Port;

use super::super::super::problem::problem;

/// Characters by token.
pub struct Vocabulary(Vec<char>);

impl Vocabulary {
    /// Reads a JSON list of characters.
    pub fn new(json: &[u8]) -> Result<Self> {
        Ok(Self(serde_json::from_slice(json)?))
    }

    /// The character of a token.
    pub fn character(&self, token: usize) -> char {
        self.0.get(token).copied().unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    /// The tokens of a text.
    pub fn tokens(&self, text: &str) -> Result<Vec<usize>> {
        let place = |wanted: char| self.0.iter().position(|&character| character == wanted);
        let mut unknown: Vec<char> = text.chars().filter(|&character| place(character).is_none()).collect();
        unknown.sort_unstable();
        unknown.dedup();
        if !unknown.is_empty() {
            let known: String = self.0.iter().filter(|character| !character.is_whitespace()).collect();
            let next = format!("use spaces, line breaks and {known}");
            return Err(problem(format!("--prompt: the model does not know {unknown:?}"), next));
        }
        if text.is_empty() {
            return Err(problem("--prompt: the text to continue is empty", "give at least one character"));
        }
        Ok(text.chars().filter_map(place).collect())
    }
}

/// The last tokens of a text, as many as the model takes, and the place of the last of them. A shorter text is followed by tokens
/// 0, which change nothing: what the model says after a token depends only on those up to it.
pub fn window(tokens: &[usize], input: &Port) -> Result<(NamedTensors, usize)> {
    let length = input.dims.iter().product::<u32>() as usize;
    let seen = &tokens[tokens.len().saturating_sub(length)..];
    let last = seen.len().checked_sub(1).context("the text has a token")?;
    let mut values: Vec<f64> = seen.iter().map(|&token| token as f64).collect();
    values.resize(length, 0.0);
    let tensor = Tensor { dims: input.dims.clone(), values };
    Ok((NamedTensors::from([(input.name.clone(), tensor)]), last))
}

#[cfg(test)]
mod tests {
    use assay_circuits::onnx::{Model, NoExternalData};
    use assay_circuits::{CompileOptions, compile, evaluate_model};

    use super::super::super::setup::{array, samples};
    use super::super::{CALIBRATION, MODEL, VOCABULARY};
    use super::{Port, Vocabulary, window};

    #[test]
    fn what_follows_a_text_changes_nothing_in_it() {
        let model = Model::from_bytes(MODEL, &NoExternalData).unwrap();
        let mut calibration = samples(array(CALIBRATION, "inputs").unwrap(), &model.inputs(1).unwrap()).unwrap();
        calibration.truncate(8);
        let options = CompileOptions { calibration: Some(calibration), ..CompileOptions::default() };
        let compiled = compile(&model, &options, &|_, _| {}).unwrap();
        let tokens = Vocabulary::new(VOCABULARY).unwrap().tokens("Mr. Darcy ").unwrap();
        let (padded, last) = window(&tokens, &compiled.circuit.inputs[0]).unwrap();
        assert_eq!(last, 9);
        let mut others = padded.clone();
        let cells = others.values_mut().next().unwrap();
        cells.values[last + 1..].iter_mut().enumerate().for_each(|(place, token)| *token = (7 * place % 65) as f64);
        let outputs = evaluate_model(&compiled, &[padded, others]).unwrap();
        let logits: Vec<_> = outputs.iter().map(|output| &output["logits"].values).collect();
        let within = 65 * (last + 1);
        assert_eq!(logits[0][..within], logits[1][..within]);
        assert_ne!(logits[0][within..], logits[1][within..]);
    }

    #[test]
    fn the_window_slides_over_a_long_text() {
        let model = Model::from_bytes(MODEL, &NoExternalData).unwrap();
        let declared = model.inputs(1).unwrap().remove(0);
        let port = Port { name: declared.name.clone(), node: 0, dims: declared.dims, order: vec![0, 1], scale: 0 };
        let tokens: Vec<usize> = (0..100).map(|place| place % 65).collect();
        let (sample, last) = window(&tokens, &port).unwrap();
        assert_eq!(last, 63);
        let expected: Vec<f64> = tokens[36..].iter().map(|&token| token as f64).collect();
        assert_eq!(sample[&declared.name].values, expected);
    }
}
