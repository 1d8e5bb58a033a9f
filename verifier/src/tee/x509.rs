//! Certificates, and the one walk from a root to what signs documents that all vendors' chains take (RFC 5280).
//!
//! Only what these chains need: one path that is given, no names but issuer and subject, no policies. A critical extension that is not
//! understood is refused.
use alloc::vec::Vec;

use super::calendar::certificate_ms;
use super::crypto::{Algorithm, Key, RSA_EXPONENT};
use super::der::{self, Item, Reader};
use super::error::ChainError;
use super::{Part, TeeError};

/// Bytes of the largest certificate. Those of AMD have RSA keys and are the largest there are.
const CERTIFICATE_LEN_MAX: usize = 4096;
/// Most certificates of a chain. Those of Nitro have five.
const CHAIN_LEN_MAX: usize = 6;

const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x1e];
/// `id-ecPublicKey`, and the curves.
const EC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
/// `rsaEncryption`.
const RSA_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// `ecdsa-with-SHA256` and `ecdsa-with-SHA384`.
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
/// `id-RSASSA-PSS`, and the parameters of SHA-384 everywhere, a salt of 48 bytes, and the trailer written out, as AMD does.
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
const RSA_PSS_PARAMETERS: &[u8] = &[
    0x30, 0x39, 0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00,
    0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09,
    0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x30, 0xa3, 0x03, 0x02,
    0x01, 0x01,
];

/// Bits of `KeyUsage`, by the first byte.
const DIGITAL_SIGNATURE: u8 = 0x80;
const SIGN_CERTIFICATES: u8 = 0x04;
const SIGN_LISTS: u8 = 0x02;

/// A span of time in which everything was valid, in milliseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The last moment.
    pub until_ms: u64,
}

impl Window {
    /// A window that nothing limits yet.
    pub const ALL: Self = Self { until_ms: u64::MAX };

    /// Ends no later than this.
    pub fn until(&mut self, moment_ms: u64) {
        self.until_ms = self.until_ms.min(moment_ms);
    }
}

/// A certificate that was read.
#[derive(Clone, Copy, Debug)]
pub struct Certificate<'a> {
    /// All of it.
    pub der: &'a [u8],
    /// Its serial number.
    pub serial: &'a [u8],
    /// The encoded name of its issuer.
    pub issuer: &'a [u8],
    /// The encoded name of its subject.
    pub subject: &'a [u8],
    /// The subject's key.
    pub key: Key<'a>,
    signed: &'a [u8],
    algorithm: Algorithm,
    signature: &'a [u8],
    from_ms: u64,
    to_ms: u64,
    extensions: Reader<'a>,
    /// Whether it may sign others, and how many may be between it and the leaf.
    authority: Option<Authority>,
    usage: Option<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Authority {
    path_len: Option<u16>,
}

/// Why a certificate was not read.
#[derive(Clone, Copy, Debug)]
enum Unread {
    Malformed,
    Unsupported,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate.
    pub fn read(der: &'a [u8]) -> Result<Self, TeeError> {
        if der.len() > CERTIFICATE_LEN_MAX {
            return Err(TeeError::TooLarge(Part::Certificate));
        }
        parse(der).map_err(|error| match error {
            Unread::Malformed => TeeError::Malformed(Part::Certificate),
            Unread::Unsupported => TeeError::Unsupported(Part::Certificate),
        })
    }

    /// The value of an extension.
    pub fn extension(&self, oid: &[u8]) -> Option<&'a [u8]> {
        let mut extensions = self.extensions;
        while let Some(Extension { oid: found, value, .. }) = extension(&mut extensions) {
            if found == oid {
                return Some(value);
            }
        }
        None
    }

    /// The time must be within the certificate's own.
    fn at(&self, now_ms: u64, window: &mut Window) -> Result<(), ChainError> {
        if now_ms < self.from_ms {
            return Err(ChainError::NotYetValid);
        }
        if now_ms > self.to_ms {
            return Err(ChainError::Expired);
        }
        window.until(self.to_ms);
        Ok(())
    }

    fn may(&self, usage: u8) -> bool {
        self.usage.is_none_or(|allowed| allowed & usage != 0)
    }

    /// Checks a list's signature, which this authority must be allowed to make.
    pub fn signed_list(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), TeeError> {
        if self.authority.is_none() || !self.may(SIGN_LISTS) {
            return Err(ChainError::Usage.into());
        }
        self.key.verify(algorithm, message, signature).ok_or(TeeError::Signature(Part::RevocationList))
    }
}

