//! The proving library: from an evaluated circuit to a proof. Synchronous, without network.
pub mod file;
pub mod sumcheck;
pub mod witness;
