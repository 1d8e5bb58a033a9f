//! The application through its socket, as CometBFT speaks to it.
mod client;
#[path = "../common/mod.rs"]
mod common;
mod conversations;
mod faults;
mod sequences;
mod snapshots;
mod waiting;
