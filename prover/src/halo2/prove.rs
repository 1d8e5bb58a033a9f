//! Proofs.
use assay_circuits::eval::{EvalError, Evaluation};
use assay_verifier::halo2::curve::{Bn256, Fr, G1Affine, Point};
use assay_verifier::halo2::key::CheckedKey;
use assay_verifier::halo2::transcript::Writer;
use assay_verifier::halo2::{instance_columns, prefix};
use halo2_proofs::arithmetic::Field;
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::plonk::ProvingKey;
use halo2_proofs::poly::commitment::{Blind, Params};
use halo2_proofs::poly::kzg::commitment::ParamsKZG;
use rand_chacha::ChaCha20Rng;
use rand_core::{OsRng, SeedableRng};

use super::circuit::Setting;
use super::field;
use super::hidden::argue;
use super::plonk::{Plonk, Small};
use super::secret::Secret;
use super::witness::{Challenges, First, Second};

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
    /// What proofs of that key share.
    pub plonk: &'a Plonk,
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
        let columns = first.inputs.iter().zip(factors).map(|(values, blinding)| Small { values, blinding });
        self.plonk.commit(&columns.collect::<Vec<_>>()).iter().map(Point::new).collect()
    }

    /// Proves whatever the witness is.
    ///
    /// # Errors
    /// The library refuses, or a secret is missing.
    pub fn prove_witness(&self, first: First, context: &[u8]) -> Result<Made, ProveError> {
        let Setting { checked, visibility, program, layout, .. } = self.setting;
        let hidden = Hidden::new(self, &first)?;
        let instance: Vec<Fr> = first.instance.iter().map(|&value| field(value)).collect();
        let mut transcript = Writer::new(&prefix(self.key, context, &hidden.inputs));
        let mut drawn = ChaCha20Rng::from_rng(OsRng).map_err(failed)?;
        let rows = Plonk::blinding_rows(self.pk);
        let mut small = |values| Small { values, blinding: (0..rows).map(|_| Fr::random(&mut drawn)).collect() };
        let columns: Vec<Small<'_>> = first.columns(*visibility).into_iter().map(&mut small).collect();
        let second = |challenges: &[Fr]| {
            let drawn = Challenges::new(challenges);
            Second::new(checked, program, layout, &first, drawn).columns(&layout.shape)
        };
        let instance = instance_columns(&instance);
        self.plonk.prove(self.pk, &instance, &columns, second, &mut transcript).map_err(failed)?;
        if !hidden.outer.is_empty() {
            argue(self.key.blinding(), &columns, &hidden.outer, &mut transcript).map_err(failed)?;
        }
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

fn failed(error: impl std::fmt::Display) -> ProveError {
    ProveError::Library(error.to_string())
}
