//! What is answered, and what proves it if it is proven: a proof with its key, or what the node gave.
use alloc::vec::Vec;

use super::Question;
use super::bundle::{Answer, Bundle, Evidence, Proven, RealAnswer};
use super::check::Check;
use super::findings::{Fault, Findings, equal};
use super::reason::{Missing, Reason};
use super::report::{Assurance, Ports, Shown, Weight};
use super::{exchange, values};
use crate::circuit::Limits;
use crate::key::{CheckedKey, Key};
use crate::reals;
use crate::receipt::{Claim, Program, Proving, Receipt, proof_digest};
use crate::statement::{Inputs, Proof, Statement, outputs_digest};
use crate::sumcheck::security;
use crate::verify::verify;
use crate::wire;

/// Checks of the evidence. Gives the key, if it is the receipt's and passes its own checks.
pub(super) fn check(bundle: &Bundle, question: &Question<'_>, findings: &mut Findings) -> Option<CheckedKey> {
    let receipt = &bundle.receipt.receipt;
    match (receipt.claim, &bundle.evidence) {
        (Claim::Proven, Evidence::Proof(proven)) => Some(check_proven(receipt, proven, question, findings)?),
        (Claim::Proven, _) => {
            for check in PROVEN {
                findings.require(check, Err::<(), _>(Missing::Proof.into()));
            }
            findings.note(Check::RequestValues, Weight::Optional, Err::<(), _>(Missing::Proof.into()));
            None
        }
        (Claim::Proxied, evidence) => {
            exchange::check(receipt, evidence, findings);
            None
        }
        (_, evidence) if matches!(receipt.program(), Some(Program::Onnx(_))) => {
            compare_reals(receipt, evidence, question, findings);
            None
        }
        (_, evidence) => {
            let said = match evidence {
                Evidence::Answer(Answer { inputs, outputs }) => Ok(Said { inputs, outputs }),
                _ => Err(Missing::Answer),
            };
            compare(receipt, said, Weight::Optional, None, findings);
            None
        }
    }
}

/// What the claim `proven` calls for.
const PROVEN: [Check; 12] = [
    Check::ProvenSignature,
    Check::ProvenLink,
    Check::ProofDigest,
    Check::KeyDigest,
    Check::Key,
    Check::KeyCircuit,
    Check::KeyEngine,
    Check::KeyHiding,
    Check::Proof,
    Check::ProofContext,
    Check::Inputs,
    Check::Outputs,
];

/// Inputs and outputs, by a proof or by the node's word.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) inputs: &'a Inputs,
    pub(super) outputs: &'a [Vec<i64>],
}

/// Inputs and outputs against the receipt.
fn compare(
    receipt: &Receipt,
    said: Result<Said<'_>, Missing>,
    weight: Weight,
    key: Option<&CheckedKey>,
    findings: &mut Findings,
) {
    let inputs = said.map_err(Fault::from);
    let inputs = inputs.and_then(|said| equal("the digest of the inputs", said.inputs.digest(), receipt.inputs));
    let inputs = findings.note(Check::Inputs, weight, inputs);
    let outputs = said.map_err(Fault::from);
    let outputs =
        outputs.and_then(|said| equal("the digest of the outputs", outputs_digest(said.outputs), receipt.outputs));
    let outputs = findings.note(Check::Outputs, weight, outputs);
    if let (Ok(said), Some(()), Some(())) = (said, inputs, outputs) {
        findings.shown = Some(shown(said, key));
    }
}

/// Inputs and outputs with what a key's circuit says of them.
pub(super) fn shown(Said { inputs, outputs }: Said<'_>, key: Option<&CheckedKey>) -> Shown {
    let ports = key.map(|key| key.circuit().circuit());
    let ports = ports.map(|circuit| Ports { inputs: circuit.inputs.clone(), outputs: circuit.outputs.clone() });
    Shown { answer: Answer { inputs: inputs.clone(), outputs: outputs.to_vec() }, ports }
}

/// Tensors of an answer in floating point against the receipt and the request.
fn compare_reals(receipt: &Receipt, evidence: &Evidence, question: &Question<'_>, findings: &mut Findings) {
    let said = match evidence {
        Evidence::Reals(answer) => Ok(answer),
        _ => Err(Missing::Answer),
    };
    let inputs = said.map_err(Fault::from).and_then(|RealAnswer { inputs, .. }| {
        equal("the digest of the inputs", reals::inputs_digest(inputs), receipt.inputs)
    });
    let inputs = findings.note(Check::Inputs, Weight::Optional, inputs);
    let outputs = said.map_err(Fault::from).and_then(|RealAnswer { outputs, .. }| {
        equal("the digest of the outputs", reals::outputs_digest(outputs), receipt.outputs)
    });
    let outputs = findings.note(Check::Outputs, Weight::Optional, outputs);
    let values = said.map_err(Fault::from).and_then(|said| values::reals(&said.inputs, question.tensors));
    findings.note(Check::RequestValues, Weight::Optional, values);
    findings.reals = said.ok().filter(|_| inputs.and(outputs).is_some()).cloned();
}

