//! Jobs: what was asked for, durable before it is acknowledged, until it is answered, proven, paid and settled.
mod job;
pub mod states;

pub use job::{Authorised, Failure, Job, Lease, Owner, Payload, ProofFile, Settled, Submitted};
