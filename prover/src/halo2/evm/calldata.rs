//! From a stored proof to the data of a call: points are written out and scalars turned round.
use assay_verifier::halo2::curve::{Fr, Point};
use halo2_proofs::halo2curves::ff::PrimeField;
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;

use super::EvmError;
use super::assembler::big_endian;
use super::opening::encode;
use super::shape::Shape;

/// The data of a call: digest of the context, public values, proof.
pub fn calldata(shape: &Shape, proof: &[u8], instances: &[Fr], context: &[u8; 32]) -> Result<Vec<u8>, EvmError> {
    if instances.len() != shape.instances {
        return Err(EvmError::Instances { instances: instances.len(), usable: shape.instances });
    }
    if proof.len() != shape.compact_size() {
        return Err(EvmError::ProofSize { size: proof.len(), expected: shape.compact_size() });
    }
    let mut data = context.to_vec();
    data.extend(instances.iter().flat_map(big_endian));
    let scalars = shape.points()..shape.points() + shape.scalars();
    for (index, message) in proof.chunks(32).enumerate() {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(message);
        if scalars.contains(&index) {
            let scalar = Option::<Fr>::from(Fr::from_repr(bytes)).ok_or(EvmError::ProofMessage { index })?;
            data.extend(big_endian(&scalar));
        } else {
            let point = Point(bytes).decode().filter(|point| !bool::from(point.is_identity()));
            let point = point.ok_or(EvmError::ProofMessage { index })?;
            data.extend(encode(&point));
        }
    }
    Ok(data)
}