/// A proof and its key.
fn check_proven(
    receipt: &Receipt,
    proven: &Proven,
    question: &Question<'_>,
    findings: &mut Findings,
) -> Option<CheckedKey> {
    let named = proven.receipt.receipt.proven.map(|proven| proven.proof);
    findings.require(
        Check::ProofDigest,
        equal("the digest of the proof's file", named, Some(proof_digest(&proven.proof.0))),
    );
    let key = findings.require(Check::KeyDigest, key_of(receipt, &proven.key.0));
    let checked = check_key(receipt, key.as_ref(), &question.limits, findings);
    check_proof(receipt, proven, checked.as_ref(), question, findings);
    checked
}

/// The key's file, if it is that of the receipt's key. Another one is not looked at.
fn key_of(receipt: &Receipt, file: &[u8]) -> Result<(Key, Proving), Fault> {
    let key: Key = wire::decode(file)?;
    let proving = receipt.proving.ok_or(Fault::Fails(Reason::Claim))?;
    equal("the digest of the key", key.digest(), proving.key)?;
    Ok((key, proving))
}

fn check_key(
    receipt: &Receipt,
    key: Option<&(Key, Proving)>,
    limits: &Limits,
    findings: &mut Findings,
) -> Option<CheckedKey> {
    let key = key.ok_or(Missing::Needs(Check::KeyDigest));
    let with = |check: &dyn Fn(&Key, &Proving) -> Result<(), Fault>| {
        key.map_err(Fault::from).and_then(|(key, proving)| check(key, proving))
    };
    let circuit = with(&|key, _| equal("the circuit", Some(key.circuit().digest()), receipt.circuit()));
    let engine = with(&|key, proving| equal("the engine", key.engine(), proving.engine));
    let hiding = with(&|key, proving| equal("what is hidden", key.is_hiding(), proving.hiding));
    let checked = key.map_err(Fault::from).and_then(|(key, _)| Ok(CheckedKey::new(key, limits)?));
    let checked = findings.require(Check::Key, checked);
    findings.require(Check::KeyCircuit, circuit);
    findings.require(Check::KeyEngine, engine);
    findings.require(Check::KeyHiding, hiding);
    findings.assurance = checked.as_ref().map(assurance);
    checked
}

/// What a key says of what stands behind its proofs.
pub(super) fn assurance(key: &CheckedKey) -> Assurance {
    let (visibility, srs, soundness_bits) = match key {
        CheckedKey::Sumcheck(key) => (None, None, security::soundness(key).ok().map(|(_, bits)| bits)),
        CheckedKey::Halo2(key) => (Some(key.key().visibility), Some(key.key().srs), None),
    };
    Assurance { engine: key.engine(), visibility, srs, soundness_bits }
}

/// The proof, and what it states against what the receipt says.
fn check_proof(
    receipt: &Receipt,
    proven: &Proven,
    key: Option<&CheckedKey>,
    question: &Question<'_>,
    findings: &mut Findings,
) {
    let proof = wire::decode::<Proof>(&proven.proof.0);
    let verified = match (&proof, key) {
        (Err(error), _) => Err(error.clone().into()),
        (Ok(_), None) => Err(Missing::Needs(Check::Key).into()),
        (Ok(proof), Some(key)) => verify(key, proof).map_err(Fault::from),
    };
    let verified = findings.require(Check::Proof, verified);
    let proven = proof.ok().zip(key).filter(|_| verified.is_some());
    let stated = proven.as_ref().map(|(proof, key)| (&proof.statement, *key)).ok_or(Missing::Needs(Check::Proof));
    let (context, digest) = (stated.map_err(Fault::from), receipt.digest());
    let context = context.and_then(|(stated, _)| equal("the context", stated.context.as_slice(), digest.0.as_slice()));
    findings.require(Check::ProofContext, context);
    let said = stated.map(|(Statement { inputs, outputs, .. }, _)| Said { inputs, outputs });
    compare(receipt, said, Weight::Required, key, findings);
    let values = stated.map_err(Fault::from);
    let values = values.and_then(|(stated, key)| values::check(key.circuit(), &stated.inputs, question.tensors));
    findings.note(Check::RequestValues, Weight::Optional, values);
}
