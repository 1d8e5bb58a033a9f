//! Proofs.
use assay_circuits::eval::{EvalError, Evaluation};
use assay_verifier::halo2::curve::{Bn256, Fr, G1Affine, Point};
use assay_verifier::halo2::key::CheckedKey;
use assay_verifier::halo2::transcript::Writer;
use assay_verifier::halo2::{instance_columns, prefix};
use halo2_proofs::arithmetic::{Field, best_multiexp};
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::plonk::{ProvingKey, create_proof};
use halo2_proofs::poly::commitment::{Blind, Params};
use halo2_proofs::poly::kzg::commitment::{KZGCommitmentScheme, ParamsKZG};
use halo2_proofs::poly::kzg::multiopen::ProverSHPLONK;
use halo2_proofs::transcript::{Transcript, TranscriptWrite};
use rand_chacha::ChaCha20Rng;
use rand_core::{OsRng, RngCore, SeedableRng};

use super::circuit::{Setting, Synthesis};
use super::field;
use super::secret::Secret;
use super::witness::First;

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The inputs do not fit the circuit.
    #[error(transparent)]
    Inputs(#[from] EvalError),
    /// The library refused.
    #[error("the proof system refused: {0}")]
    Library(String),
    /// There is no secret for hidden columns.
    #[error("the key hides weights: their secret is needed")]
    Secret,
}

/// What proofs of one model are made with.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// The model.
    pub setting: &'a Setting,
    /// The reference string.
    pub params: &'a ParamsKZG<Bn256>,
    /// The library's key.
    pub pk: &'a ProvingKey<G1Affine>,
    /// The verification key.
    pub key: &'a CheckedKey,
    /// Blinding factors of the commitments to weights, if they are private.
    pub weights: Option<&'a Secret>,
    /// The salt of the commitments to inputs, if they are private and were committed to before; else it is drawn.
    pub inputs: Option<&'a Secret>,
}

/// A proof and what it says of private inputs.
pub struct Made {
    /// The proof.
    pub proof: Vec<u8>,
    /// Commitments to private inputs.
    pub inputs: Vec<Point>,
    /// The salt of the commitments.
    pub salt: Option<Secret>,
}

impl Tools<'_> {
    /// Proves an evaluation.
    ///
    /// # Errors
    /// The library refuses, or a secret is missing.
    pub fn prove(&self, evaluation: &Evaluation, context: &[u8]) -> Result<Made, ProveError> {
        let Setting { checked, weights, program, layout, .. } = self.setting;
        self.prove_witness(First::new(checked, program, layout, weights, evaluation), context)
    }

    /// The commitments to private inputs that a statement has.
    pub fn commit_inputs(&self, first: &First, salt: &Secret) -> Vec<Point> {
        let factors = salt.factors(first.inputs.len(), self.key.blinding().len());
        commit(self.params, self.pk, &first.inputs, &factors)
    }

    /// Proves whatever the witness is.
    ///
    /// # Errors
    /// The library refuses, or a secret is missing.
    pub fn prove_witness(&self, first: First, context: &[u8]) -> Result<Made, ProveError> {
        let hidden = Hidden::new(self, &first)?;
        let instance: Vec<Fr> = first.instance.iter().map(|&value| field(value)).collect();
        let mut transcript = Writer::new(&prefix(self.key, context, &hidden.inputs));
        let mut seed = [0u8; 32];
        OsRng.fill_bytes(&mut seed);
        create_proof::<KZGCommitmentScheme<Bn256>, ProverSHPLONK<'_, _>, _, _, _, _>(
            self.params,
            self.pk,
            &[Synthesis::witness(self.setting, first)],
            &[&instance_columns(&instance)],
            ChaCha20Rng::from_seed(seed),
            &mut transcript,
        )
        .map_err(|error| ProveError::Library(error.to_string()))?;
        hidden.argue(self, seed, &mut transcript)?;
        Ok(Made { proof: transcript.proof(), inputs: hidden.inputs, salt: hidden.salt })
    }
}

/// Hidden columns: weights, then inputs.
struct Hidden {
    /// Blinding factors of the outer commitments, column by column.
    outer: Vec<Vec<Fr>>,
    inputs: Vec<Point>,
    salt: Option<Secret>,
}

impl Hidden {
    fn new(tools: &Tools<'_>, first: &First) -> Result<Self, ProveError> {
        let rows = tools.key.blinding().len();
        let mut outer = Vec::new();
        if tools.setting.visibility.private_weights {
            outer.extend(tools.weights.ok_or(ProveError::Secret)?.factors(first.weights.len(), rows));
        }
        let salt = (!first.inputs.is_empty()).then(|| tools.inputs.cloned().unwrap_or_else(Secret::random));
        let mut inputs = Vec::new();
        if let Some(salt) = &salt {
            inputs.extend(tools.commit_inputs(first, salt));
            outer.extend(salt.factors(first.inputs.len(), rows));
        }
        Ok(Self { outer, inputs, salt })
    }

    /// Shows that inner and outer commitments differ in the blinding rows only.
    fn argue(&self, tools: &Tools<'_>, seed: [u8; 32], transcript: &mut Writer) -> Result<(), ProveError> {
        if self.outer.is_empty() {
            return Ok(());
        }
        let failed = |error: std::io::Error| ProveError::Library(error.to_string());
        let rows = tools.key.blinding();
        // The library draws the blinding factors of the first phase before anything else, column by column.
        let mut drawn = ChaCha20Rng::from_seed(seed);
        let inner: Vec<Vec<Fr>> =
            self.outer.iter().map(|_| rows.iter().map(|_| Fr::random(&mut drawn)).collect()).collect();
        let g = *transcript.squeeze_challenge_scalar::<()>();
        let mut differences = vec![Fr::ZERO; rows.len()];
        for (inner, outer) in inner.iter().zip(&self.outer).rev() {
            for ((difference, inner), outer) in differences.iter_mut().zip(inner).zip(outer) {
                *difference = *difference * g + inner - outer;
            }
        }
        let mask: Vec<Fr> = rows.iter().map(|_| Fr::random(OsRng)).collect();
        transcript.write_point(best_multiexp(&mask, rows).to_affine()).map_err(failed)?;
        let c = *transcript.squeeze_challenge_scalar::<()>();
        for (mask, difference) in mask.iter().zip(&differences) {
            transcript.write_scalar(*mask + c * difference).map_err(failed)?;
        }
        Ok(())
    }
}

/// Commits to columns of small integers with blinding factors in the last rows.
pub fn commit(
    params: &ParamsKZG<Bn256>,
    pk: &ProvingKey<G1Affine>,
    columns: &[Vec<i64>],
    factors: &[Vec<Fr>],
) -> Vec<Point> {
    let rows = 1usize << params.k();
    let commit = |(column, factors): (&Vec<i64>, &Vec<Fr>)| {
        let mut values: Vec<Fr> = column.iter().map(|&value| field(value)).collect();
        values.resize(rows - factors.len(), Fr::ZERO);
        values.extend(factors);
        let column = pk.get_vk().get_domain().lagrange_from_vec(values);
        Point::new(&params.commit_lagrange(&column, Blind::default()).to_affine())
    };
    columns.iter().zip(factors).map(commit).collect()
}
