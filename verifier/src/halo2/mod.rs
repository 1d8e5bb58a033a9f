//! The engine `halo2`: KZG on BN254, a few kilobytes, zero knowledge.
pub mod curve;
pub mod srs;
pub mod transcript;
