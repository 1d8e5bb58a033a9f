//! `assay key --engine halo2`.
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use assay_prover::halo2::Prover;
use assay_prover::halo2::choose::choose;
use assay_prover::halo2::secret::Secret;
use assay_verifier::halo2::shape::Visibility;
use assay_verifier::halo2::srs::Origin;
use assay_verifier::key::Key;
use assay_verifier::wire;
use console::style;
use serde::Serialize;

use super::super::output::{self, Output, milliseconds};
use super::super::problem::problem;
use super::super::progress::Progress;
use super::super::secrecy::Secrecy;
use super::super::{Verdict, compact, files};
use super::Arguments;

#[derive(Serialize)]
struct Answer<'a> {
    file: &'a Path,
    file_size_bytes: usize,
    engine: String,
    circuit: String,
    key: String,
    srs: String,
    insecure_srs: bool,
    secrecy: Secrecy,
    rows: u64,
    key_duration_ms: f64,
}

/// Makes a key of the engine.
pub fn make(circuit: &Path, arguments: &Arguments, output: &Output) -> Result<Verdict> {
    let target = arguments.output.clone().unwrap_or_else(|| files::beside(circuit, "key"));
    files::check_target(&target)?;
    let file = files::load_circuit(circuit)?;
    let visibility = Visibility { private_input: arguments.private_input, private_weights: arguments.private_weights };
    let progress = Progress::steps(4, "Choosing rows and columns");
    let shape = choose(file.circuit(), visibility).map_err(|error| {
        problem(format!("{}: {error}", circuit.display()), "use the engine sumcheck for circuits of this size")
    })?;
    progress.at(1, "Getting the reference string");
    let string = compact::string(arguments.srs.as_deref(), shape.k)?;
    let start = Instant::now();
    progress.at(2, "Making the keys");
    let secret = visibility.private_weights.then(Secret::random);
    let weights = file.file().weights.clone();
    let prover = Prover::new(file.circuit().clone(), weights, (shape, visibility), string, secret.clone())
        .map_err(|error| compact::keygen(&error))?;
    let elapsed = start.elapsed();
    progress.at(3, "Writing");
    // The secret first: a key without it proves nothing.
    let secret = secret.map(|secret| compact::write_secret(&target, &secret)).transpose()?;
    let key = Key::from(prover.key().key().clone());
    let bytes = wire::encode(&key);
    files::write(&target, &bytes)?;
    // A proving key that is not kept only costs time.
    drop(compact::cache()?.store(prover.key(), prover.proving_key()));
    drop(progress);
    let srs = prover.key().key().srs;
    let insecure = srs.origin == Origin::Insecure;
    let answer = Answer {
        file: &target,
        file_size_bytes: bytes.len(),
        engine: key.engine().to_string(),
        circuit: key.circuit().digest().to_string(),
        key: key.digest().to_string(),
        srs: srs.digest().to_string(),
        insecure_srs: insecure,
        secrecy: Secrecy::of(&key),
        rows: 1 << shape.k,
        key_duration_ms: milliseconds(elapsed),
    };
    output.field("key", format_args!("{} ({})", target.display(), output::bytes(bytes.len() as u64)));
    output.field("  digest", &answer.key);
    output.field("  circuit", &answer.circuit);
    if let Some(secret) = &secret {
        output.field("  secret", format_args!("{}: proving needs it; keep it to yourself", secret.display()));
    }
    output.field("engine", &answer.engine);
    output.field("rows", format_args!("{} (2^{})", answer.rows, shape.k));
    answer.secrecy.show(output);
    if insecure {
        let warning = style("INSECURE").red().bold();
        output.field("warning", format_args!("{warning}: the reference string was made on this machine"));
        output.field("", "take one from a ceremony with `assay srs import`, and name it with --srs");
    }
    output.field("made in", output::duration(elapsed));
    output.line("");
    output.field("next", format_args!("assay prove FILE.circuit --key {} --input IN --proof OUT", target.display()));
    output.json(&answer);
    Ok(Verdict::Fine)
}
