#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod abci;
pub mod app;
mod bounded;
pub mod cli;
pub mod client;
pub mod comet;
pub mod embedded;
mod event;
pub mod genesis;
pub mod metrics;
mod money;
mod proven;
mod rejection;
pub mod state;
pub mod tx;
pub mod verdicts;
mod work;

pub use app::{App, Options, Reader};
pub use event::Event;
pub use proven::{LightBytes, Proven};
pub use rejection::{Fault, Rejection};
