//! Provers that are loaded, by key: consecutive jobs of one model share circuit, weights and proving key.
use std::sync::Arc;

use assay_circuits::eval::EvalError;
use assay_prover::file::{CheckedFile, CircuitFile};
use assay_prover::halo2::cache::Cache as ProvingKeys;
use assay_prover::halo2::secret::Secret;
use assay_prover::halo2::{self, Params};
use assay_prover::sumcheck;
use assay_verifier::circuit::{Circuit, Limits};
use assay_verifier::digest::{Digest32, KeyDigest};
use assay_verifier::halo2::key::CheckedKey;
use assay_verifier::halo2::srs::Srs;
use assay_verifier::key::{Engine, Key};
use assay_verifier::statement::Proof;
use assay_verifier::wire;

use super::cache::Cache;
use super::task::{Parts, Trouble};
use crate::jobs::Committed;
use crate::storage::BlobId;

/// Gets a reference string that is cut to `2^k` powers, or says why there is none.
pub type Strings = Box<dyn Fn(u32) -> Result<(Params, Srs), String> + Send + Sync>;

/// Gets a blob, or says why not.
pub type Fetch<'a> = dyn Fn(BlobId) -> Result<Vec<u8>, String> + 'a;

/// What proofs under one key are made with.
pub enum Prover {
    /// By the engine `sumcheck`.
    Sumcheck(Box<sumcheck::Prover>),
    /// By the engine `halo2`.
    Halo2(Box<halo2::Prover>),
}

/// The loaded provers.
pub struct Provers {
    loaded: Cache<KeyDigest, Prover>,
    strings: Strings,
    proving_keys: Option<ProvingKeys>,
}

/// Bytes for each weight that is committed to: the weight, the table and its code word, the tree of hashes.
const WEIGHT_BYTES: u64 = 64;
/// Columns of the same length that the engine `halo2` keeps for each fixed or copied one: values, coefficients, and the larger domain.
const COLUMN_COPIES: u64 = 6;

fn wrong(error: impl ToString) -> Trouble {
    Trouble::Parts(error.to_string())
}

impl Provers {
    /// None yet. Proving keys of the engine `halo2`, which take seconds to make, are kept in a folder if one is given.
    pub fn new(bytes_max: u64, strings: Strings, proving_keys: Option<ProvingKeys>) -> Self {
        Self { loaded: Cache::new(bytes_max), strings, proving_keys }
    }

    /// Keys whose provers are loaded.
    pub fn loaded(&self) -> Vec<KeyDigest> {
        self.loaded.keys()
    }

    /// The prover of some parts, loaded now if it is not.
    ///
    /// # Errors
    /// A part cannot be got, or is not what the key says.
    pub fn get(&self, parts: &Parts, fetch: &Fetch<'_>) -> Result<Arc<Prover>, Trouble> {
        self.loaded.get(parts.key, || self.load(parts, fetch))
    }

