//! Keys of the software attester, and how they sign.
use alloc::vec::Vec;
use p256::ecdsa::signature::Signer as _;
use sha2::{Digest as _, Sha512};

use super::der;

/// The curve of a key.
#[derive(Clone, Copy, Debug)]
pub enum Curve {
    /// P-256, with SHA-256.
    P256,
    /// P-384, with SHA-384.
    P384,
}

/// A secret key.
#[derive(Clone)]
pub enum Secret {
    /// Of P-256.
    P256(p256::ecdsa::SigningKey),
    /// Of P-384.
    P384(p384::ecdsa::SigningKey),
}

impl Secret {
    /// The key of this name.
    pub fn derive(curve: Curve, seed: &[u8; 32], name: &str) -> Self {
        // Not every number is a key, though nearly every one is.
        let mut counter = 0u8;
        loop {
            let mut hash = Sha512::new_with_prefix(b"assay software attester v1");
            hash.update([counter]);
            hash.update(seed);
            hash.update(name.as_bytes());
            let bytes: [u8; 64] = hash.finalize().into();
            let found = match curve {
                Curve::P256 => bytes
                    .first_chunk::<32>()
                    .and_then(|scalar| p256::ecdsa::SigningKey::from_slice(scalar).ok())
                    .map(Self::P256),
                Curve::P384 => bytes
                    .first_chunk::<48>()
                    .and_then(|scalar| p384::ecdsa::SigningKey::from_slice(scalar).ok())
                    .map(Self::P384),
            };
            if let Some(key) = found {
                return key;
            }
            counter = counter.wrapping_add(1);
        }
    }

    /// The public point, uncompressed.
    pub fn point(&self) -> Vec<u8> {
        match self {
            Self::P256(key) => key.verifying_key().to_encoded_point(false).as_bytes().to_vec(),
            Self::P384(key) => key.verifying_key().to_encoded_point(false).as_bytes().to_vec(),
        }
    }

    /// The `SubjectPublicKeyInfo`.
    pub fn info(&self) -> Vec<u8> {
        let curve: &[u8] = match self {
            Self::P256(_) => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
            Self::P384(_) => &[0x2b, 0x81, 0x04, 0x00, 0x22],
        };
        let algorithm = der::sequence(&[der::oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]), der::oid(curve)]);
        der::sequence(&[algorithm, der::bits(&self.point())])
    }

    /// The `AlgorithmIdentifier` of its signatures.
    pub fn algorithm(&self) -> Vec<u8> {
        let hash = match self {
            Self::P256(_) => 2,
            Self::P384(_) => 3,
        };
        der::sequence(&[der::oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, hash])])
    }

    /// A signature as two numbers.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
        }
    }

    /// A signed structure: what is signed, the algorithm, the signature.
    pub fn signed(&self, body: Vec<u8>) -> Vec<u8> {
        let signature = self.sign(&body);
        let (r, s) = signature.split_at(signature.len() / 2);
        let numbers = der::sequence(&[der::unsigned(r), der::unsigned(s)]);
        der::sequence(&[body, self.algorithm(), der::bits(&numbers)])
    }
}
