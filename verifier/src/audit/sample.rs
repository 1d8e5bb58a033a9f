//! A settled answer that was drawn to be proven after all: what became of that, and the proof.
use super::Question;
use super::bundle::{SampleProof, Sampled};
use super::check::Check;
use super::evidence::{self, Said};
use super::findings::{Fault, Findings, equal, holds};
use super::ledger::State;
use super::reason::{Missing, Reason};
use super::records;
use super::report::Weight;
use super::values;
use crate::digest::{Digest32, KeyDigest};
use crate::key::{CheckedKey, Key};
use crate::receipt::{Backend, Receipt, proof_digest};
use crate::settlement::parameters::Parameters;
use crate::settlement::sampling::{Outcome, Sample};
use crate::settlement::{self, keys};
use crate::statement::{Proof, Statement};
use crate::verify::verify;
use crate::wire;

/// Checks of the sample, if there is one or could be.
pub(super) fn check(
    state: &State,
    shown: Option<&Sampled>,
    receipt: &Receipt,
    rules: Option<&Parameters>,
    question: &Question<'_>,
    findings: &mut Findings,
) {
    let Some(shown) = shown else {
        if receipt.backend != Backend::Zkml && can_be_drawn(findings) {
            findings.note(Check::Sample, Weight::Optional, Err::<(), _>(Missing::Sample.into()));
        }
        return;
    };
    let sample = sample(state, shown, receipt, findings);
    let outcome = sample.map(|sample| {
        findings.sample = Some(sample);
        sample.outcome
    });
    let proven = outcome.and_then(|outcome| proven(outcome, findings));
    let Some(named) = findings.note(Check::Sample, Weight::Optional, proven) else { return };
    let verified = shown.proof.as_ref().ok_or(Missing::Proof.into());
    let verified = verified.and_then(|shown| verified_proof(shown, named, receipt, rules, question));
    let Some((key, statement)) = findings.note(Check::SampleProof, Weight::Optional, verified) else { return };
    findings.assurance = Some(evidence::assurance(&key));
    let said = Said { inputs: &statement.inputs, outputs: &statement.outputs };
    findings.shown = Some(evidence::shown(said, Some(&key)));
    let values = values::check(key.circuit(), &statement.inputs, question.tensors);
    findings.note(Check::RequestValues, Weight::Optional, values);
}

/// Whether the model has a key under which its answers can be drawn; so it may be as long as the model is not known.
fn can_be_drawn(findings: &Findings) -> bool {
    let keys = findings.model.as_ref().map(|model| &model.record.keys);
    keys.is_none_or(|keys| keys.iter().any(|key| !key.private_input))
}

/// The record, if the state has it and it came after the settlement.
fn sample(state: &State, shown: &Sampled, receipt: &Receipt, findings: &Findings) -> Result<Sample, Fault> {
    state.has(&shown.record, &[&keys::sample(receipt.request)])?;
    let sample: Sample = settlement::decode(&shown.record.value.0)?;
    let settlement = findings.settlement.as_ref().ok_or(Missing::Needs(Check::Settlement))?;
    holds(receipt.backend != Backend::Zkml, Reason::Evidence)?;
    let in_time = settlement.height < sample.height && findings.last.is_some_and(|last| sample.height < last.height);
    holds(in_time, Reason::Later)?;
    Ok(sample)
}

/// Proof and key by which it was proven, a key of the model's.
fn proven(outcome: Outcome, findings: &Findings) -> Result<(Digest32, KeyDigest), Fault> {
    let (proof, key) = match outcome {
        Outcome::Proven(proof, key) => (proof, key),
        Outcome::Missed(cut) => return Err(Fault::Fails(Reason::Missed(cut))),
    };
    let model = findings.model.as_ref().ok_or(Missing::Needs(Check::ModelIncluded))?;
    holds(model.record.keys.iter().any(|entry| entry.digest == key), Reason::NoSuchKey)?;
    Ok((proof, key))
}

/// Verifies the proof as the ledger did: under a key of the receipt's circuit, with the receipt's digest as its context.
fn verified_proof(
    shown: &SampleProof,
    (proof, key): (Digest32, KeyDigest),
    receipt: &Receipt,
    rules: Option<&Parameters>,
    question: &Question<'_>,
) -> Result<(CheckedKey, Statement), Fault> {
    equal("the digest of the sample's proof", proof_digest(&shown.proof.0), proof)?;
    let found: Key = wire::decode(&shown.key.0)?;
    equal("the digest of the sample's key", found.digest(), key)?;
    equal("the circuit", Some(found.circuit().digest()), receipt.circuit())?;
    let key = CheckedKey::new(&found, &question.limits)?;
    if matches!(key, CheckedKey::Halo2(_)) {
        records::srs(rules, Some(&key))?;
    }
    let proof: Proof = wire::decode(&shown.proof.0)?;
    verify(&key, &proof)?;
    let Statement { context, inputs, .. } = &proof.statement;
    equal("the context", context.as_slice(), receipt.digest().0.as_slice())?;
    equal("the digest of the inputs", inputs.digest(), receipt.inputs)?;
    equal("the digest of the outputs", proof.statement.outputs_digest(), receipt.outputs)?;
    Ok((key, proof.statement))
}
