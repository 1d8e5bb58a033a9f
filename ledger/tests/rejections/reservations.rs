//! Reservations and refunds.
use assay_ledger::Rejection;
use assay_ledger::tx::{Payload, Refund};
use assay_verifier::settlement::payment::Authorisation;

use crate::Seen;
use crate::common::*;

pub fn all(seen: &mut Seen) {
    let mut chain = Chain::ready();
    let good = authorisation(1);
    seen.refused(&mut chain, PAYER, reserve(Authorisation { amount: 0, ..good }), Rejection::ZeroAmount);
    for amount in [1_001, u64::MAX] {
        let much = reserve(Authorisation { amount, ..good });
        seen.refused(&mut chain, PAYER, much, Rejection::InsufficientEscrow);
    }
    // Somebody else's money.
    let theirs = reserve(Authorisation { payer: key(PUBLISHER), ..good });
    seen.refused(&mut chain, PAYER, theirs, Rejection::AuthorisationSignature);
    let Payload::Reserve(mut raised) = reserve(good) else { panic!("a reservation") };
    raised.authorisation.amount += 1;
    seen.refused(&mut chain, NODE, Payload::Reserve(raised), Rejection::AuthorisationSignature);
    let now = chain.next().time_ms;
    seen.refused(&mut chain, PAYER, reserve(Authorisation { deadline_ms: now - 1, ..good }), Rejection::DeadlinePast);
    for deadline_ms in [chain.next().time_ms + 86_400_001, u64::MAX] {
        let far = reserve(Authorisation { deadline_ms, ..good });
        seen.refused(&mut chain, PAYER, far, Rejection::DeadlineTooFar);
    }
    let refund = || Payload::Refund(Refund { request: receipt(1).request });
    seen.refused(&mut chain, PAYER, refund(), Rejection::ReservationUnknown);
    chain.good(PAYER, reserve(good));
    seen.refused(&mut chain, PAYER, reserve(good), Rejection::RequestReserved);
    // For the same request on other terms.
    seen.refused(&mut chain, PAYER, reserve(Authorisation { amount: 1, ..good }), Rejection::RequestReserved);
    seen.refused(&mut chain, PAYER, refund(), Rejection::DeadlineAhead);
    chain.good(NODE, settle(receipt(1)));
    seen.refused(&mut chain, PAYER, reserve(good), Rejection::RequestSettled);
    seen.refused(&mut chain, PAYER, refund(), Rejection::ReservationUnknown);
    // What was refunded cannot be reserved again by whoever kept the authorisation.
    chain.good(PAYER, reserve(authorisation(2)));
    chain.wait(good.deadline_ms);
    chain.good(STRANGER_AT_LARGE, Payload::Refund(Refund { request: receipt(2).request }));
    seen.refused(&mut chain, NODE, reserve(authorisation(2)), Rejection::DeadlinePast);
}

/// Refunds are anyone's to ask for.
const STRANGER_AT_LARGE: u8 = PUBLISHER;
