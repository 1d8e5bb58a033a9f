//! Nodes and measurements.
use assay_ledger::Rejection;
use assay_ledger::tx::{ApproveMeasurement, DeregisterNode, Heartbeat, Payload, RegisterNode, RevokeMeasurement};
use assay_verifier::receipt::Backend;
use assay_verifier::settlement::node::{Measurement, Node, Platform};

use crate::Seen;
use crate::common::*;

pub fn all(seen: &mut Seen) {
    registrations(seen);
    measurements(seen);
}

fn registrations(seen: &mut Seen) {
    let mut chain = Chain::ready();
    let register = |node| Payload::RegisterNode(RegisterNode { node, attestation: None });
    let deregister = || Payload::DeregisterNode(DeregisterNode { reason: "done".into() });
    seen.refused(&mut chain, NODE, register(node()), Rejection::NodeExists);
    let endpoints = ["x".repeat(257), "a\nb".into()];
    for endpoint in endpoints {
        seen.refused(&mut chain, PAYER, register(Node { endpoint, ..node() }), Rejection::FieldLength);
    }
    let lists = [vec![], vec![Backend::Zkml; 2], vec![Backend::Vanilla, Backend::Zkml]];
    for backends in lists {
        seen.refused(&mut chain, PAYER, register(Node { backends, ..node() }), Rejection::FieldLength);
    }
    let stake = chain.app.reader().rules().stake_min - 1;
    seen.refused(&mut chain, PAYER, register(Node { stake, ..node() }), Rejection::StakeTooLow);
    seen.refused(&mut chain, PAYER, register(Node { stake: SUPPLY, ..node() }), Rejection::InsufficientBalance);
    seen.refused(&mut chain, PAYER, Payload::Heartbeat(Heartbeat {}), Rejection::NodeUnknown);
    seen.refused(&mut chain, PAYER, deregister(), Rejection::NodeUnknown);
    chain.good(NODE, deregister());
    seen.refused(&mut chain, NODE, deregister(), Rejection::NodeDeregistered);
    seen.refused(&mut chain, NODE, Payload::Heartbeat(Heartbeat {}), Rejection::NodeDeregistered);
}

fn measurements(seen: &mut Seen) {
    let mut chain = Chain::new();
    let measurement = |registers| Measurement { platform: Platform::Snp, registers, software: "one".into() };
    let good = measurement(vec![vec![1; 48]]);
    let approve = |measurement: &Measurement, expires| {
        Payload::ApproveMeasurement(ApproveMeasurement { measurement: measurement.clone(), expires })
    };
    let revoke = |from| {
        let measurement = measurement(vec![vec![1; 48]]).id();
        Payload::RevokeMeasurement(RevokeMeasurement { measurement, from, reason: "old".into() })
    };
    for registers in [vec![], vec![vec![]], vec![vec![0; 65]], vec![vec![0; 48]; 33]] {
        seen.refused(&mut chain, GOVERNANCE, approve(&measurement(registers), None), Rejection::FieldLength);
    }
    seen.refused(&mut chain, PAYER, approve(&good, None), Rejection::NotGovernance);
    let now = chain.next().height;
    seen.refused(&mut chain, GOVERNANCE, approve(&good, Some(now)), Rejection::HeightPast);
    seen.refused(&mut chain, GOVERNANCE, revoke(1_000), Rejection::MeasurementUnknown);
    chain.good(GOVERNANCE, approve(&good, None));
    seen.refused(&mut chain, GOVERNANCE, approve(&good, None), Rejection::MeasurementExists);
    seen.refused(&mut chain, PAYER, revoke(1_000), Rejection::NotGovernance);
    let past = chain.next().height - 1;
    seen.refused(&mut chain, GOVERNANCE, revoke(past), Rejection::HeightPast);
    chain.good(GOVERNANCE, revoke(50));
    // A revocation cannot be put off.
    seen.refused(&mut chain, GOVERNANCE, revoke(60), Rejection::MeasurementEnded);
    chain.good(GOVERNANCE, revoke(40));
}
