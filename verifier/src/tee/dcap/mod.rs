//! Quotes of Intel TDX and SGX, by Intel's Data Center Attestation Primitives (DCAP).
//!
//! A quote is signed by a key that an enclave of Intel's, the quoting enclave, made on the platform; the platform's own key, the PCK, which
//! Intel certifies, signed the quoting enclave's report on that key. Whether the platform's firmware is good is in statements that Intel
//! signs and renews every month: the TCB info, the quoting enclave's identity, and lists of revoked certificates. They are the quote's
//! collateral. Order and rules are those of Intel's "SGX DCAP Quote Verification Library" and of the API of its Provisioning
//! Certification Service, version 4.
mod collateral;
mod identity;
mod pck;
pub mod pem;
mod quote;
mod revocation;
mod status;
mod tcb;

pub use collateral::Collateral;
pub use status::TcbStatus;

pub(super) use pck::SGX as SGX_EXTENSION;
pub(super) use quote::VENDOR;

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::crypto::{Key, p256_raw};
use super::x509::{self, Certificate, Window};
use super::{Attested, Carried, ChainError, Part, Policy, TeeError};
use crate::settlement::parameters::TrustRoot;
use crate::wire::Bytes;
use collateral::Statements;
use quote::{Body, Quote};

/// A quote with its collateral.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quoted {
    /// The quote, without padding behind it.
    pub quote: Bytes,
    /// Intel's statements.
    pub collateral: Collateral,
}

/// Bytes of the largest quote: its certificates are most of it.
const QUOTE_LEN_MAX: usize = 16 << 10;

/// Verifies a quote by itself: see [`super::authenticate`].
pub(super) fn authenticate(
    Quoted { quote: Bytes(bytes), collateral }: &Quoted,
    roots: &[TrustRoot],
    policy: &Policy,
    now_ms: u64,
) -> Result<Attested, TeeError> {
    if bytes.len() > QUOTE_LEN_MAX {
        return Err(TeeError::TooLarge(Part::Quote));
    }
    collateral.check_sizes()?;
    let quote = Quote::read(bytes)?;
    let ders = pem::certificates(quote.chain).ok_or(TeeError::Malformed(Part::Quote))?;
    // The platform's certificate comes first in a quote.
    let chain = x509::read_all(ders.iter().rev().map(Vec::as_slice))?;
    let [root, authority, pck] = chain.as_slice() else { return Err(ChainError::Length.into()) };
    let trusted = policy.root(roots, quote.body.platform(), root)?;
    let mut window = Window::ALL;
    x509::walk(&chain, now_ms, &mut window)?;
    let statements = collateral.verify(root, authority, pck, now_ms, &mut window)?;
    let quoting = quoting_enclave(&quote, pck, &statements)?;
    quote_signature(&quote)?;

    let statuses = tcb::statuses(&statements.tcb_info, &quote.body, &pck::Platform::read(pck)?, quoting)?;
    for status in &statuses {
        policy.tcb(*status)?;
    }
    quote.body.check_attributes()?;
    window.until(now_ms.saturating_add(policy.lifetime_ms));
    let (digest, nonce) = quote.body.report_data().split_at(32);
    Ok(Attested {
        platform: quote.body.platform(),
        root: trusted,
        registers: quote.body.registers(),
        carried: Carried { digest: digest.to_vec(), nonce: nonce.to_vec() },
        issued_ms: None,
        expires_ms: window.until_ms,
        tcb: statuses.first().copied(),
    })
}

/// The quoting enclave is the one of Intel's statement, on this platform, and made the key that signed. Returns its status.
fn quoting_enclave(quote: &Quote<'_>, pck: &Certificate<'_>, statements: &Statements) -> Result<TcbStatus, TeeError> {
    let Key::P256(point) = pck.key else { return Err(TeeError::Unsupported(Part::Certificate)) };
    p256_raw(point, quote.quoting_report, quote.quoting_signature).ok_or(TeeError::Signature(Part::QuotingEnclave))?;
    let report = quote::Enclave::read(quote.quoting_report).ok_or(TeeError::Malformed(Part::QuotingEnclave))?;
    let made = Sha256::new().chain_update(quote.key).chain_update(quote.quoting_data).finalize();
    let (hash, rest) = report.report_data.split_at(32);
    if hash != made.as_slice() || rest.iter().any(|byte| *byte != 0) {
        return Err(TeeError::QuotingEnclave);
    }
    statements.identity.status(&report, matches!(quote.body, Body::Domain(_)))
}

/// The key that the quoting enclave made signed header and body.
fn quote_signature(quote: &Quote<'_>) -> Result<(), TeeError> {
    let mut point = [4; 65];
    let (_, numbers) = point.split_at_mut(1);
    numbers.copy_from_slice(quote.key);
    p256_raw(&point, quote.signed, quote.signature).ok_or(TeeError::Signature(Part::Quote))
}
