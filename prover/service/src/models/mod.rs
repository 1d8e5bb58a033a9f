//! Models that are served: uploaded, compiled, given keys, published on the ledger, and loaded to answer.
mod circuits;
mod compile;
mod float;
mod keys;
mod loaded;
mod proving;
mod publish;
mod record;
mod store;
mod strings;

pub use circuits::{Circuits, LoadError};
pub use compile::{CheckError, Checked, check};
pub use float::{FloatError, FloatModel, FloatPort, Floats};
pub use keys::{KeysError, Made};
pub use publish::{Needs, Publisher};
pub use record::{Compilation, ModelRecord, Publication, Served, Source, Wanted};
pub use store::{ModelError, Models};
pub use strings::{StringError, Strings};
