//! The data node: fetches from sources of a list, over TLS, and signs what it was given. A record can be the input of an inference, whose receipt
//! names it then.
//!
//! What is fetched is chosen by callers, so nothing of it is trusted: addresses are of the list, names are resolved once and the connection goes
//! to the very address that was checked, redirections are checked as if they had been asked for, and everything has a bound.
mod address;
mod fetch;
mod network;
mod path;
mod pattern;
mod records;

pub use address::{Address, BadAddress};
pub use fetch::{FetchError, Fetcher};
pub use network::is_public;
pub use path::{BadPath, JsonPath};
pub use pattern::{BadPattern, PathPattern};
pub use records::{RecordError, Records};
