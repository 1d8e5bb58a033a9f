//! Is the chain in a folder the same one ever after?
use std::time::Duration;

use assay_ledger::tx::{Deposit, Payload};
use assay_service::ledger::embedded::{Chain, Start, TRUST};
use assay_service::ledger::{Ledger, LedgerError, path};
use assay_verifier::settlement::keys;

use crate::world::*;

#[test]
fn it_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = chain(folder.path());
    done(&sender(&ledger, Who::Payer), Payload::Deposit(Deposit { amount: 7 }));
    let (trust, rules) = (ledger.trust().clone(), ledger.rules().clone());
    assert!(ledger.wait_height(2, LONGEST).unwrap(), "one more block proves the state after the first");
    drop(ledger);
    // Nothing but the interval of a later start counts.
    let other = Start { chain_id: "other".into(), accounts: Vec::new(), interval: Duration::from_millis(1), ..start() };
    let ledger = Chain::open(&folder.path().join("chain"), &other).unwrap();
    assert_eq!((ledger.trust(), ledger.rules()), (&trust, &rules));
    assert_eq!(account(&ledger, Who::Payer).escrow, 7);
    let file = std::fs::read_to_string(folder.path().join("chain").join(TRUST)).unwrap();
    assert_eq!(assay_auditor::trust::read(&file).unwrap(), trust);
}

#[test]
fn what_it_shows_follows_from_the_trusted_root() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = chain(folder.path());
    let payer = sender(&ledger, Who::Payer);
    for amount in 1..4 {
        done(&payer, Payload::Deposit(Deposit { amount }));
    }
    let last = ledger.height().unwrap();
    let way = path(ledger.trust(), &|height| ledger.light_block(height), last).unwrap();
    assert_eq!((way.blocks.len(), way.end.block().height()), (2, last), "one validator vouches for all in one step");
    let of = keys::account(key(Who::Payer));
    let shown = ledger.proven(&of, last - 1).unwrap();
    assert_eq!(way.end.includes(last - 1, &of, shown.value.as_deref(), &shown.proof), Ok(()));
    let mut other = ledger.trust().clone();
    other.chain_id.push('x');
    assert!(matches!(path(&other, &|height| ledger.light_block(height), last), Err(LedgerError::NotProven(_))));
    assert!(path(ledger.trust(), &|height| ledger.light_block(height), last + 100).is_err());
}

#[cfg(unix)]
#[test]
fn its_files_are_for_nobody_else() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    drop(chain(folder.path()));
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let inside = folder.path().join("chain");
    assert_eq!(mode(&inside), 0o700);
    for name in ["validator.seed", "genesis.json", TRUST] {
        assert_eq!(mode(&inside.join(name)), 0o600, "{name}");
    }
}

#[test]
fn a_broken_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    drop(chain(folder.path()));
    let inside = folder.path().join("chain");
    std::fs::write(inside.join("validator.seed"), "not a seed").unwrap();
    let error = Chain::open(&inside, &start()).err().unwrap().to_string();
    assert!(error.contains("validator.seed"), "{error}");
}
