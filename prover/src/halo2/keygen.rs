//! Keys.
use assay_circuits::eval::{EvalError, Weights};
use assay_verifier::circuit::{CheckedCircuit, Limits};
use assay_verifier::halo2::blinding::{self, Blinding};
use assay_verifier::halo2::curve::{Bn256, Fr, G1Affine, Point};
use assay_verifier::halo2::key::{CheckedKey, Key, KeyError};
use assay_verifier::halo2::shape::{Shape, Visibility};
use assay_verifier::halo2::srs::Srs;
use assay_verifier::halo2::transcript::Reader;
use halo2_proofs::arithmetic::{Field, eval_polynomial};
use halo2_proofs::halo2curves::ff::BatchInvert;
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::plonk::{ProvingKey, keygen_pk2};
use halo2_proofs::poly::commitment::{Blind, Params};
use halo2_proofs::poly::kzg::commitment::ParamsKZG;
use halo2_proofs::transcript::{Transcript, TranscriptRead};

use super::circuit::{Setting, Synthesis};
use super::layout::Layout;
use super::program::{Program, ProgramError};
use super::prove::commit;
use super::secret::Secret;
use super::widths;
use super::witness::weight_columns;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeygenError {
    /// The circuit cannot be shown.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The weights do not fit the description.
    #[error(transparent)]
    Weights(EvalError),
    /// The circuit does not fit the shape.
    #[error("{needed} rows do not fit the {rows} of the shape")]
    Rows {
        /// What it takes.
        needed: usize,
        /// What there is.
        rows: usize,
    },
    /// The reference string has another size.
    #[error("the reference string is cut to 2^{actual} powers, the shape has 2^{expected} rows")]
    Size {
        /// Of the shape.
        expected: u8,
        /// Of the string.
        actual: u32,
    },
    /// The key is of other weights, another reference string, or its secret is another one.
    #[error("the key is not of these weights, this reference string and this secret")]
    OtherKey,
    /// The rows do not hold the tables that show private weights to be within their widths.
    #[error("the rows do not hold the tables that show private weights to be within their widths")]
    Widths,
    /// The library refused.
    #[error("the proof system refused: {0}")]
    Library(String),
    /// The key that was made is no key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Setting {
    /// Lays a circuit out.
    ///
    /// # Errors
    /// It cannot be shown, or does not fit.
    pub fn new(
        checked: CheckedCircuit,
        weights: Weights,
        visibility: Visibility,
        shape: Shape,
    ) -> Result<Self, KeygenError> {
        shape.check().map_err(KeyError::from)?;
        let program = Program::new(&checked, shape.limb_bits, visibility)?;
        let layout = Layout::new(&program, checked.circuit(), shape);
        let needed = layout.heights.rows();
        if needed > layout.rows {
            return Err(KeygenError::Rows { needed, rows: layout.rows });
        }
        Ok(Self { checked, weights, visibility, program, layout })
    }

    /// The proving key; it holds the verification key's commitments.
    ///
    /// # Errors
    /// The string has another size, or the library refuses.
    pub fn proving_key(&self, params: &ParamsKZG<Bn256>) -> Result<ProvingKey<G1Affine>, KeygenError> {
        let expected = self.layout.shape.k;
        if params.k() != u32::from(expected) {
            return Err(KeygenError::Size { expected, actual: params.k() });
        }
        keygen_pk2(params, &Synthesis::structure(self), false).map_err(|error| KeygenError::Library(error.to_string()))
    }

    /// The verification key.
    ///
    /// # Errors
    /// What was made is no key.
    pub fn key(
        &self,
        params: &ParamsKZG<Bn256>,
        srs: Srs,
        pk: &ProvingKey<G1Affine>,
        secret: Option<&Secret>,
    ) -> Result<CheckedKey, KeygenError> {
        let mut key = self.key_without_widths(params, srs, pk, secret);
        if let (Some(secret), true) = (secret, self.visibility.private_weights) {
            key.widths = Some(widths::prove(self, &self.weights, &key, params, secret)?);
        }
        Ok(CheckedKey::new(&key, &Limits::default())?)
    }

    /// The verification key without the proof of the widths of private weights, which is another one each time.
    pub fn key_without_widths(
        &self,
        params: &ParamsKZG<Bn256>,
        srs: Srs,
        pk: &ProvingKey<G1Affine>,
        secret: Option<&Secret>,
    ) -> Key {
        let vk = pk.get_vk();
        let rows = vk.cs().blinding_factors() + 1;
        let hides = self.visibility.private_weights || self.visibility.private_input;
        let weights = match secret {
            Some(secret) if self.visibility.private_weights => {
                let columns = weight_columns(&self.checked, &self.program, &self.layout, &self.weights);
                commit(params, pk, &columns, &secret.factors(columns.len(), rows))
            }
            _ => Vec::new(),
        };
        Key {
            circuit: self.checked.circuit().clone(),
            visibility: self.visibility,
            shape: self.layout.shape,
            srs,
            fixed: points(vk.fixed_commitments()),
            permutation: points(vk.permutation().commitments()),
            weights,
            blinding: hides.then(|| blinding(params, pk, &srs, rows)),
            widths: None,
        }
    }
}

/// Points as they are stored.
pub(super) fn points(points: &[G1Affine]) -> Vec<Point> {
    points.iter().map(Point::new).collect()
}

/// Commitments to the Lagrange polynomials of the last rows, with their opening.
fn blinding(params: &ParamsKZG<Bn256>, pk: &ProvingKey<G1Affine>, srs: &Srs, rows: usize) -> Blinding {
    let n = 1usize << params.k();
    let unit = |at: usize| (0..n).map(|row| if row == at { Fr::ONE } else { Fr::ZERO }).collect();
    open(params, pk, srs, &(n - rows..n).map(unit).collect::<Vec<Vec<Fr>>>())
}

/// Commitments to columns, opened together at the point that [`Blinding::check`] draws. What it expects are those of [`blinding`].
pub fn open(params: &ParamsKZG<Bn256>, pk: &ProvingKey<G1Affine>, srs: &Srs, columns: &[Vec<Fr>]) -> Blinding {
    let domain = pk.get_vk().get_domain();
    let commit = |column: Vec<Fr>| {
        Point::new(&params.commit_lagrange(&domain.lagrange_from_vec(column), Blind::default()).to_affine())
    };
    let rows: Vec<Point> = columns.iter().cloned().map(commit).collect();
    let messages: Vec<u8> = rows.iter().flat_map(|point| point.0).collect();
    let mut transcript = Reader::new(&blinding::prefix(&srs.digest(), params.k() as u8), &messages);
    rows.iter().for_each(|_| drop(transcript.read_point()));
    let r = *transcript.squeeze_challenge_scalar::<()>();
    let z = *transcript.squeeze_challenge_scalar::<()>();
    let combined: Vec<Fr> = (0..1usize << params.k())
        .map(|row| blinding::combination(r, &columns.iter().map(|column| column[row]).collect::<Vec<Fr>>()))
        .collect();
    let value = eval_polynomial(&domain.lagrange_to_coeff(domain.lagrange_from_vec(combined.clone())), z);
    // (F - v) / (X - z), row by row.
    let points = std::iter::successors(Some(Fr::ONE), |point| Some(*point * domain.get_omega()));
    let mut divisors: Vec<Fr> = points.take(combined.len()).map(|point| point - z).collect();
    divisors.iter_mut().batch_invert();
    let quotient = combined.iter().zip(&divisors).map(|(cell, inverse)| (*cell - value) * inverse).collect();
    Blinding { rows, opening: commit(quotient) }
}
