//! Compiles ONNX models to circuits and evaluates them in exact integers.
pub mod eval;
