//! Fuzz target: see `attestation.rs`.
#![no_main]
#[allow(dead_code)] // each target uses one of them
#[path = "../attestation.rs"]
mod attestation;

libfuzzer_sys::fuzz_target!(|data: &[u8]| attestation::nitro(data));
