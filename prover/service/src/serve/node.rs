//! The node's key: a seed in a file for its owner alone, drawn at the first start.
use std::io;
use std::path::Path;

use assay_verifier::signature::SigningKey;
use rand_core::{OsRng, RngCore};

use crate::storage::private;

/// The key of a seed's file, which is made if it is not there.
///
/// # Errors
/// The file cannot be read or written, or is none of 64 hexadecimal digits.
pub fn node_key(path: &Path) -> io::Result<SigningKey> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            SigningKey::from_hex(text.trim()).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut seed = [0; 32];
            OsRng.fill_bytes(&mut seed);
            private::write(path, hex::encode(seed).as_bytes())?;
            Ok(SigningKey::from_seed(seed))
        }
        Err(error) => Err(error),
    }
}
