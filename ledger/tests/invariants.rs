//! Whatever is sent, in whatever order: money is conserved, nothing panics, and replay gives the same app hash on every node.
mod common;

use assay_ledger::App;
use assay_ledger::Options;
use assay_ledger::tx::{
    BlockTime, DeprecateModel, DeregisterNode, Heartbeat, Payload, PenaliseSample, Refund, ReleaseStake, SettleBatch,
    Transfer, Withdraw,
};
use assay_verifier::settlement::node::Stake;
use assay_verifier::settlement::payment::{Account, Reservation, Totals};
use assay_verifier::settlement::{decode, keys};
use common::*;
use proptest::prelude::*;

/// Amounts that are zero, small, about what people have, and absurd (what a negative number looks like among them).
fn amount() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..3, 50u64..500, 900_000u64..1_100_000, Just(u64::MAX), Just(u64::MAX - 9_999), any::<u64>()]
}

fn payload() -> impl Strategy<Value = Payload> {
    let number = || 0u64..4;
    prop_oneof![
        (1u8..6, amount()).prop_map(|(to, amount)| Payload::Transfer(Transfer { to: key(to), amount })),
        amount().prop_map(deposit),
        amount().prop_map(|amount| Payload::Withdraw(Withdraw { amount })),
        amount().prop_map(|stake| match register() {
            Payload::RegisterNode(mut register) => {
                register.node.stake = stake;
                Payload::RegisterNode(register)
            }
            other => other,
        }),
        Just(register()),
        Just(Payload::Heartbeat(Heartbeat {})),
        Just(Payload::DeregisterNode(DeregisterNode { reason: String::new() })),
        (1u64..60).prop_map(|from| Payload::DeprecateModel(DeprecateModel {
            model: model(),
            from,
            reason: "x".into()
        })),
        Just(publish("model", "1")),
        (number(), amount(), 0u64..60_000).prop_map(|(number, amount, deadline_ms)| {
            reserve(assay_verifier::settlement::payment::Authorisation { amount, deadline_ms, ..authorisation(number) })
        }),
        number().prop_map(|number| reserve(authorisation(number))),
        (number(), amount())
            .prop_map(|(number, price)| { settle(assay_verifier::receipt::Receipt { price, ..receipt(number) }) }),
        number().prop_map(|number| settle(receipt(number))),
        proptest::collection::vec((number(), 0u64..120), 0..4).prop_map(|leaves| {
            let leaf = |(number, price)| leaf(assay_verifier::receipt::Receipt { price, ..receipt(number) });
            Payload::SettleBatch(SettleBatch { leaves: leaves.into_iter().map(leaf).collect() })
        }),
        number().prop_map(|number| Payload::Refund(Refund { request: receipt(number).request })),
        Just(Payload::ReleaseStake(ReleaseStake {})),
        number().prop_map(|number| Payload::PenaliseSample(PenaliseSample { request: receipt(number).request })),
    ]
}

/// A transaction: who, what, which nonce apart from the right one, which fee.
fn sent() -> impl Strategy<Value = (u8, Payload, u64, u64)> {
    let nonce = prop_oneof![20 => Just(0u64), 1 => 1u64..3, 1 => Just(u64::MAX)];
    let fee = prop_oneof![20 => Just(FEE), 1 => amount()];
    // As a rule the one who can do it.
    (prop_oneof![3 => Just(0u8), 1 => 1u8..6], payload(), nonce, fee).prop_map(|(who, payload, nonce, fee)| {
        let usual = match &payload {
            Payload::RegisterNode(_)
            | Payload::Heartbeat(_)
            | Payload::DeregisterNode(_)
            | Payload::ReleaseStake(_) => NODE,
            Payload::PublishModel(_) | Payload::DeprecateModel(_) => PUBLISHER,
            _ => PAYER,
        };
        (if who == 0 { usual } else { who }, payload, nonce, fee)
    })
}

/// All money, summed up over the records, kind by kind.
fn totals(chain: &Chain) -> Totals {
    let mut totals: Totals = Totals { fees: chain.read::<Totals>(keys::TOTALS).unwrap().fees, ..Totals::default() };
    for (key, value) in chain.records() {
        if key.starts_with(b"account/") {
            let account: Account = decode(&value).unwrap();
            totals.balances += account.balance;
            totals.escrows += account.escrow;
        } else if key.starts_with(b"reservation/") {
            totals.reserved += decode::<Reservation>(&value).unwrap().authorisation.amount;
        } else if key.starts_with(b"stake/") {
            totals.stakes += decode::<Stake>(&value).unwrap().amount;
        }
    }
    totals
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn money_is_conserved_and_replay_agrees(
        blocks in proptest::collection::vec((proptest::collection::vec(sent(), 0..6), 1u64..9_000, any::<bool>()), 1..12)
    ) {
        let mut chain = Chain::ready();
        let mut history: Vec<(BlockTime, Vec<Vec<u8>>)> = Vec::new();
        for (transactions, step, restart) in blocks {
            let mut nonces = std::collections::BTreeMap::new();
            let mut encoded = Vec::new();
            for (who, payload, ahead, fee) in transactions {
                let nonce = nonces.entry(who).or_insert_with(|| chain.account(who).nonce);
                let mut body = chain.body(who, payload);
                body.nonce = nonce.wrapping_add(ahead);
                body.fee = fee;
                *nonce += u64::from(ahead == 0 && fee == FEE);
                encoded.push(body.sign(&secret(who)).encode());
            }
            let block = BlockTime { time_ms: chain.app.last_time_ms() + step, ..chain.next() };
            // What a proposer would choose, everybody accepts.
            let chosen = chain.app.prepare(&encoded, 1 << 20, block).unwrap();
            prop_assert_eq!(chain.app.process(&chosen, block).unwrap(), Ok(()));
            chain.block_at(block, &encoded);
            history.push((block, encoded));
            let found = totals(&chain);
            prop_assert_eq!(found, chain.read::<Totals>(keys::TOTALS).unwrap());
            prop_assert_eq!(found.supply(), u128::from(SUPPLY));
            if restart {
                chain = chain.restart();
            }
        }
        // Another node, without verdicts, and with another idea of how long to keep the past.
        let options = Options { pruning_depth: 1, threads: 1, ..Options::usual(&chain.folder.path().join("other")) };
        let mut replayed = App::open(&chain.genesis, &options).unwrap();
        for (block, transactions) in ready_blocks().iter().chain(&history) {
            replayed.finalize(transactions, *block, hash(block.height)).unwrap();
            replayed.commit().unwrap();
        }
        prop_assert_eq!(replayed.last(), chain.app.last());
    }
}

/// The blocks that [`Chain::ready`] begins with.
fn ready_blocks() -> Vec<(BlockTime, Vec<Vec<u8>>)> {
    let people = [(NODE, register()), (PUBLISHER, publish("model", "1")), (PAYER, deposit(1_000))];
    let chain = Chain::new();
    let block = |(at, (who, payload)): (usize, (u8, Payload))| {
        let height = at as u64 + 1;
        (BlockTime { height, time_ms: height * STEP_MS }, vec![chain.tx(who, payload)])
    };
    people.into_iter().enumerate().map(block).collect()
}
