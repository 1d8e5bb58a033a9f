//! The application as CometBFT speaks to it: ABCI 2.0 (v0.38) over a socket. Only this folder knows ABCI's protobuf.
//!
//! CometBFT opens four connections (consensus, mempool, queries, snapshots) and expects answers in the order of its requests on each. What it
//! asks and this does not know is answered by an `Exception`, at which CometBFT stops; so it does when the socket is closed.
mod answer;
pub(crate) mod block;
mod frame;
mod recheck;
mod server;
mod snapshots;

pub use answer::{APP_VERSION, Answers, QUERY_PATH, TRIAL_PATH};
pub use frame::{FRAME_LEN_MAX, Frame, FrameError};
pub use recheck::BLOCKS_MAX;
pub use server::{Address, AddressError, Listener, ServeError, serve};
pub use snapshots::{SNAPSHOT_FORMAT, Snapshots};
