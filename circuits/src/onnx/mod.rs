//! ONNX models: reading the file, checking it, and importing it as a float graph. Nothing outside this module knows
//! ONNX.
mod attribute;
mod call;
mod external;
pub(crate) mod import;
pub mod load;
pub mod ops;
pub mod proto;
pub mod scope;
pub mod tensor;
pub mod types;

pub use external::{ExternalData, Folder, NoExternalData};
pub use load::{Declaration, Model};

pub(crate) use import::{Imported, import};
