//! Shares are fair within the stated bound, deadlines are met where they can be, nothing is lost or given twice.
use std::collections::{BTreeMap, BTreeSet};

use assay_service::jobs::{Able, Account, Entry, Owner, Queue, Rules};
use proptest::prelude::*;

use super::sample::{START, id, key, public};

fn entry(number: u64, account: u8, model: u8, cost_us: u64) -> Entry {
    let account = Account { owner: Owner(format!("owner {account}")), payer: public(account) };
    let (deadline_ms, not_before_ms) = (None, 0);
    Entry { id: id(number), number, account, key: key(model), cost_us, deadline_ms, not_before_ms }
}

fn take(queue: &mut Queue, able: &Able, now_ms: u64) -> Option<Entry> {
    queue.take(able, now_ms, &Rules::default())
}

#[test]
fn within_an_account_and_a_model_the_order_is_that_of_acceptance() {
    let mut queue = Queue::default();
    for number in [3, 1, 2] {
        queue.insert(entry(number, 1, 1, 10_000));
    }
    let order: Vec<u64> =
        std::iter::from_fn(|| take(&mut queue, &Able::default(), START)).map(|entry| entry.number).collect();
    assert_eq!(order, [1, 2, 3]);
    assert!(queue.is_empty());
}

#[test]
fn a_backlog_does_not_hold_up_another_account() {
    let mut queue = Queue::default();
    (1..=1_000).for_each(|number| queue.insert(entry(number, 1, 1, 50_000)));
    for _ in 0..100 {
        take(&mut queue, &Able::default(), START).unwrap();
    }
    queue.insert(entry(2_000, 2, 1, 50_000));
    let standing = queue.standing(id(2_000)).unwrap();
    assert!(standing.ahead <= 1, "{standing:?}");
    let next: Vec<u64> = (0..2).map(|_| take(&mut queue, &Able::default(), START).unwrap().number).collect();
    assert!(next.contains(&2_000), "{next:?}");
}

#[test]
fn a_slow_model_does_not_hold_up_a_fast_one_of_the_same_account() {
    let mut queue = Queue::default();
    (1..=100).for_each(|number| queue.insert(entry(number, 1, 1, 10_000_000)));
    (101..=200).for_each(|number| queue.insert(entry(number, 1, 2, 10_000)));
    let begun: Vec<u8> = (0..102).map(|_| take(&mut queue, &Able::default(), START).unwrap().key.0[0]).collect();
    // All the fast ones together cost a tenth of a slow one.
    assert!(begun.iter().filter(|model| **model == 2).count() >= 99, "{begun:?}");
}

#[test]
fn who_was_away_has_saved_nothing_up() {
    let mut queue = Queue::default();
    (1..=10).for_each(|number| queue.insert(entry(number, 2, 1, 50_000)));
    (101..=300).for_each(|number| queue.insert(entry(number, 1, 1, 50_000)));
    // The second account has its ten, is away for long, and comes back with many.
    for _ in 0..120 {
        take(&mut queue, &Able::default(), START).unwrap();
    }
    (1_001..=1_100).for_each(|number| queue.insert(entry(number, 2, 1, 50_000)));
    let begun: Vec<u8> =
        (0..20).map(|_| take(&mut queue, &Able::default(), START).unwrap().account.payer.0[0]).collect();
    let back = begun.iter().filter(|account| **account == 2).count();
    assert!((9..=11).contains(&back), "{begun:?}");
}

#[test]
fn a_near_deadline_goes_first_but_buys_no_more_than_the_bound() {
    let rules = Rules::default();
    let mut queue = Queue::default();
    (1..=500).for_each(|number| queue.insert(entry(number, 1, 1, 1_000_000)));
    let near = START + 3_000;
    queue.insert(Entry { deadline_ms: Some(near), ..entry(900, 1, 1, 1_000_000) });
    assert_eq!(take(&mut queue, &Able::default(), START).unwrap().number, 900);
    // An account that calls everything urgent gets ahead by the bound and by one job.
    let mut queue = Queue::default();
    (1..=500).for_each(|number| queue.insert(entry(number, 1, 1, 1_000_000)));
    (501..=1_000).for_each(|number| queue.insert(Entry { deadline_ms: Some(near), ..entry(number, 2, 1, 1_000_000) }));
    let begun: Vec<u8> =
        (0..100).map(|_| take(&mut queue, &Able::default(), START).unwrap().account.payer.0[0]).collect();
    let urgent = begun.iter().filter(|account| **account == 2).count() as u64;
    assert!(urgent <= 50 + rules.urgent_ahead_ms / 1_000 + 2, "{urgent}");
    assert_eq!(
        queue.late(near),
        (501..=1_000).filter(|n| queue.standing(id(*n)).is_some()).map(id).collect::<Vec<_>>()
    );
}

