//! Proposers and validators: what is proposed is accepted, what was forged is not, and verdicts that are known save work and change nothing.
mod common;

use assay_ledger::Rejection;
use assay_ledger::app::Unfit;
use assay_ledger::genesis::RawGenesis;
use assay_ledger::state::StoreError;
use assay_ledger::tx::{Evidence, Payload, Settle, SettleBatch, Transfer};
use assay_ledger::verdicts::{Full, Pool, Task, Verdicts};
use assay_verifier::settlement::{keys, payment::Settlement};
use assay_verifier::wire::Bytes;
use common::*;

fn ready() -> Chain {
    ready_for("sumcheck")
}

/// A chain with all golden requests of an engine reserved; those of the other have the same ids.
fn ready_for(engine: &str) -> Chain {
    let mut chain = Chain::of(&RawGenesis { srs: vec![golden::srs().to_string()], ..genesis() });
    chain.good(NODE, register());
    chain.good(PAYER, deposit(10_000));
    for (engine, _) in golden::ENGINES {
        chain.good(PUBLISHER, golden::publish(engine));
    }
    let count = golden::ENGINES.into_iter().find_map(|(name, count)| (name == engine).then_some(count)).unwrap();
    for number in 0..count {
        chain.good(PAYER, reserve(golden::authorisation(engine, number)));
    }
    chain
}

fn forged(engine: &str) -> Settle {
    let mut file = golden::proof(engine, 0);
    let last = file.len() - 9;
    file[last] ^= 1;
    Settle { evidence: Evidence::Proof(Bytes(file)), ..golden::leaf(engine, 0) }
}

#[test]
fn a_proposal_with_a_forged_proof_is_refused_by_everybody() {
    let chain = ready();
    let good = chain.tx(PAYER, Payload::Transfer(Transfer { to: key(NODE), amount: 1 }));
    let bad = chain.tx(NODE, Payload::Settle(Box::new(forged("sumcheck"))));
    let proposal = [good.clone(), bad.clone()];
    for _ in 0..2 {
        let verdict = chain.app.process(&proposal, chain.next()).unwrap();
        let unfit = verdict.unwrap_err();
        assert_eq!(unfit.position, 1);
        assert!(matches!(unfit.rejection, Rejection::ProofRefused | Rejection::ProofMalformed));
    }
    // An honest proposer leaves it out; now that the verdict is known, it may not even wait.
    assert_eq!(chain.app.prepare(&proposal, 1 << 20, chain.next()).unwrap(), [good]);
    assert!(chain.app.reader().check(&bad).unwrap().rejection.is_some());
    assert_eq!(
        chain.app.process(&[vec![1, 2, 3]], chain.next()).unwrap(),
        Err(Unfit { position: 0, rejection: Rejection::UnknownVersion })
    );
}

#[test]
fn proofs_are_judged_by_the_pool_before_their_block() {
    let mut chain = ready();
    let reader = chain.app.reader().clone();
    let pool = Pool::new(2, 8, reader.verdicts(), reader.store()).unwrap();
    let transaction = chain.tx(NODE, golden::settle("sumcheck", 0));
    let checked = reader.check(&transaction).unwrap();
    assert_eq!((checked.rejection, checked.tasks.len()), (None, 1));
    let task = checked.tasks.into_iter().next().unwrap();
    assert_eq!(reader.verdicts().known(&task), None);
    pool.submit(vec![task.clone()]).unwrap();
    // Dropping the pool waits until what it was given is judged.
    drop(pool);
    assert!(reader.verdicts().known(&task).unwrap().is_ok());
    // Nothing is left to do for the same transaction.
    assert!(reader.check(&transaction).unwrap().tasks.is_empty());
    assert_eq!(chain.block(&[transaction])[0].rejection, None);
}

