//! The prover of the demo, by either engine.
use anyhow::Result;
use assay_prover::file::CheckedFile;
use assay_prover::halo2::choose::choose;
use assay_prover::{halo2, sumcheck};
use assay_verifier::halo2::shape::Visibility;
use assay_verifier::key::{Engine, Key};
use assay_verifier::statement::Proof;

use super::super::compact;
use super::super::progress::Progress;

/// A prover of one model.
pub enum Prover {
    /// By the engine `sumcheck`.
    Sumcheck(Box<sumcheck::Prover>),
    /// By the engine `halo2`: public inputs, hidden weights, the string of this machine.
    Halo2(Box<halo2::Prover>),
}

impl Prover {
    /// Makes the keys.
    pub fn new(engine: Engine, file: CheckedFile, progress: &Progress) -> Result<(Self, Key)> {
        match engine {
            Engine::Sumcheck => {
                let prover = file.prover()?;
                let key = Key::from(prover.prove_range()?);
                Ok((Self::Sumcheck(Box::new(prover)), key))
            }
            Engine::Halo2 => {
                let visibility = Visibility { private_input: false, private_weights: true };
                let shape = choose(file.circuit(), visibility)?;
                progress.at(0, "Getting the reference string");
                let string = compact::string(None, shape.k)?;
                progress.at(0, "Making the keys");
                let (circuit, weights) = (file.circuit().clone(), file.file().weights.clone());
                let secret = Some(halo2::secret::Secret::random());
                let prover = halo2::Prover::new(circuit, weights, (shape, visibility), string, secret)?;
                let key = Key::from(prover.key().key().clone());
                Ok((Self::Halo2(Box::new(prover)), key))
            }
        }
    }

    /// Evaluates the circuit on inputs and proves the answer.
    pub fn prove(&self, inputs: &[Vec<i64>], context: &[u8]) -> Result<Proof> {
        Ok(match self {
            Self::Sumcheck(prover) => prover.prove(inputs, context)?,
            Self::Halo2(prover) => prover.prove(inputs, context)?.proof,
        })
    }
}