    fn load(&self, parts: &Parts, fetch: &Fetch<'_>) -> Result<(Prover, u64), Trouble> {
        let bytes = fetch(parts.circuit_file).map_err(Trouble::Missing)?;
        let size = bytes.len() as u64;
        let file: CircuitFile = wire::decode(&bytes).map_err(wrong)?;
        drop(bytes);
        let file = CheckedFile::new(file).map_err(wrong)?;
        match parts.engine {
            Engine::Sumcheck => {
                let weights: u64 = file.file().weights.iter().map(|weights| weights.len() as u64).sum();
                let prover = file.prover().map_err(wrong)?;
                if prover.key().digest() != parts.key {
                    return Err(wrong("the circuit's file is of another key"));
                }
                Ok((Prover::Sumcheck(Box::new(prover)), size + WEIGHT_BYTES * weights))
            }
            Engine::Halo2 => {
                let bytes = fetch(parts.key_file).map_err(Trouble::Missing)?;
                let Key::Halo2(key) = wire::decode(&bytes).map_err(wrong)? else {
                    return Err(wrong("the key's file is of another engine"));
                };
                let key = CheckedKey::new(&key, &Limits::default()).map_err(wrong)?;
                if key.digest() != parts.key {
                    return Err(wrong("the key's file is of another key"));
                }
                let (k, columns) = (key.key().shape.k, key.key().fixed.len() + key.key().permutation.len());
                let (params, srs) = (self.strings)(k.into()).map_err(Trouble::Missing)?;
                if srs.digest() != key.key().srs.digest() {
                    let needed = key.key().srs.digest();
                    return Err(Trouble::Missing(format!("the key needs the reference string {needed}")));
                }
                let (weights, secret) = (file.file().weights.clone(), parts.secret.map(Secret));
                let prover = halo2::Prover::of_key(key, weights, params, secret, self.proving_keys.as_ref());
                let row_bytes = 32 * (COLUMN_COPIES * (columns as u64 + 3) + 4);
                Ok((Prover::Halo2(Box::new(prover.map_err(wrong)?)), size + (row_bytes << k)))
            }
        }
    }
}

/// Inputs in the order of the nodes' cells.
fn ordered(circuit: &Circuit, inputs: &[Vec<i64>]) -> Result<Vec<Vec<i64>>, EvalError> {
    if inputs.len() != circuit.inputs.len() {
        return Err(EvalError::InputCount { expected: circuit.inputs.len(), actual: inputs.len() });
    }
    let order = |(port, values): (&assay_verifier::circuit::Port, &Vec<i64>)| {
        let expected = port.dims.iter().map(|&dim| dim as usize).product();
        if values.len() == expected {
            Ok(port.to_node_order(values))
        } else {
            Err(EvalError::InputLength { name: port.name.clone(), expected, actual: values.len() })
        }
    };
    circuit.inputs.iter().zip(inputs).map(order).collect()
}

impl Prover {
    /// Evaluates the circuit on inputs, in the model's order, and proves the answer. Private inputs are opened as they were committed to.
    ///
    /// # Errors
    /// The inputs do not fit, or the library refuses.
    pub fn prove(
        &self,
        inputs: &[Vec<i64>],
        commitment: Option<&Committed>,
        context: &Digest32,
    ) -> Result<Proof, Trouble> {
        let failed = |error: &dyn std::fmt::Display| Trouble::Prover(error.to_string());
        match self {
            Self::Sumcheck(prover) => prover.prove(inputs, &context.0).map_err(|error| failed(&error)),
            Self::Halo2(prover) => {
                let inputs = ordered(prover.key().circuit().circuit(), inputs).map_err(|error| failed(&error))?;
                let evaluation = prover.evaluate(&inputs).map_err(|error| failed(&error))?;
                let committed = commitment
                    .map(|(commitment, seed)| halo2::Committed { commitment: commitment.clone(), salt: Secret(*seed) });
                let proven = prover.prove_evaluation(&evaluation, committed.as_ref(), &context.0);
                Ok(proven.map_err(|error| failed(&error))?.proof)
            }
        }
    }

    /// Commits to inputs, in the model's order, if the key hides inputs: the answer names the commitment before it is proven.
    ///
    /// # Errors
    /// The inputs do not fit.
    pub fn commit(&self, inputs: &[Vec<i64>]) -> Result<Option<Committed>, Trouble> {
        let Self::Halo2(prover) = self else { return Ok(None) };
        let failed = |error: EvalError| Trouble::Prover(error.to_string());
        let inputs = ordered(prover.key().circuit().circuit(), inputs).map_err(failed)?;
        let evaluation = prover.evaluate(&inputs).map_err(failed)?;
        let halo2::Committed { commitment, salt } = match prover.commit(&evaluation) {
            Some(committed) => committed,
            None => return Ok(None),
        };
        Ok(Some((commitment, salt.0)))
    }
}