#[test]
fn a_loaded_model_is_preferred_within_the_bound() {
    let mut queue = Queue::default();
    (1..=100).for_each(|number| queue.insert(entry(number, 1, 1, 100_000)));
    (101..=200).for_each(|number| queue.insert(entry(number, 2, 2, 100_000)));
    let able = Able { loaded: vec![key(2)], barred: vec![] };
    let begun: Vec<u8> = (0..100).map(|_| take(&mut queue, &able, START).unwrap().key.0[0]).collect();
    let first = begun.iter().position(|model| *model == 1).unwrap();
    assert!((10..=22).contains(&first), "{begun:?}");
    let loaded = begun.iter().filter(|model| **model == 2).count();
    assert!((50..=62).contains(&loaded), "{loaded}");
}

#[test]
fn what_a_worker_must_not_have_stays() {
    let mut queue = Queue::default();
    queue.insert(entry(1, 1, 1, 1_000));
    let able = Able { loaded: vec![key(1)], barred: vec![key(1)] };
    assert!(take(&mut queue, &able, START).is_none());
    assert_eq!(take(&mut queue, &Able::default(), START).unwrap().number, 1);
}

#[test]
fn nothing_is_begun_before_its_time() {
    let mut queue = Queue::default();
    queue.insert(Entry { not_before_ms: START + 100, ..entry(1, 1, 1, 1_000) });
    assert!(take(&mut queue, &Able::default(), START + 99).is_none());
    assert!(!queue.ripe());
    assert_eq!(take(&mut queue, &Able::default(), START + 100).unwrap().number, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Two accounts that both wait all the time get the same, up to one job of each and the two bounds.
    #[test]
    fn shares_are_fair(
        costs in prop::collection::vec((0u8..4, 0u8..3, 1_000u64..3_000_000, prop::option::of(0u64..60_000)), 40..200),
        loaded in prop::collection::vec(0u8..3, 0..3),
    ) {
        let rules = Rules::default();
        let mut queue = Queue::default();
        let (mut left, mut largest) = (BTreeMap::new(), BTreeMap::new());
        for (number, (account, model, cost_us, deadline)) in (1..).zip(&costs) {
            let deadline_ms = deadline.map(|after| START + 3_000 + after);
            queue.insert(Entry { deadline_ms, ..entry(number, *account, *model, *cost_us) });
            *left.entry(*account).or_insert(0) += 1;
            let most = largest.entry(*account).or_insert(0);
            *most = (*cost_us).max(*most);
        }
        let able = Able { loaded: loaded.iter().map(|model| key(*model)).collect(), barred: vec![] };
        let (mut begun, mut given) = (BTreeMap::<u8, u64>::new(), BTreeSet::new());
        let bound = 1_000 * (rules.urgent_ahead_ms + rules.loaded_ahead_ms);
        while let Some(entry) = queue.take(&able, START, &rules) {
            prop_assert!(given.insert(entry.number), "given twice");
            let account = entry.account.payer.0[0];
            *begun.entry(account).or_default() += entry.cost_us;
            *left.get_mut(&account).unwrap() -= 1;
            for (a, b) in left.keys().flat_map(|a| left.keys().map(move |b| (*a, *b))) {
                let (of_a, of_b) = (begun.get(&a).copied().unwrap_or(0), begun.get(&b).copied().unwrap_or(0));
                if left[&b] > 0 {
                    prop_assert!(of_a <= of_b + largest[&a] + largest[&b] + bound, "{a}: {of_a}, {b}: {of_b}");
                }
            }
        }
        prop_assert_eq!(given.len(), costs.len());
    }

    /// Whatever is added and removed, the queue holds what a simple list holds.
    #[test]
    fn nothing_is_lost(steps in prop::collection::vec((0u8..4, 1u64..40, 0u8..3, 0u8..3, 0u64..500), 1..200)) {
        let mut queue = Queue::default();
        let (mut model, mut now) = (BTreeMap::new(), START);
        for (step, number, account, key, time) in steps {
            match step {
                0 => {
                    queue.insert(Entry { not_before_ms: time * (START + time), ..entry(number, account, key, 1_000 * time) });
                    model.insert(number, time * (START + time));
                }
                1 => prop_assert_eq!(queue.remove(id(number)).is_some(), model.remove(&number).is_some()),
                2 => now += time,
                _ => match queue.take(&Able::default(), now, &Rules::default()) {
                    Some(entry) => prop_assert!(model.remove(&entry.number).is_some_and(|time| time <= now)),
                    None => prop_assert!(model.values().all(|time| *time > now)),
                },
            }
            prop_assert_eq!(queue.len(), model.len());
            model.keys().for_each(|number| assert!(queue.standing(id(*number)).is_some()));
        }
    }
}