/// Walks from a root, which is trusted already, over authorities to a leaf, which signs documents. The window ends no later than the first
/// certificate does.
///
/// # Errors
/// The first fault, from the root on.
pub fn walk(chain: &[Certificate<'_>], now_ms: u64, window: &mut Window) -> Result<(), ChainError> {
    let Some((leaf, authorities)) = chain.split_last() else { return Err(ChainError::Length) };
    if authorities.is_empty() || chain.len() > CHAIN_LEN_MAX {
        return Err(ChainError::Length);
    }
    for (above, below) in chain.iter().zip(chain.iter().skip(1)) {
        if above.subject != below.issuer {
            return Err(ChainError::Issuer);
        }
    }
    for (at, certificate) in authorities.iter().enumerate() {
        certificate.at(now_ms, window)?;
        let Some(Authority { path_len }) = certificate.authority else { return Err(ChainError::NotAuthority) };
        if !certificate.may(SIGN_CERTIFICATES) {
            return Err(ChainError::Usage);
        }
        let between = authorities.len().saturating_sub(at).saturating_sub(1);
        if path_len.is_some_and(|most| between > usize::from(most)) {
            return Err(ChainError::PathLength);
        }
    }
    leaf.at(now_ms, window)?;
    if leaf.authority.is_some() {
        return Err(ChainError::LeafIsAuthority);
    }
    if !leaf.may(DIGITAL_SIGNATURE) {
        return Err(ChainError::Usage);
    }
    for (above, below) in chain.iter().zip(chain.iter().skip(1)) {
        above.key.verify(below.algorithm, below.signed, below.signature).ok_or(ChainError::Signature)?;
    }
    Ok(())
}

/// Reads certificates, root first.
pub fn read_all<'a>(ders: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Certificate<'a>>, TeeError> {
    let mut chain = Vec::new();
    for der in ders {
        if chain.len() >= CHAIN_LEN_MAX {
            return Err(ChainError::Length.into());
        }
        chain.push(Certificate::read(der)?);
    }
    Ok(chain)
}

fn parse(bytes: &[u8]) -> Result<Certificate<'_>, Unread> {
    let malformed = Unread::Malformed;
    let mut outer = Reader::new(bytes);
    let mut whole = outer.inside(der::SEQUENCE).ok_or(malformed)?;
    outer.end().ok_or(malformed)?;
    let signed = whole.expect(der::SEQUENCE).ok_or(malformed)?;
    let algorithm = whole.expect(der::SEQUENCE).ok_or(malformed)?;
    let signature = whole.bits().ok_or(malformed)?;
    whole.end().ok_or(malformed)?;

    let mut body = Reader::new(signed.value);
    let version = body.inside(0xa0).and_then(|mut version| version.unsigned()).ok_or(malformed)?;
    if version != [2] {
        return Err(Unread::Unsupported);
    }
    let serial = body.expect(der::INTEGER).ok_or(malformed)?.value;
    // What is signed says how it is signed, too.
    if body.expect(der::SEQUENCE) != Some(algorithm) {
        return Err(malformed);
    }
    let issuer = body.expect(der::SEQUENCE).ok_or(malformed)?.raw;
    let (from_ms, to_ms) = body.inside(der::SEQUENCE).and_then(validity).ok_or(malformed)?;
    let subject = body.expect(der::SEQUENCE).ok_or(malformed)?.raw;
    let key = public_key(body.inside(der::SEQUENCE).ok_or(malformed)?)?;
    let extensions = match body.optional(0xa3).ok_or(malformed)? {
        Some(Item { value, .. }) => Reader::new(value).inside(der::SEQUENCE).ok_or(malformed)?,
        None => Reader::new(&[]),
    };
    body.end().ok_or(malformed)?;
    let Marks { authority, usage } = marks(extensions)?;
    let algorithm = read_algorithm(algorithm).ok_or(Unread::Unsupported)?;
    Ok(Certificate {
        der: bytes,
        serial,
        issuer,
        subject,
        key,
        signed: signed.raw,
        algorithm,
        signature,
        from_ms,
        to_ms,
        extensions,
        authority,
        usage,
    })
}

fn validity(mut reader: Reader<'_>) -> Option<(u64, u64)> {
    let (from, to) = (reader.item()?, reader.item()?);
    reader.end()?;
    Some((certificate_ms(from.tag, from.value)?, certificate_ms(to.tag, to.value)?))
}

