//! The engine `halo2`.
pub mod circuit;
pub mod copies;
pub mod fixed;
pub mod keygen;
pub mod layout;
pub mod program;
pub mod prove;
pub mod secret;
pub mod tables;
pub mod witness;

pub use assay_verifier::halo2::field;
