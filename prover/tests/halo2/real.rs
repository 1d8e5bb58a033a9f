//! Provers, keys and proofs that are real, over few rows.
use std::sync::OnceLock;

use assay_prover::halo2::Prover;
use assay_prover::halo2::secret::Secret;
use assay_prover::halo2::srs::{ProvingSrs, make};
use assay_verifier::circuit::Circuit;
use assay_verifier::halo2::key::CheckedKey;
use assay_verifier::halo2::{self, VerifyError, verify_statement};
use assay_verifier::statement::{Argument, Statement};
use rand_core::OsRng;

use crate::common::attention::{QUERIES, attention};
use crate::common::{Numbers, inputs_of, weights_of};
use crate::samples::{Form, lay_out, up_to};

/// Logarithm of the largest number of rows.
pub const K: u32 = 11;

/// A reference string that all tests share.
pub fn srs() -> &'static ProvingSrs {
    static SRS: OnceLock<ProvingSrs> = OnceLock::new();
    SRS.get_or_init(|| make(K, OsRng, |_| {}).unwrap())
}

/// Embeddings of words and a dense layer.
pub fn small() -> Circuit {
    up_to(attention(7), QUERIES)
}

pub fn prover(circuit: &Circuit, form: Form, string: &ProvingSrs) -> Prover {
    let weights = weights_of(circuit, &mut Numbers(11));
    let setting = lay_out(circuit, &weights, form);
    let shape = setting.layout.shape;
    let params = string.params(shape.k.into()).unwrap();
    let secret = form.visibility.private_weights.then(Secret::random);
    Prover::new(setting.checked, weights, (shape, form.visibility), (params, *string.srs()), secret).unwrap()
}

/// A proof and what it is of.
pub struct Made {
    pub prover: Prover,
    pub statement: Statement,
    pub messages: Vec<u8>,
}

impl Made {
    pub fn new(form: Form) -> Self {
        Self::of(prover(&small(), form, srs()), 5)
    }

    pub fn of(prover: Prover, seed: u64) -> Self {
        let (statement, messages) = proven(&prover, seed);
        Self { prover, statement, messages }
    }

    pub fn key(&self) -> &CheckedKey {
        self.prover.key()
    }

    /// What the verifier says of other messages.
    pub fn verdict(&self, messages: &[u8]) -> Result<(), VerifyError> {
        self.verdict_of(&self.statement, messages)
    }

    /// What the verifier says of another statement.
    pub fn verdict_of(&self, statement: &Statement, messages: &[u8]) -> Result<(), VerifyError> {
        verify_statement(self.key(), statement, &halo2::Argument { messages: messages.to_vec() })
    }
}

/// A statement on random inputs and its proof's messages.
pub fn proven(prover: &Prover, seed: u64) -> (Statement, Vec<u8>) {
    let inputs = inputs_of(prover.key().circuit().circuit(), &mut Numbers(seed));
    let proof = prover.prove(&inputs, b"context").unwrap().proof;
    let Argument::Halo2(halo2::Argument { messages }) = proof.argument else { panic!("the engine is halo2") };
    (proof.statement, messages)
}
