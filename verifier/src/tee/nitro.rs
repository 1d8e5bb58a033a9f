//! Documents of the Nitro Security Module: AWS Nitro Enclaves.
//!
//! A document is a `COSE_Sign1` (RFC 9052, section 4.2) of a CBOR map, signed with ECDSA on P-384 by a key whose certificate is in the map
//! beside the certificates above it. The format and its limits are AWS's ("Nitro Enclaves attestation process", section 3).
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::cbor::{Reader, bytes_head};
use super::crypto::{Key, p384_raw};
use super::x509::{self, Window};
use super::{Attested, Carried, Part, Policy, TeeError};
use crate::settlement::node::Platform;
use crate::settlement::parameters::TrustRoot;
use crate::wire::Bytes;

/// Bytes of the largest document: certificates of AWS's limits and everything else at its largest fit.
const DOCUMENT_LEN_MAX: usize = 16 << 10;
/// Most certificates above the one that signs.
const BUNDLE_LEN_MAX: u64 = 5;
/// The protected header: the algorithm is ES384.
pub(super) const PROTECTED: [u8; 4] = [0xa1, 0x01, 0x38, 0x22];
/// What is signed begins with this: an array of four, `Signature1`, the protected header, no external data.
const SIGNED_PREFIX: &[u8] = b"\x84\x6aSignature1\x44\xa1\x01\x38\x22\x40";
/// Bytes of a register.
const REGISTER_LEN: usize = 48;
/// Registers that are compared: the image, the kernel, the application.
const REGISTERS: usize = 3;

/// A document as the module gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document(pub Bytes);

/// What a document says, before anything of it is believed.
#[derive(Debug, Default)]
struct Claims<'a> {
    module_id: Option<&'a str>,
    digest: Option<&'a str>,
    timestamp_ms: Option<u64>,
    registers: [Option<&'a [u8]>; REGISTERS],
    certificate: Option<&'a [u8]>,
    bundle: Vec<&'a [u8]>,
    user_data: Option<&'a [u8]>,
    nonce: Option<&'a [u8]>,
}

/// Verifies a document by itself: see [`super::authenticate`].
pub(super) fn authenticate(
    Document(Bytes(bytes)): &Document,
    roots: &[TrustRoot],
    policy: &Policy,
    now_ms: u64,
) -> Result<Attested, TeeError> {
    if bytes.len() > DOCUMENT_LEN_MAX {
        return Err(TeeError::TooLarge(Part::Document));
    }
    let malformed = TeeError::Malformed(Part::Document);
    let Envelope { payload, signature } = envelope(bytes)?;
    let claims = read_claims(payload).ok_or(malformed)?;
    let leaf = claims.certificate.ok_or(malformed)?;
    let chain = x509::read_all(claims.bundle.iter().copied().chain([leaf]))?;
    let root = policy.root(roots, Platform::Nitro, chain.first().ok_or(malformed)?)?;
    let mut window = Window::ALL;
    x509::walk(&chain, now_ms, &mut window)?;
    let Some(Key::P384(point)) = chain.last().map(|leaf| leaf.key) else {
        return Err(TeeError::Unsupported(Part::Certificate));
    };
    p384_raw(point, &signed(payload), signature).ok_or(TeeError::Signature(Part::Document))?;

    let issued_ms = claims.timestamp_ms.ok_or(malformed)?;
    policy.fresh(Part::Document, issued_ms, now_ms)?;
    window.until(issued_ms.saturating_add(policy.lifetime_ms));
    let mut registers = Vec::new();
    for register in claims.registers {
        registers.push(register.ok_or(malformed)?.to_vec());
    }
    // In debug mode nothing is measured.
    if registers.iter().any(|register| register.iter().all(|byte| *byte == 0)) {
        return Err(TeeError::DebugMode);
    }
    let carried = |field: Option<&[u8]>| field.unwrap_or_default().to_vec();
    Ok(Attested {
        platform: Platform::Nitro,
        root,
        registers,
        carried: Carried { digest: carried(claims.user_data), nonce: carried(claims.nonce) },
        issued_ms: Some(issued_ms),
        expires_ms: window.until_ms,
        tcb: None,
    })
}

