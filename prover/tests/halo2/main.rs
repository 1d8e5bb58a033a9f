//! Attacks on the engine `halo2`, and what it must not refuse.
//!
//! Witnesses with one deviation each are checked row by row, which names the constraint that fails, and honest ones by the library's mock prover;
//! real proofs, keys and statements are changed in every part.
#[allow(dead_code)] // not everything that tests share is needed here
#[path = "../views/builder.rs"]
mod builder;
#[allow(dead_code)] // not everything that tests share is needed here
#[path = "../common/mod.rs"]
mod common;
mod complete;
mod deviations;
mod engines;
mod gates;
mod golden;
mod hidden;
mod kept;
mod keys;
mod proofs;
mod real;
mod samples;
mod second;
#[path = "../common/settlement.rs"]
mod settlement;
mod together;
mod widths;
