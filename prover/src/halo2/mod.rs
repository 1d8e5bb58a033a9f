//! The prover's side of the engine `halo2`.
pub mod evm;
