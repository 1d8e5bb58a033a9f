//! Is what rested on the node's word and was drawn proven after all, and does it cost stake if it is not?
use assay_ledger::tx::{Deposit, Payload, PenaliseSample};
use assay_service::clock::now_ms;
use assay_service::jobs::states::{Payment, Proving, Settlement};
use assay_service::ledger::embedded::Start;
use assay_service::ledger::{Ledger, read};
use assay_service::settle::Rounds;
use assay_service::settle::bundle::Show;
use assay_verifier::audit::{Check, Scope};
use assay_verifier::receipt::{Backend, RequestId};
use assay_verifier::settlement::keys;
use assay_verifier::settlement::node::Stake;
use assay_verifier::settlement::sampling::{Outcome, Sample, Sampling, WHOLE_PPM};

use crate::bundles::{audited, failed, of};
use crate::model::model;
use crate::requests::{PRICE, Request};
use crate::world::*;

/// Everything is drawn.
fn all(blocks: u64) -> Start {
    Start { sampling: Sampling { share_ppm: WHOLE_PPM, blocks, cut: 500 }, ..start() }
}

fn sample(world: &World, id: RequestId) -> Option<Sample> {
    read(&*world.ledger, &keys::sample(id)).unwrap()
}

fn settlement(world: &World, id: RequestId) -> Settlement {
    world.job(id).states.settlement
}

#[test]
fn what_is_drawn_is_proven_after_all_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let start = all(1_000);
    let world = World::ready_with(folder.path(), &start);
    let requests = [1, 2, 3].map(|number| Request::new(number, Backend::Vanilla));
    let proven = Request::new(4, Backend::Zkml).finish(&world);
    let ids = requests.map(|request| request.finish(&world));
    world.round_until("they are drawn", || {
        settlement(&world, proven) == Settlement::Verified
            && ids.iter().all(|id| settlement(&world, *id) == Settlement::Challenged)
    });
    for id in ids {
        let job = world.job(id);
        assert_eq!((job.states.proof, job.states.payment), (Proving::Queued, Payment::Captured));
        assert_eq!(job.proving, Some(model().proving()));
        assert!(!job.states.over());
    }
    // Settled money is the node's; proofs are shown by whoever has them, in this life or the next.
    requests[0].prove(&world, &requests[0].proof());
    let mut rounds = Rounds::new(world.parts());
    rounds.round(now_ms()).unwrap();
    drop((rounds, world));
    let world = World::open_with(folder.path(), &start);
    requests[1].prove(&world, &requests[1].proof());
    // A proof that is no good for the ledger changes nothing.
    requests[2].prove(&world, &requests[0].proof());
    world.round_until("two are proven", || ids[..2].iter().all(|id| settlement(&world, *id) == Settlement::Verified));
    for id in &ids[..2] {
        let key = model().proving().key;
        assert!(matches!(sample(&world, *id).unwrap().outcome, Outcome::Proven(_, found) if found == key));
        assert!(world.job(*id).states.over());
        let report = audited(&world, &of(&world, &world.job(*id), Show::Public), Scope::Settled);
        assert!(report.holds() && report.is_shown(Check::Sample), "{:?}", report.rows);
    }
    world.round_until("one is refused", || {
        world.job(ids[2]).failure.is_some_and(|failure| failure.code == "ProofInputs")
    });
    assert_eq!((settlement(&world, ids[2]), sample(&world, ids[2])), (Settlement::Challenged, None));
    assert_eq!(sample(&world, proven), None);
    world.check_money(4 * PRICE, 0);
}

#[test]
fn what_is_drawn_and_not_proven_costs_stake() {
    let folder = tempfile::tempdir().unwrap();
    let start = all(4);
    let world = World::ready_with(folder.path(), &start);
    let id = Request::new(1, Backend::Vanilla).finish(&world);
    world.round_until("it is drawn", || settlement(&world, id) == Settlement::Challenged);
    let payer = sender(&world.ledger, Who::Payer);
    let last = start.sampling.last(world.job(id).settled.unwrap().height);
    while world.ledger.height().unwrap() <= last {
        done(&payer, Payload::Deposit(Deposit { amount: 1 }));
    }
    done(&payer, Payload::PenaliseSample(PenaliseSample { request: id }));
    world.round_until("it is rejected", || settlement(&world, id) == Settlement::Rejected);
    let job = world.job(id);
    assert_eq!(job.failure.unwrap().code, "sample_missed");
    let stake: Stake = read(&*world.ledger, &keys::stake(key(Who::Node))).unwrap().unwrap();
    assert_eq!(stake.amount, STAKE - 500);
    assert_eq!(sample(&world, id).unwrap().outcome, Outcome::Missed(500));
    let bundle = of(&world, &world.job(id), Show::Public);
    assert_eq!(failed(&audited(&world, &bundle, Scope::Settled)), ["sample"]);
}
