//! What must be rejected is rejected, with the code that says why, and leaves no trace. Every code there is comes up.
mod attestations;
#[path = "../common/mod.rs"]
mod common;
mod envelope;
mod models;
mod nodes;
mod proofs;
mod receipts;
mod reservations;
mod samples;

use std::collections::BTreeSet;

use assay_ledger::Rejection;
use assay_ledger::tx::Payload;
use common::{Chain, of_block};

/// The reasons that came up.
#[derive(Default)]
pub struct Seen(BTreeSet<Rejection>);

impl Seen {
    /// A payload is refused, in a block and, if that can be known without the state, when it is checked.
    #[track_caller]
    pub fn refused(&mut self, chain: &mut Chain, who: u8, payload: Payload, why: Rejection) {
        let transaction = chain.tx(who, payload.clone());
        let checked = chain.app.reader().check(&transaction).unwrap();
        assert!(checked.rejection.is_none_or(|found| found == why), "checked: {:?}", checked.rejection);
        let unfit = chain.app.process(std::slice::from_ref(&transaction), chain.next()).unwrap();
        assert_eq!(unfit.unwrap_err().rejection, why);
        chain.refused(who, payload, why);
        self.0.insert(why);
    }

    /// Bytes are refused when they are checked and in a block, and nobody pays.
    #[track_caller]
    pub fn bytes_refused(&mut self, chain: &mut Chain, transaction: &[u8], why: Rejection) {
        let before = chain.records();
        let result = chain.block(&[transaction.to_vec()]).remove(0);
        assert_eq!(result.rejection, Some(why));
        assert_eq!((result.code(), result.events.len()), (why.code(), 0));
        let own = |(key, _): &&(Vec<u8>, Vec<u8>)| !of_block(key);
        assert!(before.iter().filter(own).eq(chain.records().iter().filter(own)));
        self.0.insert(why);
    }
}

#[test]
fn every_reason() {
    let mut seen = Seen::default();
    envelope::all(&mut seen);
    nodes::all(&mut seen);
    attestations::all(&mut seen);
    models::all(&mut seen);
    reservations::all(&mut seen);
    receipts::all(&mut seen);
    proofs::all(&mut seen);
    samples::all(&mut seen);
    let missing: Vec<_> = Rejection::ALL.iter().filter(|reason| !seen.0.contains(reason)).collect();
    assert!(missing.is_empty(), "never given: {missing:?}");
}
