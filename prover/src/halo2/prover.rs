//! Everything that proofs of one model under one key are made with.
use assay_circuits::eval::{EvalError, Evaluation, Weights, check_weights, evaluate};
use assay_verifier::circuit::{CheckedCircuit, Port};
use assay_verifier::halo2;
use assay_verifier::halo2::curve::{Bn256, G1Affine, Point};
use assay_verifier::halo2::key::CheckedKey;
use assay_verifier::halo2::shape::{Shape, Visibility};
use assay_verifier::halo2::srs::Srs;
use assay_verifier::statement::{Argument, InputCommitment, Inputs, Proof, Statement};
use halo2_proofs::plonk::ProvingKey;
use halo2_proofs::poly::kzg::commitment::ParamsKZG;

use super::cache::Cache;
use super::circuit::Setting;
use super::keygen::KeygenError;
use super::plonk::Plonk;
use super::prove::{Made, ProveError, Tools};
use super::secret::Secret;
use super::witness::First;

/// A prover of one model under one key.
pub struct Prover {
    setting: Setting,
    params: ParamsKZG<Bn256>,
    pk: ProvingKey<G1Affine>,
    plonk: Plonk,
    key: CheckedKey,
    secret: Option<Secret>,
}

impl Prover {
    /// Makes a key and what proofs under it need. The reference string is cut to the shape's rows. The secret is of private weights.
    ///
    /// # Errors
    /// Weights do not fit, the circuit does not fit the shape, or the library refuses.
    pub fn new(
        checked: CheckedCircuit,
        weights: Weights,
        (shape, visibility): (Shape, Visibility),
        (params, srs): (ParamsKZG<Bn256>, Srs),
        secret: Option<Secret>,
    ) -> Result<Self, KeygenError> {
        check_weights(&checked, &weights).map_err(KeygenError::Weights)?;
        let setting = Setting::new(checked, weights, visibility, shape)?;
        let pk = setting.proving_key(&params)?;
        let key = setting.key(&params, srs, &pk, secret.as_ref())?;
        let plonk = Plonk::new(&pk, &params);
        Ok(Self { setting, params, pk, plonk, key, secret })
    }

    /// What proofs under a key need, with the proving key from a cache if it is there, and then in it. The reference string must be the key's,
    /// cut to its rows.
    ///
    /// # Errors
    /// Weights do not fit or are others than the key's, the secret is missing, or the library refuses.
    pub fn of_key(
        key: CheckedKey,
        weights: Weights,
        params: ParamsKZG<Bn256>,
        secret: Option<Secret>,
        cache: Option<&Cache>,
    ) -> Result<Self, KeygenError> {
        check_weights(key.circuit(), &weights).map_err(KeygenError::Weights)?;
        let (shape, visibility) = (key.key().shape, key.key().visibility);
        let setting = Setting::new(key.circuit().clone(), weights, visibility, shape)?;
        let stored = cache.and_then(|cache| cache.load(&key));
        let pk = match stored {
            Some(pk) => pk,
            None => {
                let pk = setting.proving_key(&params)?;
                let mut made = setting.key_without_widths(&params, key.key().srs, &pk, secret.as_ref());
                made.widths = key.key().widths.clone();
                if made.digest() != key.digest() {
                    return Err(KeygenError::OtherKey);
                }
                if let Some(cache) = cache {
                    // A cache that cannot be written to only costs time.
                    drop(cache.store(&key, &pk));
                }
                pk
            }
        };
        let plonk = Plonk::new(&pk, &params);
        Ok(Self { setting, params, pk, plonk, key, secret })
    }

    /// The key.
    pub fn key(&self) -> &CheckedKey {
        &self.key
    }

    /// What is proven, laid out.
    pub fn setting(&self) -> &Setting {
        &self.setting
    }

    /// The library's key.
    pub fn proving_key(&self) -> &ProvingKey<G1Affine> {
        &self.pk
    }

    /// Evaluates the circuit on inputs in the order of the ports, cells in the nodes' order.
    ///
    /// # Errors
    /// Inputs that do not fit.
    pub fn evaluate(&self, inputs: &[Vec<i64>]) -> Result<Evaluation, EvalError> {
        evaluate(&self.setting.checked, &self.setting.weights, inputs)
    }

    /// What proofs are made with.
    pub fn tools(&self) -> Tools<'_> {
        let Self { setting, params, pk, plonk, key, secret } = self;
        Tools { setting, params, pk, plonk, key, weights: secret.as_ref(), inputs: None }
    }

    /// Commits to the inputs of an evaluation, if they are private: what is answered can name them before it is proven.
    pub fn commit(&self, evaluation: &Evaluation) -> Option<Committed> {
        let Setting { checked, weights, visibility, program, layout } = &self.setting;
        visibility.private_input.then(|| {
            let first = First::new(checked, program, layout, weights, evaluation);
            let salt = Secret::random();
            let points = self.tools().commit_inputs(&first, &salt);
            Committed { commitment: commitment(&points), salt }
        })
    }

    /// Evaluates the circuit on inputs in the order of the ports, cells in the nodes' order, and proves the answer.
    ///
    /// # Errors
    /// Inputs that do not fit, or the library refuses.
    pub fn prove(&self, inputs: &[Vec<i64>], context: &[u8]) -> Result<Proven, ProveError> {
        let evaluation = self.evaluate(inputs)?;
        self.prove_evaluation(&evaluation, None, context)
    }

    /// Proves an evaluation, with what its inputs were committed to if they were.
    ///
    /// # Errors
    /// The library refuses.
    pub fn prove_evaluation(
        &self,
        evaluation: &Evaluation,
        committed: Option<&Committed>,
        context: &[u8],
    ) -> Result<Proven, ProveError> {
        let tools = Tools { inputs: committed.map(|committed| &committed.salt), ..self.tools() };
        let Made { proof, inputs, salt } = tools.prove(evaluation, context)?;
        let circuit = self.key.circuit().circuit();
        let tensors = |ports: &[Port]| -> Vec<Vec<i64>> {
            ports.iter().map(|port| port.to_model_order(&evaluation.nodes[port.node as usize])).collect()
        };
        let statement = Statement {
            key: self.key.digest(),
            inputs: if self.setting.visibility.private_input {
                Inputs::Private(commitment(&inputs))
            } else {
                Inputs::Public(tensors(&circuit.inputs))
            },
            outputs: tensors(&circuit.outputs),
            context: context.to_vec(),
        };
        let proof = Proof { statement, argument: Argument::Halo2(halo2::Argument { messages: proof }) };
        Ok(Proven { proof, salt })
    }
}

fn commitment(points: &[Point]) -> InputCommitment {
    InputCommitment(points.iter().map(|point| point.0).collect())
}

/// A commitment to private inputs, and what opens it.
pub struct Committed {
    /// What statements say of the inputs.
    pub commitment: InputCommitment,
    /// The salt.
    pub salt: Secret,
}

/// A proof, and the salt of its commitment to private inputs.
pub struct Proven {
    /// The proof.
    pub proof: Proof,
    /// Opens the commitment to the inputs, if they are private.
    pub salt: Option<Secret>,
}
