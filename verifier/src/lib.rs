#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap
)]

extern crate alloc;
extern crate std;

pub mod audit;
pub mod circuit;
pub mod digest;
pub mod fetched;
pub mod field;
pub mod halo2;
pub mod key;
pub mod proxied;
pub mod reals;
pub mod receipt;
pub mod settlement;
pub mod signature;
pub mod statement;
pub mod sumcheck;
pub mod tee;
pub mod transcript;
mod verify;
pub mod wire;

pub use verify::{VerifyError, verify, verify_all};
