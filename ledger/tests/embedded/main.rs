//! The chain in one process: what it promises to those who submit, and what light clients make of it.
mod chain;
#[path = "../common/mod.rs"]
mod common;
mod evidence;
mod kill;
mod light;
mod node;
