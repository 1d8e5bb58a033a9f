//! Asking others over HTTP: the client, what certificates are checked against, and bodies that are read as a whole.
mod client;
pub mod whole;

pub use client::{BadRoots, Client, client, tls};
