//! Attacks on the engine `halo2`, and what it must not refuse.
//!
//! Witnesses with one deviation each go through the library's mock prover, which names the constraint that fails; real proofs, keys and
//! statements are changed in every part.
#[allow(dead_code)] // not everything that tests share is needed here
#[path = "../views/builder.rs"]
mod builder;
#[allow(dead_code)] // not everything that tests share is needed here
#[path = "../common/mod.rs"]
mod common;
mod complete;
mod deviations;
mod engines;
mod golden;
mod hidden;
mod kept;
mod keys;
mod proofs;
mod real;
mod samples;
#[path = "../common/settlement.rs"]
mod settlement;
