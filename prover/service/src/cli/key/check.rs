//! `assay key --check`: a key is derived anew, as far as it follows from what is at hand.
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use assay_prover::file::CheckedFile;
use assay_prover::halo2::check::derive;
use assay_verifier::circuit::Limits;
use assay_verifier::halo2::srs::Origin;
use assay_verifier::key::{CheckedKey, Key, KeyError};
use assay_verifier::{halo2, sumcheck};
use console::style;
use serde::Serialize;

use super::super::output::{self, Output, milliseconds};
use super::super::progress::Progress;
use super::super::{Verdict, compact, files};

/// What is known of a part of a key.
#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// It was derived anew and is the same, or its proof holds.
    Confirmed,
    /// Nobody derived it here: it is as its publisher says.
    Trusted,
    /// It was derived anew and is another, or its proof does not hold.
    Refused,
}

/// A part of a key and what is known of it.
#[derive(Serialize)]
pub struct Row {
    part: &'static str,
    finding: Finding,
    how: String,
}

#[derive(Serialize)]
struct Answer {
    file: PathBuf,
    engine: String,
    circuit: String,
    key: String,
    /// Whether nothing was refused.
    confirmed: bool,
    parts: Vec<Row>,
    check_duration_ms: f64,
}

/// Checks a key, with the circuit file it was made of if there is one.
pub fn run(path: &Path, circuit: Option<&Path>, srs: Option<&Path>, output: &Output) -> Result<Verdict> {
    let key: Key = files::load(path)?;
    let file = circuit.map(files::load_circuit).transpose()?;
    let start = Instant::now();
    let progress = Progress::spinner("Deriving the key anew");
    let parts = match &key {
        Key::Sumcheck(key) => sumcheck_parts(key, file),
        Key::Halo2(key) => halo2_parts(path, key, file.as_ref(), srs)?,
    };
    drop(progress);
    let elapsed = start.elapsed();
    let answer = Answer {
        file: path.to_owned(),
        engine: key.engine().to_string(),
        circuit: key.circuit().digest().to_string(),
        key: key.digest().to_string(),
        confirmed: parts.iter().all(|row| row.finding != Finding::Refused),
        parts,
        check_duration_ms: milliseconds(elapsed),
    };
    show(&answer, elapsed, output);
    output.json(&answer);
    Ok(if answer.confirmed { Verdict::Fine } else { Verdict::Rejected })
}

fn row(part: &'static str, finding: Finding, how: impl Into<String>) -> Row {
    Row { part, finding, how: how.into() }
}

fn same(part: &'static str, same: bool, how: &str) -> Row {
    if same { row(part, Finding::Confirmed, how) } else { row(part, Finding::Refused, format!("differs: {how}")) }
}

/// The parts of a key of the engine `sumcheck`.
fn sumcheck_parts(key: &sumcheck::key::Key, file: Option<CheckedFile>) -> Vec<Row> {
    let verdict = CheckedKey::new(&Key::Sumcheck(key.clone()), &Limits::default()).err();
    let mut parts = match verdict {
        None => vec![
            row("form of the description", Finding::Confirmed, "a circuit within the limits; its soundness is enough"),
            row("range of the weights", Finding::Confirmed, "their range proof verifies"),
        ],
        Some(KeyError::Sumcheck(error @ sumcheck::key::KeyError::Range(_))) => vec![
            row("form of the description", Finding::Confirmed, "a circuit within the limits; its soundness is enough"),
            row("range of the weights", Finding::Refused, error.to_string()),
        ],
        Some(error) => vec![row("form of the description", Finding::Refused, error.to_string())],
    };
    match file {
        None => parts.extend([
            row("the description", Finding::Trusted, "give --circuit FILE.circuit to compare"),
            row("the weights", Finding::Trusted, "give --circuit FILE.circuit to commit to them anew"),
        ]),
        Some(file) => {
            let description = file.circuit().digest() == key.circuit.digest();
            parts.push(same("the description", description, "that of the circuit file"));
            // The circuit file's own commitment is not taken on trust either.
            let weights = file.prover().is_ok_and(|prover| prover.key().weights() == key.weights);
            parts.push(same("the weights", weights, "commitment to those of the circuit file, made anew"));
        }
    }
    parts.push(row(
        "the model",
        Finding::Trusted,
        "compile it again: the same model, options and samples give the same bytes",
    ));
    parts
}

