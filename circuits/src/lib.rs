#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

pub mod compile;
pub mod cost;
pub mod error;
pub mod eval;
pub mod graph;
pub mod io;
mod lower;
mod measure;
pub mod onnx;
mod quantize;
pub mod report;
mod samples;
pub mod tensor;
mod widths;

pub use compile::{CompileOptions, Compiled, Stage, compile, evaluate_model};
pub use error::{CompileError, InputError, ModelError};
pub use io::NamedTensors;
pub use onnx::Model;
pub use report::Report;
pub use widths::Width;