#[test]
fn a_full_pool_says_so() {
    let chain = ready();
    let reader = chain.app.reader();
    // Without threads the one place is taken for good.
    let pool = Pool::new(0, 1, reader.verdicts(), reader.store()).unwrap();
    let proofs = || vec![Task::new(golden::key("sumcheck").digest(), b"not a proof")];
    assert_eq!([pool.submit(proofs()), pool.submit(proofs()), pool.submit(Vec::new())], [Ok(()), Err(Full), Ok(())]);
}

/// Proofs of a batch are verified together where the engine can do that, and refused one by one.
#[test]
fn a_batch_of_proofs_settles_what_holds() {
    for (engine, count) in golden::ENGINES {
        let mut chain = ready_for(engine);
        let mut leaves = vec![forged(engine)];
        leaves.extend((1..count).map(|number| golden::leaf(engine, number)));
        let transaction = chain.tx(NODE, Payload::SettleBatch(SettleBatch { leaves }));
        assert_eq!(chain.app.process(std::slice::from_ref(&transaction), chain.next()).unwrap(), Ok(()));
        let result = chain.block(&[transaction]).remove(0);
        let codes: Vec<u32> = result.data.as_chunks::<4>().0.iter().map(|code| u32::from_le_bytes(*code)).collect();
        assert_eq!((result.rejection, &codes[1..]), (None, &vec![0; codes.len() - 1][..]));
        let refused = Rejection::of_code(codes[0]);
        assert!(matches!(refused, Some(Rejection::ProofRefused | Rejection::ProofMalformed)), "{refused:?}");
        for number in 0..count {
            let request = golden::receipt(engine, number).receipt.request;
            assert_eq!(chain.read::<Settlement>(&keys::settlement(request)).is_some(), number != 0);
        }
        chain.good(NODE, golden::settle(engine, 0));
    }
}

#[test]
fn verdicts_depend_on_nothing_that_is_cached() -> Result<(), StoreError> {
    let chain = ready();
    let state = chain.app.reader().store().snapshot()?;
    let key = golden::key("sumcheck").digest();
    let tasks: Vec<Task> = (0..3).map(|number| Task::new(key, &golden::proof("sumcheck", number))).collect();
    // A cache of one entry, of many, and many threads.
    let (small, large) = (Verdicts::new(1, 1), Verdicts::new(100, 10));
    large.judge_all(&state, &[tasks.clone(), tasks.clone()], 3)?;
    for task in tasks.iter().chain(&tasks) {
        let known = large.known(task).unwrap();
        assert_eq!((small.judge(&state, task)?, known.is_ok()), (known, true));
    }
    assert_eq!(tasks.iter().filter(|task| small.known(task).is_some()).count(), 1);
    // A key that is not registered is no verdict that lasts.
    let early = Task::new(assay_verifier::digest::KeyDigest([1; 32]), &golden::proof("sumcheck", 0));
    assert_eq!(large.judge(&state, &early)?, Err(Rejection::ReceiptKey));
    assert_eq!(large.known(&early), None);
    Ok(())
}

#[test]
fn a_reader_is_for_many_threads_while_one_task_owns_the_app() {
    fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    fn owned<T: Send + 'static>(_: &T) {}
    let mut chain = ready();
    owned(&chain.app);
    shared(chain.app.reader());
    let (reader, next) = (chain.app.reader().clone(), chain.next());
    let transaction = chain.tx(PAYER, Payload::Transfer(Transfer { to: key(NODE), amount: 1 }));
    chain.app.finalize(std::slice::from_ref(&transaction), next, hash(next.height)).unwrap();
    // Until the commit, readers see the state before the block.
    assert_eq!(reader.check(&transaction).unwrap().rejection, None);
    let reading = std::thread::spawn({
        let (reader, transaction) = (reader.clone(), transaction.clone());
        move || (0..50).all(|_| reader.check(&transaction).unwrap().work > 0)
    });
    chain.app.commit().unwrap();
    assert!(reading.join().unwrap());
    assert_eq!(reader.check(&transaction).unwrap().rejection, Some(Rejection::NonceUsed));
}