/// The parts of a key of the engine `halo2`.
fn halo2_parts(path: &Path, key: &halo2::key::Key, file: Option<&CheckedFile>, srs: Option<&Path>) -> Result<Vec<Row>> {
    let checked = match halo2::key::CheckedKey::new(key, &Limits::default()) {
        Ok(checked) => checked,
        Err(error) => return Ok(vec![row("form of the key", Finding::Refused, error.to_string())]),
    };
    let mut parts = vec![row(
        "form of the key",
        Finding::Confirmed,
        "a circuit and a shape within the limits; points of the curve",
    )];
    match file {
        None => parts.push(row("the description", Finding::Trusted, "give --circuit FILE.circuit to compare")),
        Some(file) => {
            let same_digest = file.circuit().digest() == key.circuit.digest();
            parts.push(same("the description", same_digest, "that of the circuit file"));
            if !same_digest {
                return Ok(parts);
            }
        }
    }
    let params = compact::string_of(&checked, srs)?;
    let secret = key.visibility.private_weights.then(|| compact::read_secret(path).ok()).flatten();
    let weights = file.map(|file| &file.file().weights);
    let derived = derive(&checked, &params, weights, secret.as_ref()).map_err(|error| compact::keygen(&error))?;
    parts.push(same("relations and tables", derived.relations, "fixed columns, made anew from the description"));
    parts.push(same("copies", derived.copies, "the permutation, made anew from the description"));
    if key.blinding.is_some() {
        parts.push(row("blinding rows", Finding::Confirmed, "their opening verifies"));
    }
    parts.push(match (derived.weights, key.visibility.private_weights) {
        (Some(weights), _) => same("the weights", weights, "commitment to those of the circuit file, made anew"),
        (None, false) => row("the weights", Finding::Trusted, "give --circuit FILE.circuit to commit to them anew"),
        (None, true) => {
            row("the weights", Finding::Trusted, "private; deriving them takes the circuit file and FILE.key.secret")
        }
    });
    parts.push(match (derived.weights, &key.widths) {
        (Some(true), _) => row("range of the weights", Finding::Confirmed, "those of the circuit file are within it"),
        (_, Some(_)) if derived.relations => {
            row("range of the weights", Finding::Confirmed, "their proof verifies, with fixed columns made anew")
        }
        _ => row("range of the weights", Finding::Trusted, "no proof of it is confirmed; derive the weights anew"),
    });
    parts.push(match key.srs.origin {
        Origin::Insecure => row("the reference string", Finding::Trusted, "INSECURE: made on one machine"),
        Origin::Imported => {
            row("the reference string", Finding::Trusted, "said to be of a ceremony: compare its digest")
        }
    });
    Ok(parts)
}

fn show(answer: &Answer, elapsed: std::time::Duration, output: &Output) {
    let verdict = if answer.confirmed { style("NOTHING REFUSED").green() } else { style("REFUSED").red() };
    output.line(verdict.bold());
    output.field("key", answer.file.display());
    output.field("  digest", &answer.key);
    output.field("  circuit", &answer.circuit);
    output.field("engine", &answer.engine);
    output.heading("Parts of the key");
    let cells = |row: &Row| {
        let finding = match row.finding {
            Finding::Confirmed => style("confirmed").green(),
            Finding::Trusted => style("trusted to the publisher").yellow(),
            Finding::Refused => style("REFUSED").red(),
        };
        vec![row.part.into(), finding.to_string(), row.how.clone()]
    };
    output.table(&["part", "finding", "how"], &answer.parts.iter().map(cells).collect::<Vec<_>>());
    output.line("");
    output.field("checked in", output::duration(elapsed));
}
