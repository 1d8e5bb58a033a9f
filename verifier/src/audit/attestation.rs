//! The enclave behind an answer: the node's attestation as the ledger has it, and its evidence verified again as of when the ledger verified it.
use super::Trust;
use super::bundle::{Attested, Record};
use super::check::Check;
use super::findings::{Fault, Findings, equal, holds};
use super::ledger::State;
use super::moment::{Judged, held};
use super::reason::{Missing, Reason};
use super::records::versioned;
use crate::receipt::Receipt;
use crate::settlement::node::{Attestation, Measurement};
use crate::settlement::parameters::Parameters;
use crate::settlement::{self, Versioned, keys};
use crate::tee::{self, Binding, authenticate};

/// What the backend `tee` calls for.
pub(super) const CHECKS: [Check; 8] = [
    Check::AttestationIncluded,
    Check::Attestation,
    Check::AttestationRules,
    Check::EvidenceIncluded,
    Check::Evidence,
    Check::Grade,
    Check::MeasurementIncluded,
    Check::Measurement,
];

/// Checks of the enclave.
pub(super) fn check(
    state: &State,
    shown: Option<&Attested>,
    receipt: &Receipt,
    moment: Judged<'_>,
    trust: &Trust,
    findings: &mut Findings,
) {
    let Some(shown) = shown else {
        for check in CHECKS {
            findings.require(check, Err::<(), _>(Missing::Attestation.into()));
        }
        return;
    };
    let found = versioned::<Attestation>(state, &keys::attestation(receipt.node), &shown.attestation);
    let found = findings.require(Check::AttestationIncluded, found);
    findings.attestation.clone_from(&found);
    let attestation = found.as_ref().ok_or(Missing::Needs(Check::AttestationIncluded));
    findings.require(Check::Attestation, attestation.map_err(Fault::from).and_then(|found| counts(found, moment)));
    let rules = attestation.map_err(Fault::from).and_then(|found| rules(state, &shown.rules, found, trust));
    let rules = findings.require(Check::AttestationRules, rules);
    let included = attestation.map_err(Fault::from);
    let included = included.and_then(|found| state.has(&shown.evidence, &[&keys::evidence(found.record.evidence)]));
    let included = findings.require(Check::EvidenceIncluded, included);
    let again = || {
        included.ok_or(Missing::Needs(Check::EvidenceIncluded))?;
        let rules = rules.as_ref().ok_or(Missing::Needs(Check::AttestationRules))?;
        again(&attestation?.record, &shown.evidence, rules, receipt)
    };
    let enclave = findings.require(Check::Evidence, again());
    let grade = enclave.as_ref().ok_or(Missing::Needs(Check::Evidence)).map_err(Fault::from);
    findings.require(
        Check::Grade,
        grade.and_then(|enclave| equal("the grade of the evidence", enclave.grade(), receipt.grade)),
    );
    findings.enclave = enclave;
    let approval = attestation.map_err(Fault::from).and_then(|found| {
        versioned::<Measurement>(state, &keys::measurement(found.record.measurement), &shown.measurement)
    });
    let approval = findings.require(Check::MeasurementIncluded, approval);
    findings.measurement.clone_from(&approval);
    let approved = || {
        let approval = approval.as_ref().ok_or(Missing::Needs(Check::MeasurementIncluded))?;
        approved(approval, attestation?, moment)
    };
    findings.require(Check::Measurement, approved());
}

/// The version is the one that the settlement names, and counted when the ledger judged. For an answer that is never settled it may have been
/// superseded since: a newer one takes nothing from it. What ends with the node's registration has a reason.
fn counts(found: &Versioned<Attestation>, moment: Judged<'_>) -> Result<(), Fault> {
    let moment = moment?;
    let superseded = moment.settlement.is_none() && found.reason.is_none() && found.valid_to.is_some();
    if !superseded {
        moment.in_force(found, |settlement| settlement.attestation_revision)?;
    }
    let Attestation { verified_ms: from_ms, expires_ms: to_ms, .. } = found.record;
    let time_ms = moment.time_ms;
    holds((from_ms..to_ms).contains(&time_ms), Reason::Expired { from_ms, to_ms, time_ms })
}

/// The rules at the block in which the ledger verified the evidence.
fn rules(
    state: &State,
    record: &Record,
    attestation: &Versioned<Attestation>,
    trust: &Trust,
) -> Result<Parameters, Fault> {
    let found = versioned::<Parameters>(state, keys::PARAMETERS, record)?;
    equal("the chain", &found.record.chain_id, &trust.chain_id)?;
    held(&found, attestation.valid_from)?;
    Ok(found.record)
}

/// Verifies the evidence as the ledger did, at the time at which it did, and compares what it shows with what the ledger wrote down.
fn again(
    found: &Attestation,
    evidence: &Record,
    rules: &Parameters,
    receipt: &Receipt,
) -> Result<tee::Attested, Fault> {
    let evidence: tee::Evidence = settlement::decode(&evidence.value.0)?;
    equal("the digest of the evidence", evidence.digest(), found.evidence)?;
    let shown = authenticate(&evidence, &rules.trust_roots, &rules.attestation, found.verified_ms)?;
    shown.check_binding(&Binding::new(&receipt.chain_id, receipt.node, found.nonce))?;
    equal("the platform", shown.platform, found.platform)?;
    equal("the root", shown.root.certificate, found.root)?;
    equal("the attestation's grade", shown.grade(), found.grade)?;
    equal("the measurement", shown.measurement(), found.measurement)?;
    equal("the end of the attestation", shown.expires_ms, found.expires_ms)?;
    Ok(shown)
}

/// What was measured was approved both times: by one version, or by a later one when the answer was settled. That the first one was in force
/// when the evidence was verified is then in the attestation alone.
fn approved(
    found: &Versioned<Measurement>,
    attestation: &Versioned<Attestation>,
    moment: Judged<'_>,
) -> Result<(), Fault> {
    let named = attestation.record.measurement_revision;
    holds(found.revision >= named, Reason::Differs("the revision"))?;
    equal("the measurement", found.record.id(), attestation.record.measurement)?;
    if found.revision == named {
        held(found, attestation.valid_from)?;
    }
    moment?.held(found)
}
