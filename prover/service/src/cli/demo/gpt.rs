//! A text, written by a character-level GPT, each character from a proven forward pass.
mod choice;
mod show;
mod text;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use assay_verifier::key::{CheckedKey, Engine};
use assay_verifier::statement::Proof;
use assay_verifier::{VerifyError, verify, wire};
use serde::Serialize;

use super::super::output::{Output, milliseconds};
use super::super::progress::Progress;
use super::super::{Verdict, inputs};
use super::engine::Prover;
use super::forgery::{Forgery, flip_bit};
use super::setup::{Setup, SetupAnswer, Times};
use text::Vocabulary;

const MODEL: &[u8] = include_bytes!("../../../../../fixtures/chargpt.onnx");
const CALIBRATION: &[u8] = include_bytes!("../../../../../fixtures/chargpt_calibration.npz");
const VOCABULARY: &[u8] = include_bytes!("../../../../../fixtures/chargpt_vocabulary.json");

const PROMPT: &str = "Elizabeth ";
const TOKENS: u32 = 40;

/// What to write.
pub struct Task {
    vocabulary: Vocabulary,
    prompt: String,
    count: u32,
    seed: u64,
}

impl Task {
    /// Checks the arguments.
    pub fn new(arguments: &super::Arguments) -> Result<Self> {
        let vocabulary = Vocabulary::new(VOCABULARY)?;
        let prompt = arguments.prompt.clone().unwrap_or_else(|| PROMPT.into());
        vocabulary.tokens(&prompt)?;
        let (count, seed) = (arguments.tokens.unwrap_or(TOKENS), arguments.seed.unwrap_or(0));
        Ok(Self { vocabulary, prompt, count, seed })
    }
}

/// One character and where it comes from.
struct Written {
    token: usize,
    /// The place in the window after which the model said it.
    place: usize,
    proof: Proof,
    verdict: Result<(), VerifyError>,
    prove_duration: Duration,
    verify_duration: Duration,
    proof_size_bytes: usize,
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    setup: SetupAnswer<'a>,
    prompt: &'a str,
    seed: u64,
    /// What was written after the prompt.
    text: String,
    tokens: Vec<TokenAnswer<'a>>,
    forgeries: &'a [Forgery],
    verified: bool,
}

#[derive(Serialize)]
struct TokenAnswer<'a> {
    token: usize,
    character: char,
    /// The logits that it was chosen from.
    logits: &'a [i64],
    verified: bool,
    prove_duration_ms: f64,
    verify_duration_ms: f64,
    proof_size_bytes: usize,
}

/// Runs the demo.
pub fn run(task: &Task, output: &Output) -> Result<Verdict> {
    show::opening(output);
    let (setup, prover) = Setup::new(MODEL, CALIBRATION, Engine::Sumcheck)?;
    show::setup(&setup, output);
    let written = write_all(task, &prover, &setup.checked, output)?;
    let last = written.last().context("at least one character is written")?;
    let forgeries = forgeries(&setup.checked, last, &task.vocabulary);
    output.heading("3  Forge: the proof of the last character, changed");
    Forgery::show(&forgeries, output);
    show::meaning(&setup, task, output);
    show::numbers(&setup, &times(&written), output);
    let verified = written.iter().all(|one| one.verdict.is_ok()) && forgeries.iter().all(|forgery| forgery.refused);
    let text = text_of(&written, &task.vocabulary);
    let tokens = written.iter().map(|one| one.answer(&task.vocabulary)).collect();
    let (prompt, seed) = (task.prompt.as_str(), task.seed);
    output.json(&Answer { setup: setup.answer(), prompt, seed, text, tokens, forgeries: &forgeries, verified });
    Ok(if verified { Verdict::Fine } else { Verdict::Rejected })
}

