//! Envelopes and money.
use assay_ledger::Rejection;
use assay_ledger::genesis::RawGenesis;
use assay_ledger::tx::{Body, Payload, Transfer, Withdraw};
use assay_verifier::settlement::parameters::Limits;
use assay_verifier::signature::{Domain, Signature};

use crate::Seen;
use crate::common::*;

fn transfer(amount: u64) -> Payload {
    Payload::Transfer(Transfer { to: key(STRANGER), amount })
}

pub fn all(seen: &mut Seen) {
    encodings(seen);
    signatures(seen);
    nonces_and_fees(seen);
    budgets(seen);
    money(seen);
}

fn encodings(seen: &mut Seen) {
    let mut chain = Chain::ready();
    let good = chain.tx(PAYER, transfer(1));
    seen.bytes_refused(&mut chain, &[], Rejection::UnknownVersion);
    seen.bytes_refused(&mut chain, &[b"ASSAYTX2".as_slice(), &good[8..]].concat(), Rejection::UnknownVersion);
    for len in 8..good.len() {
        seen.bytes_refused(&mut chain, &good[..len], Rejection::Malformed);
    }
    seen.bytes_refused(&mut chain, &[good.as_slice(), &[0]].concat(), Rejection::TrailingBytes);
    let large = vec![0; 1 + (4 << 20)];
    seen.bytes_refused(&mut chain, &large, Rejection::TooLarge);
    assert_eq!(chain.app.reader().check(&large).unwrap().rejection, Some(Rejection::TooLarge));
}

fn signatures(seen: &mut Seen) {
    let mut chain = Chain::ready();
    let body = chain.body(PAYER, transfer(1));
    let other = Body { chain_id: "assay-other-1".into(), ..body.clone() };
    seen.bytes_refused(&mut chain, &other.clone().sign(&secret(PAYER)).encode(), Rejection::WrongChain);
    // Signed for another chain, and carried over.
    let mut carried = other.sign(&secret(PAYER));
    carried.body.chain_id = CHAIN.into();
    seen.bytes_refused(&mut chain, &carried.encode(), Rejection::BadSignature);
    seen.bytes_refused(&mut chain, &body.clone().sign(&secret(NODE)).encode(), Rejection::BadSignature);
    let mut changed = body.clone().sign(&secret(PAYER));
    changed.body.payload = transfer(2);
    seen.bytes_refused(&mut chain, &changed.encode(), Rejection::BadSignature);
    // A scalar that is not less than the order of the group.
    let mut malleable = body.clone().sign(&secret(PAYER));
    malleable.signature.0[1][31] |= 0xf0;
    seen.bytes_refused(&mut chain, &malleable.encode(), Rejection::BadSignature);
    let as_receipt = secret(PAYER).sign(Domain::Receipt, CHAIN, &body);
    for signature in [as_receipt, Signature([[0; 32]; 2])] {
        let transaction = assay_ledger::tx::Transaction { body: body.clone(), signature };
        seen.bytes_refused(&mut chain, &transaction.encode(), Rejection::BadSignature);
    }
}

fn nonces_and_fees(seen: &mut Seen) {
    let mut chain = Chain::ready();
    let sign = |body: Body| body.sign(&secret(PAYER)).encode();
    let used = chain.tx(PAYER, transfer(1));
    assert_eq!(chain.block(std::slice::from_ref(&used))[0].rejection, None);
    assert_eq!(chain.app.reader().check(&used).unwrap().rejection, Some(Rejection::NonceUsed));
    seen.bytes_refused(&mut chain, &used, Rejection::NonceUsed);
    let body = chain.body(PAYER, transfer(1));
    let ahead = |by| sign(Body { nonce: body.nonce + by, ..body.clone() });
    seen.bytes_refused(&mut chain, &ahead(1), Rejection::NonceAhead);
    // It may wait for those before it, but not for a thousand.
    assert_eq!(chain.app.reader().check(&ahead(1)).unwrap().rejection, None);
    assert_eq!(chain.app.reader().check(&ahead(1 << 10)).unwrap().rejection, Some(Rejection::NonceAhead));
    assert_eq!(
        chain.app.reader().check(&sign(Body { nonce: u64::MAX, ..body.clone() })).unwrap().rejection,
        Some(Rejection::NonceAhead)
    );
    let least = chain.app.reader().rules().fees.least(used.len() as u64);
    seen.bytes_refused(&mut chain, &sign(Body { fee: least - 1, ..body.clone() }), Rejection::FeeTooLow);
    for fee in [chain.account(PAYER).balance + 1, u64::MAX] {
        let dear = sign(Body { fee, ..body.clone() });
        assert_eq!(chain.app.reader().check(&dear).unwrap().rejection, Some(Rejection::InsufficientBalance));
        seen.bytes_refused(&mut chain, &dear, Rejection::InsufficientBalance);
    }
    assert_eq!(chain.block(&[sign(Body { fee: least, ..body })])[0].rejection, None);
}

