//! Verification of a proof.
use alloc::vec::Vec;
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;
use halo2_proofs::plonk::verify_proof;
use halo2_proofs::poly::VerificationStrategy;
use halo2_proofs::poly::kzg::commitment::KZGCommitmentScheme;
use halo2_proofs::poly::kzg::multiopen::VerifierSHPLONK;
use halo2_proofs::poly::kzg::strategy::SingleStrategy;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::curve::{Bn256, Fr, G1Affine, Point};
use super::hiding;
use super::key::CheckedKey;
use super::shape::INSTANCE_ROWS;
use super::transcript::Reader;
use crate::circuit::{Circuit, Port, product};
use crate::digest::digest;
use crate::statement::{CONTEXT_LEN_MAX, Inputs, Statement};

/// A proof of the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Argument {
    /// Messages in the order of the protocol: compressed points and scalars, 32 bytes each.
    pub messages: Vec<u8>,
}

/// Why a proof is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// The statement is for another key.
    #[error("the statement is for another key")]
    OtherKey,
    /// The context is too long.
    #[error("the context has more than {CONTEXT_LEN_MAX} bytes")]
    Context,
    /// Inputs are public in the statement and private in the key, or the other way round.
    #[error("the statement's inputs are not as public or private as the key says")]
    Visibility,
    /// A different number of inputs or outputs than the circuit has.
    #[error("number of {0} tensors differs from the circuit's")]
    PortCount(&'static str),
    /// A tensor of another length.
    #[error("{kind} {index} has a wrong length")]
    PortLength {
        /// Input or output.
        kind: &'static str,
        /// Which one.
        index: usize,
    },
    /// A value out of range.
    #[error("{kind} {index}: the value at position {position} is out of range")]
    PortRange {
        /// Input or output.
        kind: &'static str,
        /// Which one.
        index: usize,
        /// Where in the model's order.
        position: usize,
    },
    /// A commitment to inputs is malformed or at infinity, or there is another number of them than the key has columns.
    #[error("the commitment to the inputs is malformed")]
    Commitment,
    /// The argument does not hold, or its encoding is malformed.
    #[error("the argument does not hold")]
    Argument,
    /// Hidden columns are not those that the key or the statement commits to.
    #[error("hidden columns differ from those that the key or the statement commits to")]
    Hidden,
    /// There are bytes after the proof.
    #[error("{0} bytes after the proof")]
    Trailing(usize),
}

/// The words that the transcript starts with: the key, the context, the commitments to inputs.
pub fn prefix(key: &CheckedKey, context: &[u8], inputs: &[Point]) -> Vec<[u8; 32]> {
    let words = [key.digest().0, digest("assay context v1", context)];
    words.into_iter().chain(inputs.iter().map(|point| point.0)).collect()
}

/// Public values column by column.
pub fn instance_columns(values: &[Fr]) -> Vec<&[Fr]> {
    if values.is_empty() { alloc::vec![values] } else { values.chunks(INSTANCE_ROWS).collect() }
}

/// An integer as a field element.
#[allow(clippy::arithmetic_side_effects, reason = "arithmetic of a field cannot overflow")]
pub fn field(value: i64) -> Fr {
    let magnitude = Fr::from(value.unsigned_abs());
    if value < 0 { -magnitude } else { magnitude }
}

/// Verifies what a statement says.
///
/// # Errors
/// The first check that fails.
pub fn verify_statement(key: &CheckedKey, statement: &Statement, argument: &Argument) -> Result<(), VerifyError> {
    verify_by(key, statement, argument, SingleStrategy::new(key.params()))
}

/// Verifies what a statement says, but for the openings, with which a strategy does what it does.
///
/// # Errors
/// The first check that fails.
pub(super) fn verify_by<'a, S>(
    key: &'a CheckedKey,
    statement: &Statement,
    argument: &Argument,
    strategy: S,
) -> Result<S::Output, VerifyError>
where
    S: VerificationStrategy<'a, KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'a, Bn256>> + Send,
    S::Output: Send,
{
    if statement.key != key.digest() {
        return Err(VerifyError::OtherKey);
    }
    if statement.context.len() > CONTEXT_LEN_MAX {
        return Err(VerifyError::Context);
    }
    let Circuit { inputs, outputs, .. } = key.circuit().circuit();
    let mut public = Vec::new();
    let mut commitments = Vec::new();
    match (&statement.inputs, key.key().visibility.private_input) {
        (Inputs::Public(tensors), false) => read_ports(key, "input", inputs, tensors, &mut public)?,
        (Inputs::Private(commitment), true) => commitments.extend(commitment.0.iter().map(|&point| Point(point))),
        _ => return Err(VerifyError::Visibility),
    }
    read_ports(key, "output", outputs, &statement.outputs, &mut public)?;
    let stated = Stated { inputs: &commitments, public: &public, context: &statement.context };
    verify_with(key, &stated, &argument.messages, strategy)
}

