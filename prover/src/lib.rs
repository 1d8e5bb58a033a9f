#![doc = include_str!("../README.md")]
pub mod file;
pub mod halo2;
pub mod sumcheck;
pub mod witness;