fn budgets(seen: &mut Seen) {
    let limits = Limits { tx_bytes_max: 2_000, block_bytes_max: 2_000, block_work_max: 700, batch_leaves_max: 2 };
    let mut chain = Chain::of(&RawGenesis { limits, ..genesis() });
    let nonce = chain.account(PAYER).nonce;
    let sign = |chain: &Chain, at: u64, payload| {
        Body { nonce: nonce + at, ..chain.body(PAYER, payload) }.sign(&secret(PAYER)).encode()
    };
    let transactions: Vec<_> = (0..5).map(|at| sign(&chain, at, transfer(1))).collect();
    let unfit = chain.app.process(&transactions, chain.next()).unwrap().unwrap_err();
    assert_eq!((unfit.position, unfit.rejection), (3, Rejection::BlockWork));
    assert_eq!(chain.app.prepare(&transactions, 1 << 20, chain.next()).unwrap(), transactions[..3]);
    let size = transactions[0].len() as u64;
    assert_eq!(chain.app.prepare(&transactions, 2 * size, chain.next()).unwrap(), transactions[..2]);
    let results = chain.block(&transactions);
    let rejections: Vec<_> = results.iter().map(|result| result.rejection).collect();
    assert_eq!(rejections, [None, None, None, Some(Rejection::BlockWork), Some(Rejection::BlockWork)]);
    seen.0.insert(Rejection::BlockWork);
    // What no block can hold may not even wait.
    let batch = assay_ledger::tx::SettleBatch { leaves: vec![leaf(receipt(1)); 2] };
    let works = Limits { block_work_max: 250, ..limits };
    let narrow = Chain::of(&RawGenesis { limits: works, ..genesis() });
    let transaction = narrow.tx(PAYER, Payload::SettleBatch(batch));
    assert_eq!(narrow.app.reader().check(&transaction).unwrap().rejection, Some(Rejection::BlockWork));
    let bytes = Limits { block_work_max: 1 << 20, ..limits };
    let mut chain = Chain::of(&RawGenesis { limits: bytes, ..genesis() });
    let transactions: Vec<_> = (0..20).map(|at| sign(&chain, at, transfer(1))).collect();
    let fit = 2_000 / size as usize;
    assert!(fit < 20);
    let results = chain.block(&transactions);
    assert_eq!(results[fit - 1].rejection, None);
    assert_eq!(results[fit].rejection, Some(Rejection::BlockBytes));
    seen.0.insert(Rejection::BlockBytes);
}

fn money(seen: &mut Seen) {
    let mut chain = Chain::ready();
    let withdraw = |amount| Payload::Withdraw(Withdraw { amount });
    seen.refused(&mut chain, PAYER, withdraw(0), Rejection::ZeroAmount);
    seen.refused(&mut chain, PAYER, deposit(0), Rejection::ZeroAmount);
    seen.refused(&mut chain, PAYER, transfer(0), Rejection::ZeroAmount);
    // -1, as whoever forgets signs would write it, and what is more than there is.
    for amount in [u64::MAX, 1 << 63, SUPPLY, chain.account(PAYER).balance] {
        seen.refused(&mut chain, PAYER, transfer(amount), Rejection::InsufficientBalance);
        seen.refused(&mut chain, PAYER, deposit(amount), Rejection::InsufficientBalance);
        seen.refused(&mut chain, PAYER, withdraw(amount), Rejection::InsufficientEscrow);
    }
}