/// Writes the text, and shows it as it grows: on a terminal with figures that run along, elsewhere as it is.
fn write_all(task: &Task, prover: &Prover, key: &CheckedKey, output: &Output) -> Result<Vec<Written>> {
    let mut tokens = task.vocabulary.tokens(&task.prompt)?;
    let mut written: Vec<Written> = Vec::new();
    show::writing(output);
    let progress = Progress::text();
    let live = !progress.hidden();
    if !live {
        show::prompt(task, output);
    }
    for step in 0..task.count {
        progress
            .write(&(task.prompt.clone() + &text_of(&written, &task.vocabulary)), show::figures(&written, task.count));
        let next = write(prover, key, &tokens, task.seed, step.into())?;
        tokens.push(next.token);
        if !live {
            output.part(task.vocabulary.character(next.token));
        }
        written.push(next);
    }
    drop(progress);
    if live {
        show::prompt(task, output);
        output.part(text_of(&written, &task.vocabulary));
    }
    show::written(&written, task.count, output);
    Ok(written)
}

fn text_of(written: &[Written], vocabulary: &Vocabulary) -> String {
    written.iter().map(|one| vocabulary.character(one.token)).collect()
}

/// Proves a forward pass, verifies it and chooses the next token from what was proven. The proof is bound to the step.
fn write(prover: &Prover, key: &CheckedKey, tokens: &[usize], seed: u64, step: u64) -> Result<Written> {
    let circuit = key.circuit();
    let (sample, place) = text::window(tokens, &circuit.circuit().inputs[0])?;
    let integers = inputs::quantize(circuit, &sample)?;
    let start = Instant::now();
    let proof = prover.prove(&integers, &step.to_le_bytes())?;
    let prove_duration = start.elapsed();
    let start = Instant::now();
    let verdict = verify(key, &proof);
    let verify_duration = start.elapsed();
    let scale = circuit.circuit().outputs[0].scale;
    let token = choice::choose(logits(&proof, place), scale, seed, step);
    let proof_size_bytes = wire::encode(&proof).len();
    Ok(Written { token, place, proof, verdict, prove_duration, verify_duration, proof_size_bytes })
}

/// The tokens that a proof is about.
fn words(proof: &Proof) -> &[i64] {
    proof.statement.inputs.public().map_or(&[], |inputs| &inputs[0])
}

/// The logits that a proof shows after a place of the window.
fn logits(proof: &Proof, place: usize) -> &[i64] {
    let (all, places) = (&proof.statement.outputs[0], words(proof).len());
    let width = all.len() / places;
    &all[place * width..][..width]
}

fn forgeries(key: &CheckedKey, honest: &Written, vocabulary: &Vocabulary) -> Vec<Forgery> {
    let Written { token, place, proof, .. } = honest;
    let width = logits(proof, *place).len();
    let other = (token + 1) % width;
    let read = words(proof)[*place] as usize;
    let [other_character, read_character, unread_character] =
        [other, read, (read + 1) % width].map(|token| vocabulary.character(token));
    vec![
        Forgery::attempt(key, proof, format!("claim that {other_character:?} was more likely"), |proof| {
            proof.statement.outputs[0][place * width + other] += 1;
        }),
        Forgery::attempt(
            key,
            proof,
            format!("claim that it read {unread_character:?}, not {read_character:?}"),
            |proof| {
                if let Some(inputs) = proof.statement.inputs.public_mut() {
                    inputs[0][*place] = ((read + 1) % width) as i64;
                }
            },
        ),
        Forgery::attempt(key, proof, "use the proof for another place of the text".into(), |proof| {
            proof.statement.context[0] ^= 1;
        }),
        Forgery::attempt(key, proof, "flip one bit of the proof".into(), flip_bit),
    ]
}

fn times(written: &[Written]) -> Times {
    Times::of(written.iter().map(|one| (one.prove_duration, one.verify_duration, one.proof_size_bytes)))
}

impl Written {
    fn answer(&self, vocabulary: &Vocabulary) -> TokenAnswer<'_> {
        TokenAnswer {
            token: self.token,
            character: vocabulary.character(self.token),
            logits: logits(&self.proof, self.place),
            verified: self.verdict.is_ok(),
            prove_duration_ms: milliseconds(self.prove_duration),
            verify_duration_ms: milliseconds(self.verify_duration),
            proof_size_bytes: self.proof_size_bytes,
        }
    }
}
