//! The node's key: a seed in a file for its owner alone, drawn at the first start.
use std::io;
use std::path::Path;

use assay_verifier::signature::SigningKey;

use crate::storage::private;

/// The key of a seed's file, which is made if it is not there.
///
/// # Errors
/// The file cannot be read or written, or is none of 64 hexadecimal digits.
pub fn node_key(path: &Path) -> io::Result<SigningKey> {
    private::seed(path).map(SigningKey::from_seed)
}
