//! Workers: who makes proofs, in this process or elsewhere, and how the service deals with them.
//!
//! A worker takes a [`Task`] from a [`Source`], proves it with what [`Provers`] keeps loaded, and hands the proof in. The [`Desk`] is the service's side:
//! it gives tasks out, checks every proof before anybody hears of it, and gives nothing more to a worker whose proof does not hold. Workers of this
//! process talk to the desk directly ([`Local`]), others over HTTP with signed requests ([`Remote`]); the rest is the same.
mod cache;
mod check;
mod desk;
mod local;
mod pool;
mod prove;
mod provers;
mod remote;
pub mod signed;
mod source;
mod task;

pub use check::{Fault, check};
pub use desk::{Catalogue, Desk, DeskError, Needs, Place};
pub use local::Local;
pub use pool::Pool;
pub use prove::{Proved, prove};
pub use provers::{Prover, Provers, Strings};
pub use remote::Remote;
pub use source::{Source, SourceError};
pub use task::{Ask, Beat, HandIn, LetGo, Parts, Task, Trouble};