struct Envelope<'a> {
    payload: &'a [u8],
    signature: &'a [u8; 96],
}

/// Takes a `COSE_Sign1` apart.
fn envelope(bytes: &[u8]) -> Result<Envelope<'_>, TeeError> {
    let malformed = TeeError::Malformed(Part::Document);
    let mut reader = Reader::new(bytes);
    let fields = reader.array().filter(|fields| fields.are(4));
    let protected = fields.and_then(|_| reader.bytes()).ok_or(malformed)?;
    let unprotected = reader.map().ok_or(malformed)?;
    let payload = reader.bytes().ok_or(malformed)?;
    let signature = reader.bytes().and_then(|signature| signature.try_into().ok()).ok_or(malformed)?;
    reader.end().ok_or(malformed)?;
    if protected != PROTECTED || !unprotected.are(0) {
        return Err(TeeError::Unsupported(Part::Document));
    }
    Ok(Envelope { payload, signature })
}

/// The `Sig_structure` of RFC 9052, section 4.4.
pub(super) fn signed(payload: &[u8]) -> Vec<u8> {
    let mut all = SIGNED_PREFIX.to_vec();
    all.extend(bytes_head(payload.len()));
    all.extend_from_slice(payload);
    all
}

/// Each field at most once, within AWS's limits, and no other field.
fn read_claims(payload: &[u8]) -> Option<Claims<'_>> {
    let mut reader = Reader::new(payload);
    let mut fields = reader.map()?;
    let mut claims = Claims::default();
    let mut seen = Vec::new();
    while reader.another(&mut fields) {
        let name = reader.text()?;
        if seen.contains(&name) {
            return None;
        }
        seen.push(name);
        match name {
            "module_id" => claims.module_id = Some(reader.text()?).filter(|id| !id.is_empty()),
            "digest" => claims.digest = Some(reader.text()?).filter(|digest| *digest == "SHA384"),
            "timestamp" => claims.timestamp_ms = Some(reader.unsigned()?),
            "pcrs" => read_registers(&mut reader, &mut claims.registers)?,
            "certificate" => claims.certificate = Some(limited(reader.bytes()?, 1..=1024)?),
            "cabundle" => read_bundle(&mut reader, &mut claims.bundle)?,
            "public_key" => drop(optional(&mut reader, 1024)?),
            "user_data" => claims.user_data = optional(&mut reader, 512)?,
            "nonce" => claims.nonce = optional(&mut reader, 512)?,
            _ => return None,
        }
    }
    reader.end()?;
    (claims.module_id.is_some() && claims.digest.is_some()).then_some(claims)
}

fn limited(bytes: &[u8], lens: core::ops::RangeInclusive<usize>) -> Option<&[u8]> {
    lens.contains(&bytes.len()).then_some(bytes)
}

fn optional<'a>(reader: &mut Reader<'a>, most: usize) -> Option<Option<&'a [u8]>> {
    match reader.bytes_or_null()? {
        Some(bytes) => limited(bytes, 0..=most).map(Some),
        None => Some(None),
    }
}

fn read_bundle<'a>(reader: &mut Reader<'a>, bundle: &mut Vec<&'a [u8]>) -> Option<()> {
    let mut entries = reader.array()?;
    if !(1..=BUNDLE_LEN_MAX).any(|count| entries.are(count)) {
        return None;
    }
    while reader.another(&mut entries) {
        bundle.push(limited(reader.bytes()?, 1..=1024)?);
    }
    Some(())
}

/// Registers by number, each number once and in ascending order.
fn read_registers<'a>(reader: &mut Reader<'a>, registers: &mut [Option<&'a [u8]>; REGISTERS]) -> Option<()> {
    let mut entries = reader.map()?;
    let mut last = None;
    while reader.another(&mut entries) {
        let number = reader.unsigned()?;
        if number >= 32 || last.is_some_and(|last| number <= last) {
            return None;
        }
        last = Some(number);
        let value = limited(reader.bytes()?, REGISTER_LEN..=REGISTER_LEN)?;
        if let Some(place) = usize::try_from(number).ok().and_then(|number| registers.get_mut(number)) {
            *place = Some(value);
        }
    }
    Some(())
}
