//! The prover's side of the engine `halo2`.
pub mod cache;
pub mod check;
pub mod choose;
pub mod circuit;
pub mod copies;
pub mod evm;
pub mod fixed;
mod hidden;
pub mod keygen;
pub mod layout;
pub mod packed;
pub mod plonk;
pub mod program;
pub mod prove;
mod prover;
pub mod secret;
pub mod srs;
pub mod tables;
pub mod widths;
pub mod witness;

pub use prover::{Committed, Proven, Prover};

/// A reference string as the library takes it.
pub type Params = halo2_proofs::poly::kzg::commitment::ParamsKZG<assay_verifier::halo2::curve::Bn256>;

pub use assay_verifier::halo2::field;