/// Verifies that public values, in the nodes' order, are those of an evaluation with these commitments to private inputs.
///
/// # Errors
/// The first check that fails.
///
/// # Soundness
/// That there are as many values as the circuit has, and all in range, is for the caller: [`verify_statement`] checks it.
pub fn verify(
    key: &CheckedKey,
    inputs: &[Point],
    public: &[i64],
    context: &[u8],
    proof: &[u8],
) -> Result<(), VerifyError> {
    verify_with(key, &Stated { inputs, public, context }, proof, SingleStrategy::new(key.params()))
}

/// Appends the values of tensors in the nodes' order, all checked.
fn read_ports(
    key: &CheckedKey,
    kind: &'static str,
    ports: &[Port],
    tensors: &[Vec<i64>],
    public: &mut Vec<i64>,
) -> Result<(), VerifyError> {
    if ports.len() != tensors.len() {
        return Err(VerifyError::PortCount(kind));
    }
    for (index, (port, tensor)) in ports.iter().zip(tensors).enumerate() {
        let length = VerifyError::PortLength { kind, index };
        let range = key.circuit().range(port.node).ok_or(length)?;
        if product(&port.dims) != tensor.len() as u64 {
            return Err(length);
        }
        if let Some(position) = tensor.iter().position(|&value| !range.contains(value)) {
            return Err(VerifyError::PortRange { kind, index, position });
        }
        public.extend(port.to_node_order(tensor));
    }
    Ok(())
}

/// What is stated, once it is known that there are as many values as the circuit has and that all are in range.
struct Stated<'a> {
    /// Commitments to private inputs.
    inputs: &'a [Point],
    /// Public values in the nodes' order: inputs if they are public, then outputs.
    public: &'a [i64],
    context: &'a [u8],
}

/// The same, but for the openings, with which a strategy does what it does.
fn verify_with<'a, S>(
    key: &'a CheckedKey,
    stated: &Stated<'_>,
    proof: &[u8],
    strategy: S,
) -> Result<S::Output, VerifyError>
where
    S: VerificationStrategy<'a, KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'a, Bn256>> + Send,
    S::Output: Send,
{
    let &Stated { inputs, public, context } = stated;
    if inputs.len() != usize::from(key.key().shape.inputs) {
        return Err(VerifyError::Commitment);
    }
    let finite = |point: &Point| point.decode().filter(|point| !bool::from(point.is_identity()));
    let committed: Vec<G1Affine> = inputs.iter().map(finite).collect::<Option<_>>().ok_or(VerifyError::Commitment)?;
    let instance: Vec<Fr> = public.iter().map(|&value| field(value)).collect();
    let columns: Vec<&[Fr]> = instance_columns(&instance);
    let mut transcript = Reader::new(&prefix(key, context, inputs), proof);
    // Where the library has threads it shares out each small sum over them. From one of them that costs little, from elsewhere each time a
    // wait, a hundred in all: so all of it goes to one of them.
    let verify = || {
        verify_proof::<_, VerifierSHPLONK<'_, _>, _, _, S>(
            key.params(),
            key.vk(),
            strategy,
            &[&columns],
            &mut transcript,
        )
    };
    let (opened, ()) = maybe_rayon::join(verify, || ());
    let opened = opened.map_err(|_| VerifyError::Argument)?;
    let outer: Vec<G1Affine> = key.weights().iter().copied().chain(committed).collect();
    if !outer.is_empty() {
        // Hidden columns come first, so their commitments are the first messages.
        let words = proof.chunks_exact(32).take(outer.len());
        let inner: Option<Vec<G1Affine>> =
            words.map(|word| <[u8; 32]>::try_from(word).ok().and_then(|word| Point(word).decode())).collect();
        let inner = inner.ok_or(VerifyError::Argument)?;
        match hiding::verify(&mut transcript, &inner, &outer, key.blinding()) {
            Some(true) => {}
            Some(false) => return Err(VerifyError::Hidden),
            None => return Err(VerifyError::Argument),
        }
    }
    match transcript.rest().len() {
        0 => Ok(opened),
        rest => Err(VerifyError::Trailing(rest)),
    }
}
