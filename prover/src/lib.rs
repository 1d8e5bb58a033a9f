#![doc = include_str!("../README.md")]
pub mod file;
pub mod sumcheck;
pub mod witness;
