//! How values of the ledger stand in JSON: keys and digests as hexadecimal digits, integers as decimal digits in a text.
use std::fmt::Display;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

/// Values that are written as they are shown.
pub mod shown {
    use super::{Deserialize, Deserializer, Display, Error, FromStr, Serializer};

    pub fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Signatures: 128 hexadecimal digits.
pub mod signature {
    use assay_verifier::signature::Signature;

    use super::{Deserialize, Deserializer, Error, Serializer};

    pub fn serialize<S: Serializer>(signature: &Signature, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(signature.0.as_flattened()))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Signature, D::Error> {
        let mut halves = [[0; 32]; 2];
        let text = String::deserialize(deserializer)?;
        hex::decode_to_slice(text, halves.as_flattened_mut()).map_err(D::Error::custom)?;
        Ok(Signature(halves))
    }
}

/// Backends by their names in requests.
pub mod backend {
    use assay_verifier::receipt::Backend;

    use super::{Deserialize, Deserializer, Error, Serializer};

    const NAMES: [(Backend, &str); 3] = [(Backend::Zkml, "zkml"), (Backend::Tee, "tee"), (Backend::Vanilla, "vanilla")];

    pub fn serialize<S: Serializer>(backend: &Backend, serializer: S) -> Result<S::Ok, S::Error> {
        let name = NAMES.iter().find(|(of, _)| of == backend).map_or("", |(_, name)| name);
        serializer.serialize_str(name)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Backend, D::Error> {
        let text = String::deserialize(deserializer)?;
        let found = NAMES.iter().find(|(_, name)| *name == text);
        found.map(|(backend, _)| *backend).ok_or_else(|| D::Error::custom("not a backend"))
    }
}
