//! The prover's side of the engine `halo2`: KZG on BN254, a few kilobytes, zero knowledge.
pub mod evm;
pub mod srs;
