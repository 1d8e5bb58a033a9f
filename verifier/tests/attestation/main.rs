//! Evidence of enclaves: genuine documents of vendors, and what is refused.
mod chains;
mod genuine;
mod policy;
mod simulated;
mod support;
mod tampered;
