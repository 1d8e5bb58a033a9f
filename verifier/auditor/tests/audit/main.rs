//! Audits of real bundles: what an embedded chain settled of proofs that the prover's tests made.
mod attested;
mod completeness;
mod drawn;
mod enclave;
mod forge;
mod golden;
mod passed_on;
mod printed;
mod program;
mod sampled;
mod soundness;
mod tamper;
mod upstream;
mod world;
