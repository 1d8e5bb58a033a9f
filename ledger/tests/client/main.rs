//! The client library and the programs that use it, against a node in process that answers as CometBFT does, or lies.
mod answers;
#[path = "../common/mod.rs"]
mod common;
mod library;
mod light;
mod node;
mod programs;
