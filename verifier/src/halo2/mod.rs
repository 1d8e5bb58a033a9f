//! The engine `halo2`: KZG on BN254, a few kilobytes, zero knowledge.
mod batch;
pub mod blinding;
pub mod config;
pub mod curve;
mod domain;
pub mod hiding;
pub mod key;
pub mod shape;
pub mod srs;
pub mod transcript;
mod verify;
pub mod widths;

pub use batch::verify_all;
pub use verify::{Argument, VerifyError, field, instance_columns, prefix, verify, verify_statement};
