//! Audits of real bundles: what an embedded chain settled of proofs that the prover's tests made.
mod completeness;
mod forge;
mod golden;
mod program;
mod soundness;
mod world;
