#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod cli;
pub mod jobs;
pub mod ledger;
pub mod storage;
