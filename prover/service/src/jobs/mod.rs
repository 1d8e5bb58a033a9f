//! Jobs: what was asked for, durable before it is acknowledged, until it is answered, proven, paid and settled.
//!
//! [`Jobs`] is the store. It is one file of the database with one thread that writes, in groups; reads see what is durable and nothing else. Time is
//! an argument everywhere, so that tests need no clock and no waiting.
mod batch;
mod error;
mod event;
mod index;
mod job;
mod leases;
mod lists;
mod quarantine;
mod queue;
mod remembered;
mod retention;
mod rules;
pub mod states;
mod store;
mod tables;
mod ticker;
mod watch;
mod writer;

pub use error::JobError;
pub use event::{Change, Event};
pub use job::{Authorised, Committed, Failure, Job, Lease, Owner, Payload, ProofFile, Settled, Submitted};
pub use leases::Hold;
pub use lists::{Counts, Filter, Page, Waiting};
pub use quarantine::Quarantined;
pub use queue::{Able, Account, Entry, Queue, Standing};
pub use remembered::{Answer, Keyed, Remembered};
pub use rules::Rules;
pub use store::Jobs;
pub use ticker::Ticker;
pub use watch::{Progress, Seen, Stage};