/// The algorithm of an `AlgorithmIdentifier`.
pub fn read_algorithm(item: Item<'_>) -> Option<Algorithm> {
    let mut reader = Reader::new(item.value);
    let oid = reader.oid()?;
    let parameters = if reader.is_empty() { None } else { Some(reader.item()?.raw) };
    reader.end()?;
    match (oid, parameters) {
        (ECDSA_SHA256, None) => Some(Algorithm::EcdsaP256),
        (ECDSA_SHA384, None) => Some(Algorithm::EcdsaP384),
        (RSA_PSS, Some(RSA_PSS_PARAMETERS)) => Some(Algorithm::RsaPss),
        _ => None,
    }
}

fn public_key(mut info: Reader<'_>) -> Result<Key<'_>, Unread> {
    let malformed = Unread::Malformed;
    let mut algorithm = info.inside(der::SEQUENCE).ok_or(malformed)?;
    let bits = info.bits().ok_or(malformed)?;
    info.end().ok_or(malformed)?;
    let oid = algorithm.oid().ok_or(malformed)?;
    let parameter = algorithm.item().ok_or(malformed)?;
    algorithm.end().ok_or(malformed)?;
    match (oid, parameter.value) {
        (EC_KEY, P256) => Ok(Key::P256(bits)),
        (EC_KEY, P384) => Ok(Key::P384(bits)),
        (RSA_KEY, []) => {
            let mut outer = Reader::new(bits);
            let mut numbers = outer.inside(der::SEQUENCE).ok_or(malformed)?;
            outer.end().ok_or(malformed)?;
            let (modulus, exponent) = (numbers.unsigned().ok_or(malformed)?, numbers.unsigned().ok_or(malformed)?);
            numbers.end().ok_or(malformed)?;
            let modulus = modulus.try_into().map_err(|_| Unread::Unsupported)?;
            if exponent == RSA_EXPONENT { Ok(Key::Rsa(modulus)) } else { Err(Unread::Unsupported) }
        }
        _ => Err(Unread::Unsupported),
    }
}

struct Extension<'a> {
    oid: &'a [u8],
    critical: bool,
    value: &'a [u8],
}

fn extension<'a>(extensions: &mut Reader<'a>) -> Option<Extension<'a>> {
    let mut one = extensions.inside(der::SEQUENCE)?;
    let oid = one.oid()?;
    let critical = flag(&mut one)?;
    let value = one.expect(der::OCTET_STRING)?.value;
    one.end()?;
    Some(Extension { oid, critical, value })
}

/// A boolean that is false if it is not there.
fn flag(reader: &mut Reader<'_>) -> Option<bool> {
    match reader.optional(der::BOOLEAN)?.map(|flag| flag.value) {
        None | Some([0]) => Some(false),
        Some([0xff]) => Some(true),
        Some(_) => None,
    }
}

#[derive(Default)]
struct Marks {
    authority: Option<Authority>,
    usage: Option<u8>,
}

/// What extensions say about what the key may do.
fn marks(mut extensions: Reader<'_>) -> Result<Marks, Unread> {
    let mut marks = Marks::default();
    let (mut constrained, mut used) = (false, false);
    while !extensions.is_empty() {
        let Extension { oid, critical, value } = extension(&mut extensions).ok_or(Unread::Malformed)?;
        match oid {
            BASIC_CONSTRAINTS if !constrained => {
                constrained = true;
                marks.authority = basic_constraints(value).ok_or(Unread::Malformed)?;
            }
            KEY_USAGE if !used => {
                used = true;
                marks.usage = Some(key_usage(value).ok_or(Unread::Malformed)?);
            }
            BASIC_CONSTRAINTS | KEY_USAGE => return Err(Unread::Malformed),
            // Such restrictions are not understood here, critical or not.
            EXTENDED_KEY_USAGE | NAME_CONSTRAINTS => return Err(Unread::Unsupported),
            _ if critical => return Err(Unread::Unsupported),
            _ => {}
        }
    }
    Ok(marks)
}

fn basic_constraints(value: &[u8]) -> Option<Option<Authority>> {
    let mut outer = Reader::new(value);
    let mut inner = outer.inside(der::SEQUENCE)?;
    outer.end()?;
    let authority = flag(&mut inner)?;
    let path_len = match inner.optional(der::INTEGER)? {
        Some(item) => Some(der::small(item.value)?),
        None => None,
    };
    inner.end()?;
    Some(authority.then_some(Authority { path_len }))
}

/// The first eight bits, of which all that count are.
fn key_usage(value: &[u8]) -> Option<u8> {
    let mut outer = Reader::new(value);
    let item = outer.expect(der::BIT_STRING)?;
    outer.end()?;
    match item.value {
        [0..=7, bits, ..] => Some(*bits),
        _ => None,
    }
}
