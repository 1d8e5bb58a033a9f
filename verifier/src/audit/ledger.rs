//! What the ledger has of the answer: headers from the trusted one on, and the records of the state that the last one proves.
use super::bundle::{Bundle, Ledger, PathBlock, Record};
use super::check::Check;
use super::findings::{Fault, Findings, equal, holds};
use super::moment::{Moment, is_settled};
use super::reason::{Missing, Reason};
use super::report::{HeaderTime, Weight};
use super::{Question, Scope, Trust, attestation, records, sample};
use crate::key::{CheckedKey, Engine};
use crate::receipt::{Backend, Receipt};
use crate::settlement::inclusion;
use crate::settlement::light::{Clock, LightBlock, LightError, Trusted};
use crate::settlement::payment::Block;
use crate::settlement::{self, keys};

/// What is asked of the ledger, whatever is claimed.
const ALWAYS: [Check; 7] = [
    Check::TrustRoot,
    Check::Headers,
    Check::State,
    Check::NodeIncluded,
    Check::Node,
    Check::RulesIncluded,
    Check::Rules,
];
/// What is asked of it for answers that are settled.
const SETTLED: [Check; 6] = [
    Check::SettlementIncluded,
    Check::Settlement,
    Check::Payment,
    Check::ModelIncluded,
    Check::Model,
    Check::PublisherSignature,
];
/// Headers are judged as by a client that followed the chain as it grew: a trusted one does not expire before the next.
const TRUSTING_MS: u64 = 100 * 365 * 86_400_000;
/// A header's time is rounded down to milliseconds.
const DRIFT_MS: u64 = 1;

/// Checks of the ledger.
pub(super) fn check(
    bundle: &Bundle,
    key: Option<&CheckedKey>,
    trust: &Trust,
    question: &Question<'_>,
    findings: &mut Findings,
) {
    let receipt = &bundle.receipt.receipt;
    match &bundle.ledger {
        Some(ledger) => shown(bundle, ledger, key, trust, question, findings),
        None => not_shown(receipt, question.scope, findings),
    }
}

fn not_shown(receipt: &Receipt, scope: Scope, findings: &mut Findings) {
    let weight = match scope {
        Scope::Settled => Weight::Required,
        Scope::Unsettled => Weight::Optional,
    };
    let settled: &[Check] = if is_settled(receipt) { &SETTLED } else { &[] };
    let enclave: &[Check] = if receipt.backend == Backend::Tee { &attestation::CHECKS } else { &[] };
    let srs: &[Check] = if needs_srs(receipt) { &[Check::Srs] } else { &[] };
    for check in [&ALWAYS, settled, enclave, srs].into_iter().flatten() {
        findings.note(*check, weight, Err::<(), _>(Missing::Ledger.into()));
    }
}

fn shown(
    bundle: &Bundle,
    ledger: &Ledger,
    key: Option<&CheckedKey>,
    trust: &Trust,
    question: &Question<'_>,
    findings: &mut Findings,
) {
    let receipt = &bundle.receipt.receipt;
    let state = State(follow(&ledger.path, trust, findings));
    let block = state.check(&ledger.block, trust);
    findings.block = findings.require(Check::State, block);
    let settlement = if is_settled(receipt) {
        records::settlement(&state, ledger.settlement.as_ref(), bundle, findings)
    } else {
        None
    };
    let block = findings.block;
    let moment = Moment::of(receipt, settlement.as_ref(), block.as_ref());
    let rules = records::rules(&state, &ledger.rules, moment, trust, findings);
    if needs_srs(receipt) {
        findings.require(Check::Srs, records::srs(rules.as_ref(), key));
    }
    let node = records::node(&state, &ledger.node, receipt, moment, rules.as_ref(), findings);
    if is_settled(receipt) {
        records::model(&state, ledger.model.as_ref(), receipt, moment, findings);
        findings.require(Check::Payment, records::payment(moment, node.as_ref()));
        sample::check(&state, ledger.sample.as_ref(), receipt, rules.as_ref(), question, findings);
    } else if ledger.settlement.is_some() || ledger.model.is_some() || ledger.sample.is_some() {
        findings.require(Check::Settlement, Err::<(), _>(Fault::Fails(Reason::NeverSettled)));
    }
    if receipt.backend == Backend::Tee {
        attestation::check(&state, ledger.attestation.as_ref(), receipt, moment, trust, findings);
    } else if ledger.attestation.is_some() {
        findings.require(Check::Attestation, Err::<(), _>(Fault::Fails(Reason::Evidence)));
    }
}

fn needs_srs(receipt: &Receipt) -> bool {
    receipt.proving.is_some_and(|proving| proving.engine == Engine::Halo2)
}

/// Follows the headers from the trusted one to the last.
fn follow(path: &[PathBlock], trust: &Trust, findings: &mut Findings) -> Option<Trusted> {
    let at = |place| move |error| Fault::Fails(Reason::Header { place, error });
    let root = path.first().ok_or(Fault::Fails(Reason::NoHeader));
    let root = root.and_then(|block| begin(block, trust).map_err(at(0)));
    let root = findings.require(Check::TrustRoot, root);
    findings.root = root.as_ref().map(time);
    let rest = root.ok_or(Missing::Needs(Check::TrustRoot).into()).and_then(|root| {
        let rest = path.iter().enumerate().skip(1);
        rest.into_iter().try_fold(root, |trusted, (place, block)| advance(&trusted, block).map_err(at(place)))
    });
    let last = findings.require(Check::Headers, rest);
    findings.last = last.as_ref().map(time);
    last
}

fn begin(block: &PathBlock, trust: &Trust) -> Result<Trusted, LightError> {
    Trusted::begin(&trust.chain_id, trust.root, LightBlock::decode(&block.block.0, &block.next_validators.0)?)
}

fn advance(trusted: &Trusted, block: &PathBlock) -> Result<Trusted, LightError> {
    let block = LightBlock::decode(&block.block.0, &block.next_validators.0)?;
    let clock = Clock { now_ms: block.time_ms(), trusting_ms: TRUSTING_MS, drift_ms: DRIFT_MS };
    trusted.advance(block, &clock)
}

fn time(trusted: &Trusted) -> HeaderTime {
    HeaderTime { height: trusted.block().height(), time_ms: trusted.block().time_ms() }
}

/// The state that the last header proves, if there is such a header.
pub(super) struct State(Option<Trusted>);

impl State {
    /// The record is under one of the keys.
    pub(super) fn has(&self, record: &Record, keys: &[&[u8]]) -> Result<(), Fault> {
        let trusted = self.0.as_ref().ok_or(Missing::Needs(Check::Headers))?;
        let mut outcome = Ok(());
        for key in keys {
            outcome = inclusion::verify(&trusted.app_hash(), key, Some(&record.value.0), &record.proof.0);
            if outcome.is_ok() {
                break;
            }
        }
        Ok(outcome?)
    }

    /// The state is that after the height before the last header's, and of the trusted genesis.
    fn check(&self, record: &Record, trust: &Trust) -> Result<Block, Fault> {
        self.has(record, &[keys::BLOCK])?;
        let block: Block = settlement::decode(&record.value.0)?;
        let header = self.0.as_ref().map(|trusted| trusted.block().height().saturating_sub(1)).unwrap_or_default();
        holds(block.height == header, Reason::Height { actual: block.height, expected: header })?;
        if let Some(genesis) = trust.genesis {
            equal("the digest of the genesis", block.genesis, genesis)?;
        }
        Ok(block)
    }
}
