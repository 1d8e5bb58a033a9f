//! `assay demo`: everything at once, without any files.
//!
//! The models, their calibration inputs and their test inputs are part of the binary.
mod digits;
mod engine;
mod forgery;
mod gpt;
mod setup;

use anyhow::Result;
use assay_verifier::key::Engine;
use clap::{Args, ValueEnum};

use super::Verdict;
use super::output::Output;
use super::problem::problem;

const EXPLANATION: &str = "\
digits: a small convolutional network is compiled, its weights are committed, and it reads ten handwritten digits that \
it was not trained on. Each answer is proven and verified. Then answers are forged, and refused.

gpt: a character-level GPT continues a text. Each character is chosen from the logits of a forward pass that is proven \
and verified before the next begins. The rule of choice is public: the most likely character weighs 2^32, and a weight is \
halved for each 5/9 that a logit lies below the largest (about temperature 0.8); --seed and the place in the text give \
the random number that one is drawn with. All in integers: who has the proofs can repeat it.

Examples:
  assay demo
  assay demo --engine halo2
  assay demo --model gpt --prompt \"Mr. Darcy \" --tokens 60";

/// See it work, without any files: digits are recognised, or a text is written, and each answer is proven
#[derive(Args)]
#[command(after_help = EXPLANATION)]
pub struct Arguments {
    /// Which model works
    #[arg(long, value_enum, default_value_t = Model::Digits)]
    model: Model,
    /// How answers are proven: sumcheck (fast, hides nothing) or halo2 (a few kilobytes, hides the weights)
    #[arg(long, value_name = "ENGINE", default_value_t = Engine::Sumcheck)]
    engine: Engine,
    /// The text to continue, with `--model gpt` [default: "Elizabeth "]
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// How many characters to write, with `--model gpt` [default: 40]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    tokens: Option<u32>,
    /// Another seed is another text, with `--model gpt` [default: 0]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// The models of the demo.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Model {
    /// A convolutional network that reads handwritten digits
    Digits,
    /// A transformer that writes text, character by character
    Gpt,
}

/// Runs the command.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Verdict> {
    match arguments.model {
        Model::Gpt if arguments.engine == Engine::Halo2 => {
            let what = "with the engine halo2 each character of the text takes minutes and 5 GB of memory";
            Err(problem(what, "leave out --engine halo2, or --model gpt"))
        }
        Model::Gpt => gpt::run(&gpt::Task::new(arguments)?, output),
        Model::Digits => {
            let given = [
                ("--prompt", arguments.prompt.is_some()),
                ("--tokens", arguments.tokens.is_some()),
                ("--seed", arguments.seed.is_some()),
            ];
            if let Some((option, _)) = given.iter().find(|(_, given)| *given) {
                return Err(problem(format!("{option}: the model of digits writes no text"), "add --model gpt"));
            }
            digits::run(arguments.engine, output)
        }
    }
}
