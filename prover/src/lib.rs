//! The proving library: from an evaluated circuit to a proof. Synchronous, without network or files.
pub mod sumcheck;
pub mod witness;
