//! Signatures: ed25519 under the rules of ZIP-215, so that all validators and auditors agree on every input, and a batch is accepted
//! exactly when each of its members is.
//!
//! What is signed is the digest of a domain's tag, the chain's id and the body: a signature for one kind of message, or for one
//! chain, is none for another.
use alloc::vec::Vec;
use core::fmt;

use ed25519_zebra::{VerificationKey, batch};
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::digest::{NotHex, digest, hex_display, parse_hex};
use crate::wire;

/// A public key. Accounts and nodes are named by theirs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PublicKey(pub [u8; 32]);
hex_display!(PublicKey);

/// A signature: the encodings of a point and of a scalar.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature(pub [[u8; 32]; 2]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature(")?;
        self.0.iter().flatten().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, ")")
    }
}

/// The signature does not hold, or key or signature are malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the signature does not hold")]
pub struct BadSignature;

/// Kinds of messages that are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// A transaction, by its signer.
    Transaction,
    /// A receipt, by the node that answered.
    Receipt,
    /// What a payer allows to be reserved for one request.
    Authorisation,
    /// A model's manifest, by its publisher.
    Model,
    /// A price, by the node that asks for it.
    Quote,
    /// A record of fetched data, by the node that fetched it.
    Fetched,
    /// A request of a worker, by that worker. It is for a service, whose name is in the place of the chain's.
    Work,
}

impl Domain {
    fn tag(self) -> &'static str {
        match self {
            Self::Transaction => "assay signed transaction v1",
            Self::Receipt => "assay signed receipt v1",
            Self::Authorisation => "assay signed authorisation v1",
            Self::Model => "assay signed model v1",
            Self::Quote => "assay signed quote v1",
            Self::Fetched => "assay signed record v1",
            Self::Work => "assay signed work v1",
        }
    }
}

/// What is signed for a body.
pub fn message<T: Serialize>(domain: Domain, chain_id: &str, body: &T) -> [u8; 32] {
    digest(domain.tag(), &wire::bytes(&(chain_id, body)))
}

/// A signature to be verified, with all it depends on.
#[derive(Clone, Copy, Debug)]
pub struct Signed {
    /// Who should have signed.
    pub key: PublicKey,
    /// What [`message`] gave.
    pub message: [u8; 32],
    /// The signature.
    pub signature: Signature,
}

impl Signed {
    /// Verifies the signature.
    ///
    /// # Errors
    /// It does not hold.
    pub fn verify(&self) -> Result<(), BadSignature> {
        let key = VerificationKey::try_from(self.key.0).map_err(|_| BadSignature)?;
        key.verify(&self.signature.library(), &self.message).map_err(|_| BadSignature)
    }
}

/// Whether all of the signatures hold.
///
/// # Soundness
/// Coefficients are drawn from a digest of all members, so that the answer is the same everywhere; a false member passes with
/// probability below 2^-120 for each batch that an attacker tries.
pub fn all_hold(members: &[Signed]) -> bool {
    let bytes: Vec<_> = members.iter().map(|member| (member.key, member.message, member.signature)).collect();
    let mut verifier = batch::Verifier::new();
    for member in members {
        verifier.queue((member.key.0.into(), member.signature.library(), &member.message));
    }
    // The library gives coefficients in the order of its own map; any order of independent coefficients is as good.
    verifier.verify(ChaCha12Rng::from_seed(digest("assay signature batch v1", &wire::bytes(&bytes)))).is_ok()
}

impl Signature {
    fn library(&self) -> ed25519_zebra::Signature {
        let [r, s] = self.0;
        ed25519_zebra::Signature::from_components(r, s)
    }
}

/// A secret key. It signs exactly what [`Signed::verify`] checks, which is why it is here.
#[derive(Clone)]
pub struct SigningKey(ed25519_zebra::SigningKey);

impl SigningKey {
    /// The key of a secret seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(seed.into())
    }

    /// The key of a secret seed in hexadecimal digits.
    ///
    /// # Errors
    /// They are not 64.
    pub fn from_hex(seed: &str) -> Result<Self, NotHex> {
        parse_hex(seed).map(Self::from_seed)
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        PublicKey(VerificationKey::from(&self.0).into())
    }

    /// Signs a body.
    pub fn sign<T: Serialize>(&self, domain: Domain, chain_id: &str, body: &T) -> Signature {
        let signature = self.0.sign(&message(domain, chain_id, body));
        Signature([*signature.r_bytes(), *signature.s_bytes()])
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey of {}", self.public())
    }
}
