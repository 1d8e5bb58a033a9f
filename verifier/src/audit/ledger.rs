//! What the ledger has of the request: headers from the trusted one on, and the records of the state that the last one proves.
use super::bundle::{Bundle, PathBlock, Record};
use super::check::Check;
use super::findings::{Fault, Findings, equal, holds};
use super::records::{self, Settled};
use super::report::{HeaderTime, Missing, Reason, Weight};
use super::{Scope, Trust};
use crate::key::{CheckedKey, Engine};
use crate::receipt::Receipt;
use crate::settlement::inclusion;
use crate::settlement::light::{Clock, LightBlock, LightError, Trusted};
use crate::settlement::payment::Block;
use crate::settlement::{self, keys};

/// What is asked of the ledger.
const CHECKS: [Check; 13] = [
    Check::TrustRoot,
    Check::Headers,
    Check::State,
    Check::SettlementIncluded,
    Check::Settlement,
    Check::Payment,
    Check::ModelIncluded,
    Check::Model,
    Check::PublisherSignature,
    Check::NodeIncluded,
    Check::Node,
    Check::RulesIncluded,
    Check::Rules,
];
/// Headers are judged as by a client that followed the chain as it grew: a trusted one does not expire before the next.
const TRUSTING_MS: u64 = 100 * 365 * 86_400_000;
/// A header's time is rounded down to milliseconds.
const DRIFT_MS: u64 = 1;

/// Checks of the ledger.
pub(super) fn check(bundle: &Bundle, key: Option<&CheckedKey>, trust: &Trust, scope: Scope, findings: &mut Findings) {
    let receipt = &bundle.receipt.receipt;
    let Some(ledger) = &bundle.ledger else {
        let weight = match scope {
            Scope::Settled => Weight::Required,
            Scope::Unsettled => Weight::Optional,
        };
        let srs = needs_srs(receipt).then_some(Check::Srs);
        for check in CHECKS.into_iter().chain(srs) {
            findings.note(check, weight, Err::<(), _>(Missing::Ledger.into()));
        }
        return;
    };
    let state = State(follow(&ledger.path, trust, findings));
    findings.require(Check::State, state.check(&ledger.block, trust));
    let settlement = records::settlement(&state, &ledger.settlement, bundle, findings);
    let settled = settlement.as_ref().map(|settlement| Settled { receipt, settlement });
    let rules = records::rules(&state, &ledger.rules, settled, trust, findings);
    if needs_srs(receipt) {
        findings.require(Check::Srs, records::srs(rules.as_ref(), key));
    }
    records::model(&state, &ledger.model, receipt, settled, findings);
    let node = records::node(&state, &ledger.node, receipt, settled, rules.as_ref(), findings);
    findings.require(Check::Payment, records::payment(settled, node.as_ref()));
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
    fn check(&self, record: &Record, trust: &Trust) -> Result<(), Fault> {
        self.has(record, &[keys::BLOCK])?;
        let block: Block = settlement::decode(&record.value.0)?;
        let header = self.0.as_ref().map(|trusted| trusted.block().height().saturating_sub(1)).unwrap_or_default();
        holds(block.height == header, Reason::Height { actual: block.height, expected: header })?;
        match trust.genesis {
            Some(genesis) => equal("the digest of the genesis", block.genesis, genesis),
            None => Ok(()),
        }
    }
}
