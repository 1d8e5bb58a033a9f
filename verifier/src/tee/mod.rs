//! Evidence of enclaves: documents by which hardware says what software runs, verified as their vendors prescribe.
//!
//! Four formats: AWS Nitro ([`nitro`]), Intel TDX and SGX ([`dcap`]), AMD SEV-SNP ([`snp`]). Each is bytes that an untrusted party brings,
//! with everything that is needed to check them: nothing is fetched, and time is an argument. What comes out is one thing for all of
//! them, [`Attested`]: under which root, of which grade, which software, bound to what, and until when.
//!
//! What the documents are encoded in is read by small strict readers of this module (`der`, `cbor`, `x509`): the formats use a
//! fraction of ASN.1, X.509 and CBOR, all lengths are limited before anything is parsed, and nothing recurses.
pub mod binding;
mod calendar;
mod cbor;
mod crypto;
pub mod dcap;
mod der;
mod error;
mod fields;
pub mod nitro;
mod policy;
pub mod roots;
pub mod snp;
pub mod software;
mod x509;

pub use binding::Binding;
pub use error::{ChainError, Part, TeeError};
pub use policy::{Policy, SnpTcb};

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::digest::{Digest32, digest};
use crate::receipt::Grade;
use crate::settlement::node::{Measurement, Platform};
use crate::settlement::parameters::TrustRoot;
use crate::wire;

/// What a node shows to be attested: a vendor's document and what is needed to verify it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Evidence {
    /// A document of the Nitro Security Module. Its certificates are in it.
    Nitro(nitro::Document),
    /// A quote of TDX or SGX with its collateral.
    Dcap(dcap::Quoted),
    /// A report of SEV-SNP with its certificates.
    Snp(snp::Report),
}

impl wire::File for Evidence {
    const NAME: &'static str = "evidence of an enclave";
    const MAGIC: [u8; 8] = *b"ASSAYEV1";
}

impl Evidence {
    /// The digest that records name it by.
    pub fn digest(&self) -> Digest32 {
        Digest32(digest("assay evidence v1", &wire::bytes(self)))
    }
}

/// What a document shows, once all of its signatures and the policy hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested {
    /// Who measured.
    pub platform: Platform,
    /// The root that all of it rests on.
    pub root: TrustRoot,
    /// What was measured, in the order of [`Measurement::registers`].
    pub registers: Vec<Vec<u8>>,
    /// What the software put into the document: 32 bytes each if it made it for this project.
    pub carried: Carried,
    /// When the document was made, if it says so, in milliseconds since 1970.
    pub issued_ms: Option<u64>,
    /// The first moment at which it no longer counts: the earliest end of a certificate, of collateral, or of the policy's age.
    pub expires_ms: u64,
    /// Status of the platform's firmware, of DCAP.
    pub tcb: Option<dcap::TcbStatus>,
}

/// What software put into its document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// In the place of [`Binding::digest`].
    pub digest: Vec<u8>,
    /// In the place of [`Binding::nonce`].
    pub nonce: Vec<u8>,
}

impl Attested {
    /// Whether roots of trust of the real world stand behind it.
    pub fn grade(&self) -> Grade {
        self.root.grade
    }

    /// The identity of the software, under which the ledger has its approval.
    pub fn measurement(&self) -> [u8; 32] {
        Measurement::id_of(self.platform, &self.registers)
    }

    /// Checks that the document was made for this key, chain and nonce.
    ///
    /// # Errors
    /// [`TeeError::WrongNonce`] and [`TeeError::WrongBinding`].
    pub fn check_binding(&self, binding: &Binding) -> Result<(), TeeError> {
        if self.carried.nonce != binding.nonce {
            return Err(TeeError::WrongNonce);
        }
        if self.carried.digest != binding.digest { Err(TeeError::WrongBinding) } else { Ok(()) }
    }
}

/// Verifies everything that a document says by itself: signatures, certificates up to one of the roots, firmware, attributes, age.
///
/// # Errors
/// The first check that fails, by its own name.
///
/// # Soundness
/// The caller must still compare what is carried ([`Attested::check_binding`]) and ask its registry for [`Attested::measurement`]:
/// [`verify`] does both. Roots are told apart by digest and platform, and have the grade that the caller gives them. Revocation is
/// checked where vendors sign lists of it for each platform (DCAP), not for AWS, whose certificates live for hours, and not for AMD.
pub fn authenticate(
    evidence: &Evidence,
    roots: &[TrustRoot],
    policy: &Policy,
    now_ms: u64,
) -> Result<Attested, TeeError> {
    match evidence {
        Evidence::Nitro(document) => nitro::authenticate(document, roots, policy, now_ms),
        Evidence::Dcap(quoted) => dcap::authenticate(quoted, roots, policy, now_ms),
        Evidence::Snp(report) => snp::authenticate(report, roots, policy, now_ms),
    }
}

/// Verifies a document that must be made for a binding, by software that `approved` knows by its [`Attested::measurement`].
///
/// # Errors
/// The first check that fails, by its own name.
pub fn verify(
    evidence: &Evidence,
    roots: &[TrustRoot],
    policy: &Policy,
    binding: &Binding,
    approved: impl Fn(&[u8; 32]) -> bool,
    now_ms: u64,
) -> Result<Attested, TeeError> {
    let attested = authenticate(evidence, roots, policy, now_ms)?;
    attested.check_binding(binding)?;
    if approved(&attested.measurement()) { Ok(attested) } else { Err(TeeError::MeasurementNotApproved) }
}
