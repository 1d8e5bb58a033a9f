#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod access;
pub mod attester;
pub mod backends;
pub mod cli;
pub mod clock;
pub mod config;
pub mod data;
pub mod inference;
pub mod jobs;
pub mod ledger;
pub mod models;
pub mod outbound;
pub mod payments;
pub mod proxy;
pub mod routes;
pub mod serve;
pub mod settle;
pub mod storage;
pub mod telemetry;
pub mod values;
pub mod workers;
