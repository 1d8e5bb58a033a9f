//! Records of the ledger: that the state has them, and that they are what the receipts say.
use super::Trust;
use super::bundle::{Bundle, Evidence, Record};
use super::check::Check;
use super::findings::{Fault, Findings, equal, holds};
use super::ledger::State;
use super::moment::{Judged, Moment};
use super::reason::{Missing, Reason};
use crate::key::CheckedKey;
use crate::receipt::{Backend, Receipt, proof_digest};
use crate::settlement::model::{Model, ModelKey};
use crate::settlement::node::Node;
use crate::settlement::parameters::Parameters;
use crate::settlement::payment::Settlement;
use crate::settlement::{self, Versioned, keys};

/// The settlement, if the state has it and it is of this receipt.
pub(super) fn settlement(
    state: &State,
    record: Option<&Record>,
    bundle: &Bundle,
    findings: &mut Findings,
) -> Option<Settlement> {
    let receipt = &bundle.receipt.receipt;
    let included = record.ok_or(Missing::Settlement.into()).and_then(|record| {
        state.has(record, &[&keys::settlement(receipt.request)])?;
        Ok(record)
    });
    let included = findings.require(Check::SettlementIncluded, included);
    let last = findings.last;
    let read = || {
        let record = included.ok_or(Missing::Needs(Check::SettlementIncluded))?;
        let found: Settlement = settlement::decode(&record.value.0)?;
        let in_time = last.is_some_and(|last| found.height < last.height && found.time_ms <= last.time_ms);
        holds(in_time, Reason::Later)?;
        compare(&found, bundle)?;
        Ok(found)
    };
    let found = findings.require(Check::Settlement, read());
    findings.settlement.clone_from(&found);
    found
}

/// The settlement says what the receipt says.
fn compare(found: &Settlement, bundle: &Bundle) -> Result<(), Fault> {
    let receipt = &bundle.receipt.receipt;
    equal("the request", found.request, receipt.request)?;
    equal("the receipt's digest", found.receipt, receipt.digest())?;
    equal("the backend", found.backend, receipt.backend)?;
    equal("the model", found.model, receipt.model)?;
    equal("the node", found.node, receipt.node)?;
    equal("the attestation", found.attestation_revision.is_some(), receipt.backend == Backend::Tee)?;
    equal("the key", found.proof.map(|(_, key)| key), receipt.proving.map(|proving| proving.key))?;
    match &bundle.evidence {
        Evidence::Proof(proven) => {
            let settled = found.proof.map(|(proof, _)| proof);
            equal("the proof", settled, Some(proof_digest(&proven.proof.0)))
        }
        _ => Ok(()),
    }
}

/// Payer, price and payee.
pub(super) fn payment(moment: Judged<'_>, node: Option<&Versioned<Node>>) -> Result<(), Fault> {
    let Moment { receipt, settlement, .. } = moment?;
    let settlement = settlement.ok_or(Missing::Needs(Check::Settlement))?;
    equal("the payer", settlement.payer, receipt.payer)?;
    equal("the price", settlement.price, receipt.price)?;
    let node = node.ok_or(Missing::Needs(Check::Node))?;
    equal("the payee", settlement.payee, node.record.payee)
}

/// A record with a history, which lies under its key or under that and its revision.
pub(super) fn versioned<T>(state: &State, key: &[u8], record: &Record) -> Result<Versioned<T>, Fault>
where
    Versioned<T>: serde::Serialize + serde::de::DeserializeOwned,
{
    let found: Versioned<T> = settlement::decode(&record.value.0)?;
    state.has(record, &[key, &keys::version(key, found.revision)])?;
    Ok(found)
}

/// The chain's rules.
pub(super) fn rules(
    state: &State,
    record: &Record,
    moment: Judged<'_>,
    trust: &Trust,
    findings: &mut Findings,
) -> Option<Parameters> {
    let found = versioned::<Parameters>(state, keys::PARAMETERS, record);
    let found = findings.require(Check::RulesIncluded, found);
    let check = || {
        let found = found.ok_or(Missing::Needs(Check::RulesIncluded))?;
        equal("the chain", &found.record.chain_id, &trust.chain_id)?;
        moment?.held(&found)?;
        Ok(found.record)
    };
    findings.require(Check::Rules, check())
}

/// The reference string of the key.
pub(super) fn srs(rules: Option<&Parameters>, key: Option<&CheckedKey>) -> Result<(), Fault> {
    let rules = rules.ok_or(Missing::Needs(Check::Rules))?;
    match key.ok_or(Missing::Needs(Check::Key))? {
        CheckedKey::Halo2(key) => holds(rules.srs.contains(&key.key().srs.digest()), Reason::Srs),
        CheckedKey::Sumcheck(_) => Err(Missing::Needs(Check::KeyEngine).into()),
    }
}

/// The model's record.
pub(super) fn model(
    state: &State,
    record: Option<&Record>,
    receipt: &Receipt,
    moment: Judged<'_>,
    findings: &mut Findings,
) {
    let found = record.ok_or(Missing::Settlement.into());
    let found = found.and_then(|record| versioned::<Model>(state, &keys::model(receipt.model), record));
    let found = findings.require(Check::ModelIncluded, found);
    let found = found.as_ref().ok_or(Missing::Needs(Check::ModelIncluded));
    let signed = found.map(|found| found.record.manifest.signed(&receipt.chain_id, found.record.signature));
    let signed = signed.map_err(Fault::from).and_then(|signed| Ok(signed.verify()?));
    let check = || {
        let found = found?;
        moment?.in_force(found, |settlement| Some(settlement.model_revision))?;
        equal("the model", found.record.manifest.id(), receipt.model)?;
        equal("the circuit", Some(found.record.manifest.program), receipt.program())?;
        let Some(proving) = receipt.proving else { return Ok(()) };
        holds(found.record.manifest.keys.contains(&proving.key), Reason::NoSuchKey)?;
        let entry = found.record.keys.iter().find(|entry| entry.digest == proving.key);
        let ModelKey { engine, hiding, .. } = *entry.ok_or(Fault::Fails(Reason::NoSuchKey))?;
        equal("the key's engine", engine, proving.engine)?;
        equal("what the key hides", hiding, proving.hiding)
    };
    let holds = check();
    findings.model = found.ok().cloned();
    findings.require(Check::Model, holds);
    findings.require(Check::PublisherSignature, signed);
}

/// The node's record.
pub(super) fn node(
    state: &State,
    record: &Record,
    receipt: &Receipt,
    moment: Judged<'_>,
    rules: Option<&Parameters>,
    findings: &mut Findings,
) -> Option<Versioned<Node>> {
    let found = versioned::<Node>(state, &keys::node(receipt.node), record);
    let found = findings.require(Check::NodeIncluded, found);
    findings.node.clone_from(&found);
    let check = || {
        let found = found.ok_or(Missing::Needs(Check::NodeIncluded))?;
        moment?.in_force(&found, |settlement| Some(settlement.node_revision))?;
        holds(found.record.backends.contains(&receipt.backend), Reason::Backend)?;
        let rules = rules.ok_or(Missing::Needs(Check::Rules))?;
        holds(found.record.stake >= rules.stake_min, Reason::Stake)?;
        Ok(found)
    };
    findings.require(Check::Node, check())
}
