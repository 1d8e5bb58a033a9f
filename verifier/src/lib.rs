#![doc = include_str!("../README.md")]
// Without the standard library there are no clocks, no threads, no files and no maps of random order here.
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
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

extern crate alloc;

pub mod circuit;
pub mod digest;
pub mod field;
pub mod key;
pub mod statement;
pub mod sumcheck;
pub mod transcript;
pub mod wire;
