//! Attempts to pass off something that the model did not answer.
use assay_verifier::key::CheckedKey;
use assay_verifier::statement::Proof;
use assay_verifier::sumcheck;
use serde::Serialize;

use super::super::statement::largest;

/// An attempt and how the verifier took it.
#[derive(Serialize)]
pub struct Forgery {
    /// What was changed.
    pub what: String,
    /// Whether the verifier refused it.
    pub refused: bool,
    /// Why.
    pub reason: String,
}

/// Forges a proof in several ways and shows it to the verifier.
pub fn attempt(key: &CheckedKey, honest: &Proof) -> Vec<Forgery> {
    let attempt = |what: String, forge: &dyn Fn(&mut Proof)| {
        let mut proof = honest.clone();
        forge(&mut proof);
        let result = sumcheck::verify(key, &proof);
        let reason = result.as_ref().err().map_or("accepted".into(), ToString::to_string);
        Forgery { what, refused: result.is_err(), reason }
    };
    let scores: Vec<f64> = honest.statement.outputs[0].iter().map(|&score| score as f64).collect();
    let best = largest(&scores);
    let other = (best + 4) % scores.len();
    vec![
        attempt(format!("claim that the answer was {other}, not {best}"), &|proof| {
            proof.statement.outputs[0].swap(best, other);
        }),
        attempt("claim that the image was another: one pixel changed".into(), &|proof| {
            let pixel = &mut proof.statement.inputs[0][28];
            *pixel = if *pixel == 0 { 1 } else { 0 };
        }),
        attempt("use the proof for another request".into(), &|proof| proof.statement.context.push(1)),
        attempt("flip one bit of the proof".into(), &|proof| proof.root[0] ^= 1),
    ]
}
