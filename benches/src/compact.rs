//! Measuring one model end to end with the engine `halo2`.
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use assay_circuits::eval::Weights;
use assay_prover::halo2::choose::choose;
use assay_prover::halo2::packed::Packed;
use assay_prover::halo2::srs::make;
use assay_prover::halo2::{Proven, Prover};
use assay_verifier::circuit::{CheckedCircuit, Circuit, Limits};
use assay_verifier::halo2::shape::Visibility;
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::{verify as verify_proof, wire};
use serde::{Deserialize, Serialize};

use crate::machine;
use crate::measure::median;

/// What is measured of one model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Compact {
    /// Logarithm of the number of rows.
    pub k: u8,
    /// Both keys, once for a model. The reference string is there before.
    pub key_s: f64,
    /// Median of the library call, in a warm process.
    pub prove_s: f64,
    /// Median of the library call.
    pub verify_s: f64,
    /// Size of a proof file's argument.
    pub proof_bytes: u64,
    /// Size of the key file.
    pub key_bytes: u64,
    /// Size of the proving key's file.
    pub proving_key_bytes: u64,
    /// Highest resident memory of the process, which makes the keys too.
    pub prove_memory_bytes: u64,
}

/// Measures what [`crate::measure::measure`] prepared; proves `repeat` times and verifies every proof.
///
/// # Errors
/// Any step fails.
pub fn measure(prepared: &Path, repeat: usize) -> Result<Compact> {
    let bytes = std::fs::read(prepared)?;
    let ((circuit, weights, inputs), _): ((Circuit, Weights, Vec<Vec<i64>>), usize) =
        bincode::serde::decode_from_slice(&bytes, bincode::config::standard())?;
    drop(bytes);
    let checked = CheckedCircuit::new(circuit, &Limits::default())?;
    let visibility = Visibility { private_input: false, private_weights: false };
    let shape = choose(&checked, visibility)?;
    let string = make(shape.k.into(), rand_core::OsRng, |_| {})?;
    let srs = *string.srs();
    let params = string.into_params();
    let start = Instant::now();
    let prover = Prover::new(checked, weights, (shape, visibility), (params, srs), None)?;
    let key_s = start.elapsed().as_secs_f64();
    let key = Key::from(prover.key().key().clone());
    let checked = CheckedKey::new(&key, &Limits::default())?;
    let (mut prove, mut verify) = (Vec::new(), Vec::new());
    let mut proof_bytes = 0;
    for number in 0..repeat {
        let start = Instant::now();
        let Proven { proof, .. } = prover.prove(&inputs, &(number as u64).to_le_bytes())?;
        prove.push(start.elapsed().as_secs_f64());
        for _ in 0..9 {
            let start = Instant::now();
            verify_proof(&checked, &proof)?;
            verify.push(start.elapsed().as_secs_f64());
        }
        proof_bytes = wire::bytes(&proof.argument).len() as u64;
    }
    let prove_memory_bytes = machine::peak_memory_bytes();
    Ok(Compact {
        k: shape.k,
        key_s,
        prove_s: median(&mut prove),
        verify_s: median(&mut verify),
        proof_bytes,
        key_bytes: wire::encode(&key).len() as u64,
        proving_key_bytes: wire::encode(&Packed::new(prover.key(), prover.proving_key())).len() as u64,
        prove_memory_bytes,
    })
}
