//! The software attester: documents in the formats of Nitro and TDX from a machine without an enclave.
//!
//! For trying things out and for tests. Its documents go through the same verification as a vendor's, under roots of its own, whose grade is
//! `simulated`: only chains whose genesis trusts such a root accept them, and all certificates say what they are. It is beside the
//! verification because it signs exactly what that checks. Keys follow from a seed and signatures are deterministic (RFC 6979), so a
//! document follows from what it says.
//!
//! A document is a draft first, whose parts can be changed before it is signed: that is how tests make bad ones.
mod certificate;
mod der;
mod key;
mod nitro;
mod tdx;

pub use certificate::Template;
pub use nitro::NitroDraft;
pub use tdx::TdxDraft;

use alloc::vec::Vec;
use sha2::{Digest as _, Sha256};

use super::Binding;
use super::x509::Certificate;
use crate::digest::Digest32;
use crate::receipt::Grade;
use crate::settlement::node::Platform;
use crate::settlement::parameters::TrustRoot;
use key::{Curve, Secret};

/// 1970 and 2100: a root's digest must not depend on when it was made, and chains in tests begin in 1970.
const ROOT_FROM_MS: u64 = 0;
const ROOT_TO_MS: u64 = 4_102_444_800_000;

/// The organization in the names of all certificates.
const ORGANIZATION: &str = "Assay simulated attestation";

/// A software attester: its secret seed.
#[derive(Clone)]
pub struct Attester {
    seed: [u8; 32],
}

/// What a document shall say.
#[derive(Clone, Debug)]
pub struct Claims {
    /// What was measured, in the platform's order.
    pub registers: Vec<Vec<u8>>,
    /// What it is for.
    pub binding: Binding,
    /// When it is made, in milliseconds since 1970.
    pub time_ms: u64,
    /// How long certificates and collateral are valid from then on.
    pub lifetime_ms: u64,
}

/// Keys of a chain of three, root first.
#[derive(Clone)]
struct Keys([Secret; 3]);

impl Attester {
    /// The attester of a secret seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self { seed }
    }

    /// Its roots, for a genesis: one for Nitro and one for TDX.
    pub fn roots(&self) -> [TrustRoot; 2] {
        [(Platform::Nitro, Curve::P384), (Platform::Tdx, Curve::P256)].map(|(platform, curve)| {
            let key = self.secret(curve, "root");
            let der = root(platform).issue(&key, &root(platform).name, &key);
            TrustRoot { platform, certificate: Digest32(Sha256::digest(der).into()), grade: Grade::Simulated }
        })
    }

    /// A document of Nitro's format.
    pub fn nitro(&self, claims: &Claims) -> NitroDraft {
        NitroDraft::new(self.keys(Curve::P384), claims)
    }

    /// A quote of TDX's format, with collateral.
    pub fn tdx(&self, claims: &Claims) -> TdxDraft {
        let others = ["quote", "signer"].map(|name| self.secret(Curve::P256, name));
        TdxDraft::new(self.keys(Curve::P256), others, claims)
    }

    fn keys(&self, curve: Curve) -> Keys {
        Keys(["root", "authority", "leaf"].map(|name| self.secret(curve, name)))
    }

    fn secret(&self, curve: Curve, name: &str) -> Secret {
        Secret::derive(curve, &self.seed, name)
    }
}

/// Whether a certificate says of itself that it is simulated.
pub(super) fn is_simulated(certificate: &Certificate<'_>) -> bool {
    certificate.subject.windows(ORGANIZATION.len()).any(|window| window == ORGANIZATION.as_bytes())
}

/// The root's certificate.
fn root(platform: Platform) -> Template {
    Template::authority(&alloc::format!("simulated {platform:?} root"), ROOT_FROM_MS, ROOT_TO_MS, 1)
}

/// The certificates of a chain, root first.
fn chain(platform: Platform, claims: &Claims) -> [Template; 3] {
    let (from, to) = (claims.time_ms, claims.time_ms.saturating_add(claims.lifetime_ms));
    let name = |what| alloc::format!("simulated {platform:?} {what}");
    [root(platform), Template::authority(&name("authority"), from, to, 0), Template::leaf(&name("platform"), from, to)]
}

impl Keys {
    fn issue(&self, chain: &[Template; 3]) -> [Vec<u8>; 3] {
        let Self([root_key, authority_key, leaf_key]) = self;
        let [root, authority, leaf] = chain;
        [
            root.issue(root_key, &root.name, root_key),
            authority.issue(authority_key, &root.name, root_key),
            leaf.issue(leaf_key, &authority.name, authority_key),
        ]
    }
}
