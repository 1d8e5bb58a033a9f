//! What must be at the end: equal states, every acknowledged settlement, all of the money.
use assay_ledger::client::{Client, Root};
use assay_verifier::receipt::RequestId;
use assay_verifier::settlement::keys;
use assay_verifier::settlement::light::{self, Clock, Trusted};
use assay_verifier::settlement::payment::{Account, Reservation, Settlement, Totals};

use crate::load::Settled;
use crate::network::{NODES, until};
use crate::people::{ALL, BALANCE, CHAIN, DEPOSIT, STAKE, Who, key};
use crate::request::{AMOUNT, PRICE};

pub fn check(clients: &[Client], genesis: light::Root, settled: &Settled, forged: &[RequestId]) {
    let newest = settled.values().max().expect("something was settled");
    let root = common(clients, *newest);
    // Who joined late has no block before the state that it began with.
    for client in &clients[..NODES] {
        followed(client, genesis, &root, settled);
    }
    settlements(clients, &root, settled, forged);
    money(&clients[0], &root, settled, forged.len() as u64);
    events(clients, root.height, settled);
}

/// A state that all have, by one header: each application proves the same record of it, which it only can from the same tree.
fn common(clients: &[Client], newest: u64) -> Root {
    let last = || clients.iter().map(|client| client.last().expect("the validator answers").height);
    until("all have the newest settlement", || last().all(|height| height >= newest));
    let height = last().min().expect("there are validators");
    until("all have the next header", || clients.iter().all(|client| client.header(Some(height + 1)).is_ok()));
    let root = clients[0].header(Some(height + 1)).expect("it was there").root();
    for client in clients {
        assert_eq!(client.header(Some(height + 1)).expect("it is everywhere").root(), root);
        let totals: Option<Totals> = client.record(keys::TOTALS, &root).expect("the state is the same");
        assert!(totals.is_some());
    }
    root
}

/// Who has nothing but the genesis is shown a settlement, by the blocks that a node gives and what they prove.
fn followed(client: &Client, genesis: light::Root, root: &Root, settled: &Settled) {
    let block = |height| client.light_bytes(height).expect("it is there").decode().expect("it is a block");
    let header = block(root.height + 1);
    let clock = Clock { now_ms: header.time_ms(), trusting_ms: 86_400_000, drift_ms: 1_000 };
    let trusted = Trusted::begin(CHAIN, genesis, block(1)).expect("it is of the genesis");
    let trusted = trusted.advance(header, &clock).expect("validators have signed it");
    let (request, _) = settled.first_key_value().expect("something was settled");
    let shown = client.proven(&keys::settlement(*request), root).expect("it is proven");
    assert_eq!((shown.app_hash, shown.value.is_some()), (trusted.app_hash(), true));
    assert_eq!(trusted.includes(shown.height, &shown.key, shown.value.as_deref(), &shown.proof), Ok(()));
}

/// Each acknowledged settlement is proven, by one validator or another.
fn settlements(clients: &[Client], root: &Root, settled: &Settled, forged: &[RequestId]) {
    for (client, (request, height)) in clients.iter().cycle().zip(settled) {
        let found: Option<Settlement> = client.record(&keys::settlement(*request), root).expect("it is proven");
        let settlement = found.unwrap_or_else(|| panic!("{request} was acknowledged and is lost"));
        let Settlement { price, returned, payee, .. } = settlement;
        assert_eq!((settlement.height, price, returned, payee), (*height, PRICE, AMOUNT - PRICE, key(Who::Payee)));
        assert!(settlement.proof.is_some());
    }
    for (client, forged) in clients.iter().flat_map(|client| forged.iter().map(move |forged| (client, *forged))) {
        let found: Option<Settlement> = client.record(&keys::settlement(forged), root).expect("it is proven");
        assert_eq!(found, None, "a forged proof was paid for");
        let open: Option<Reservation> = client.record(&keys::reservation(forged), root).expect("it is proven");
        assert!(open.is_some());
    }
}

/// Accounts add up to the totals, the totals to what the genesis gave, and earnings to what was settled.
fn money(client: &Client, root: &Root, settled: &Settled, forged: u64) {
    let account = |who: Who| -> Account {
        client.record(&keys::account(key(who)), root).expect("it is proven").unwrap_or_default()
    };
    let accounts = ALL.map(account);
    let totals: Totals = client.record(keys::TOTALS, root).expect("it is proven").expect("there are totals");
    assert_eq!(totals.supply(), u128::from(5 * BALANCE));
    assert_eq!(accounts.iter().map(|account| account.balance).sum::<u64>(), totals.balances);
    assert_eq!(accounts.iter().map(|account| account.escrow).sum::<u64>(), totals.escrows);
    assert_eq!(totals.stakes, STAKE);
    // Forged requests are the only ones that are open.
    assert_eq!(totals.reserved, forged * AMOUNT);
    let earned = PRICE * settled.len() as u64;
    assert_eq!(account(Who::Payee), Account { balance: earned, ..Account::default() });
    assert_eq!(account(Who::Payer).escrow, DEPOSIT - forged * AMOUNT - earned);
    // What is refused by proposers costs nothing.
    assert_eq!(account(Who::Forger), Account { balance: BALANCE, ..Account::default() });
}

/// Who follows events sees each settlement once, also from another validator halfway.
fn events(clients: &[Client], height: u64, settled: &Settled) {
    let mut watch = clients[1].watch(1);
    let mut seen = Settled::new();
    while watch.position() <= height {
        if watch.position() == height / 2 {
            watch = watch.switch(&clients[2]);
        }
        let block = watch.poll().expect("the validator answers").expect("the block is there");
        for event in block.transactions.iter().flat_map(|outcome| &outcome.events) {
            if event.kind == "settle" {
                let request: RequestId = event.get("request").expect("settlements name it").parse().expect("an id");
                assert_eq!(seen.insert(request, block.height), None, "{request} was settled twice");
            }
        }
    }
    assert_eq!(seen, *settled);
}
