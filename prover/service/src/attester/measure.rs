//! What the software attester measures: the bytes of the program.
use std::{env, fs, io};

use assay_verifier::settlement::node::Measurement;
use sha2::{Digest, Sha384};

use super::Format;

/// The measurement of the program that runs: each register is a hash of its number and of the program's file.
///
/// # Errors
/// The program's file cannot be read.
pub fn measure(format: Format) -> io::Result<Measurement> {
    let program = Sha384::digest(fs::read(env::current_exe()?)?);
    let registers = match format {
        Format::Nitro => 3u8,
        Format::Tdx => 5,
    };
    let register = |number: u8| {
        let hash = Sha384::new_with_prefix(b"assay simulated register v1").chain_update([number]).chain_update(program);
        hash.finalize().to_vec()
    };
    Ok(Measurement {
        platform: format.platform(),
        registers: (0..registers).map(register).collect(),
        software: format!("assay {}, simulated", env!("CARGO_PKG_VERSION")),
    })
}
