//! What stands behind the answer: a proof with its key, or the integers that the node gave.
use super::Question;
use super::bundle::{Answer, Bundle, Evidence, Proven};
use super::check::Check;
use super::findings::{Fault, Findings, equal};
use super::report::{Assurance, Missing, Reason, Weight};
use super::values;
use crate::circuit::Limits;
use crate::key::{CheckedKey, Key};
use crate::receipt::{Claim, Proving, Receipt, proof_digest};
use crate::statement::{Proof, Statement, outputs_digest};
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
        (_, evidence) => {
            check_answer(receipt, evidence, findings);
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

/// The integers of an answer that is not proven.
fn check_answer(receipt: &Receipt, evidence: &Evidence, findings: &mut Findings) {
    let answer = match evidence {
        Evidence::Answer(answer) => Ok(answer),
        _ => Err(Missing::Answer),
    };
    let inputs = |answer: &Answer| equal("the digest of the inputs", answer.inputs.digest(), receipt.inputs);
    let outputs =
        |answer: &Answer| equal("the digest of the outputs", outputs_digest(&answer.outputs), receipt.outputs);
    findings.note(Check::Inputs, Weight::Optional, answer.map_err(Fault::from).and_then(inputs));
    findings.note(Check::Outputs, Weight::Optional, answer.map_err(Fault::from).and_then(outputs));
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
    let circuit = with(&|key, _| equal("the circuit", key.circuit().digest(), receipt.circuit));
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

fn assurance(key: &CheckedKey) -> Assurance {
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
    let proven = proof.ok().zip(key).filter(|_| verified.is_some()).ok_or(Missing::Needs(Check::Proof));
    let proven = proven.as_ref().map(|(proof, key)| (&proof.statement, *key)).map_err(|missing| *missing);
    let compare = |compare: &dyn Fn(&Statement) -> Result<(), Fault>| {
        proven.map_err(Fault::from).and_then(|(statement, _)| compare(statement))
    };
    let digest = receipt.digest();
    let context = compare(&|stated| equal("the proof's context", stated.context.as_slice(), digest.0.as_slice()));
    findings.require(Check::ProofContext, context);
    let inputs = compare(&|stated| equal("the digest of the inputs", stated.inputs.digest(), receipt.inputs));
    findings.require(Check::Inputs, inputs);
    let outputs = compare(&|stated| equal("the digest of the outputs", stated.outputs_digest(), receipt.outputs));
    findings.require(Check::Outputs, outputs);
    let values = proven.map_err(Fault::from);
    let values = values.and_then(|(stated, key)| values::check(key.circuit(), &stated.inputs, question.tensors));
    findings.note(Check::RequestValues, Weight::Optional, values);
}
