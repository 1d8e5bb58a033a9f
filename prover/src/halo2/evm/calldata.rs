//! From a stored proof to the data of a call: points are written out and scalars turned round.
use assay_verifier::halo2::curve::{Fr, Point};
use halo2_proofs::halo2curves::ff::PrimeField;
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;

use super::EvmError;
use super::assembler::big_endian;
use super::opening::encode;
use super::shape::Shape;

/// What a call brings.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The digest of the context.
    pub context: &'a [u8; 32],
    /// Commitments to private inputs.
    pub inputs: &'a [Point],
    /// Public values.
    pub instances: &'a [Fr],
    /// The proof as it is stored.
    pub proof: &'a [u8],
}

/// The data of a call: digest of the context, commitments to inputs, public values, proof.
pub fn calldata(shape: &Shape, call: &Call<'_>) -> Result<Vec<u8>, EvmError> {
    let Call { context, inputs, instances, proof } = call;
    if instances.len() != shape.public() {
        return Err(EvmError::Instances { instances: instances.len(), expected: shape.public() });
    }
    if inputs.len() != shape.inputs {
        return Err(EvmError::Inputs { inputs: inputs.len(), expected: shape.inputs });
    }
    if proof.len() != shape.compact_size() {
        return Err(EvmError::ProofSize { size: proof.len(), expected: shape.compact_size() });
    }
    let mut data = context.to_vec();
    for (index, point) in inputs.iter().enumerate() {
        data.extend(decompress(*point).ok_or(EvmError::InputCommitment { index })?);
    }
    data.extend(instances.iter().flat_map(big_endian));
    let scalars = shape.points()..shape.points() + shape.scalars();
    let answers = scalars.end + shape.last_points();
    for (index, message) in proof.chunks(32).enumerate() {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(message);
        if scalars.contains(&index) || index >= answers {
            let scalar = Option::<Fr>::from(Fr::from_repr(bytes)).ok_or(EvmError::ProofMessage { index })?;
            data.extend(big_endian(&scalar));
        } else {
            data.extend(decompress(Point(bytes)).ok_or(EvmError::ProofMessage { index })?);
        }
    }
    Ok(data)
}

fn decompress(point: Point) -> Option<Vec<u8>> {
    let point = point.decode().filter(|point| !bool::from(point.is_identity()))?;
    Some(encode(&point))
}
