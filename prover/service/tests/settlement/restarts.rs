//! Does the settler go on wherever it was stopped? What it has on its way is in memory, and lost with each stop.
use assay_service::clock::now_ms;
use assay_service::jobs::states::{Payment, Settlement};
use assay_service::ledger::Ledger;
use assay_service::ledger::embedded::Start;
use assay_service::settle::Rounds;
use assay_verifier::receipt::{Backend, RequestId};
use std::path::Path;
use std::time::Duration;

use crate::requests::{PRICE, Request};
use crate::world::*;

/// One life: some rounds, then more blocks without any, then the end. Where no blocks are wanted, none is made.
fn live(folder: &Path, rounds: usize, blocks: u64) {
    let interval = if blocks == 0 { Duration::from_secs(3_600) } else { Duration::from_millis(20) };
    let world = World::open_with(folder, &Start { interval, ..start() });
    let mut settling = Rounds::new(world.parts());
    for _ in 0..rounds {
        settling.round(now_ms()).unwrap();
    }
    if blocks > 0 {
        let height = world.ledger.height().unwrap();
        // Where nothing is on its way there are no blocks either.
        let _ = world.ledger.wait_height(height + blocks, Duration::from_millis(300)).unwrap();
    }
}

fn state(folder: &Path, id: RequestId) -> (Settlement, Payment) {
    let states = World::open(folder).job(id).states;
    (states.settlement, states.payment)
}

#[test]
fn it_goes_on_wherever_it_was_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let id = {
        let world = World::ready(folder);
        let id = Request::new(1, Backend::Zkml).finish(&world);
        Request::new(2, Backend::Vanilla).finish(&world);
        id
    };
    assert_eq!(state(folder, id), (Settlement::None, Payment::Reserved));
    // Handed in, and lost with the chain's memory: again and again.
    for _ in 0..3 {
        live(folder, 1, 0);
        assert_eq!(state(folder, id), (Settlement::Submitted, Payment::Reserved));
    }
    // In a block, and nobody looked.
    live(folder, 1, 2);
    assert_eq!(state(folder, id), (Settlement::Submitted, Payment::Reserved));
    // The ledger is asked before anything is handed in again.
    live(folder, 1, 0);
    let (settlement, _) = state(folder, id);
    assert!(matches!(settlement, Settlement::Included | Settlement::Verified), "{settlement}");
    live(folder, 3, 0);
    assert_eq!(state(folder, id), (Settlement::Verified, Payment::Captured));
    let world = World::open(folder);
    world.round_until("the other one is verified", || {
        world.job(Request::new(2, Backend::Vanilla).id()).states.settlement == Settlement::Verified
    });
    world.check_money(2 * PRICE, 0);
}

#[test]
fn lives_of_any_length_end_well() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let ids: Vec<RequestId> = {
        let world = World::ready(folder);
        (1..=8).map(|number| Request::new(number, Backend::Vanilla).finish(&world)).collect()
    };
    for life in 0..10 {
        live(folder, life % 4, (life % 3) as u64);
    }
    let world = World::open(folder);
    world.round_until("all are verified", || ids.iter().all(|id| world.job(*id).states.payment == Payment::Captured));
    world.check_money(8 * PRICE, 0);
}
