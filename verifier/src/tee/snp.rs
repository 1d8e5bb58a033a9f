//! Reports of AMD SEV-SNP.
//!
//! A report is 1184 bytes, signed with ECDSA on P-384 by the key of the chip and its firmware's versions, the VCEK. AMD certifies that key:
//! ARK, ASK, VCEK, with RSA-PSS. Layout and rules are those of the "SEV Secure Nested Paging Firmware ABI Specification" (56860), section
//! 7.3, and of the "Versioned Chip Endorsement Key Certificate and KDS Interface Specification" (57230), section 3.
use alloc::vec;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::crypto::{Key, p384_raw};
use super::der;
use super::fields::Fields;
use super::x509::{self, Certificate, Window};
use super::{Attested, Carried, Part, Policy, SnpTcb, TeeError};
use crate::settlement::node::Platform;
use crate::settlement::parameters::TrustRoot;
use crate::wire::Bytes;

/// A report with the certificates that lead to the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The report.
    pub report: Bytes,
    /// The certificate of the key that signed it, as DER: the VCEK.
    pub vcek: Bytes,
    /// The certificate above it: the ASK.
    pub ask: Bytes,
    /// The root: the ARK.
    pub ark: Bytes,
}

/// Bytes of a report, and of what is signed of it.
const REPORT_LEN: usize = 1184;
const SIGNED_LEN: usize = 0x2a0;
/// ECDSA on P-384 with SHA-384.
const ALGORITHM: u32 = 1;
/// Bits of the guest's policy: a migration agent may take part, and the guest can be debugged.
const POLICY_MIGRATE: u64 = 1 << 18;
const POLICY_DEBUG: u64 = 1 << 19;
/// Bits of the report's flags: the chip's key is masked, and which key signed (zero for the VCEK).
const FLAG_MASK_CHIP_KEY: u32 = 1 << 1;
const FLAG_SIGNING_KEY: u32 = 0b111 << 2;
/// Extensions of a VCEK: versions of firmware, and the chip. The last number is appended.
const TCB: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01, 0x03];
const HWID: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01, 0x04];
/// Turin counts the firmware of one more processor, and lays versions out in another way.
const PRODUCT: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01, 0x02];

/// Fields of a report that are looked at.
struct Claims<'a> {
    policy: u64,
    vmpl: u32,
    flags: u32,
    report_data: &'a [u8; 64],
    measurement: &'a [u8; 48],
    host_data: &'a [u8; 32],
    reported_tcb: [u8; 8],
    chip_id: &'a [u8; 64],
    signed: &'a [u8],
    signature: [u8; 96],
}

/// Verifies a report by itself: see [`super::authenticate`].
pub(super) fn authenticate(
    evidence: &Report,
    roots: &[TrustRoot],
    policy: &Policy,
    now_ms: u64,
) -> Result<Attested, TeeError> {
    let bytes = &evidence.report.0;
    if bytes.len() > REPORT_LEN {
        return Err(TeeError::TooLarge(Part::Report));
    }
    let claims = read(bytes)?;
    let chain = x509::read_all([&*evidence.ark.0, &evidence.ask.0, &evidence.vcek.0])?;
    let root = policy.root(roots, Platform::Snp, chain.first().ok_or(TeeError::Malformed(Part::Certificate))?)?;
    let mut window = Window::ALL;
    x509::walk(&chain, now_ms, &mut window)?;
    let vcek = chain.last().ok_or(TeeError::Malformed(Part::Certificate))?;
    let Key::P384(point) = vcek.key else { return Err(TeeError::Unsupported(Part::Certificate)) };
    p384_raw(point, claims.signed, &claims.signature).ok_or(TeeError::Signature(Part::Report))?;

    if claims.flags & (FLAG_MASK_CHIP_KEY | FLAG_SIGNING_KEY) != 0 {
        return Err(TeeError::SigningKey);
    }
    let tcb = certified(vcek, claims.chip_id, claims.reported_tcb)?;
    if claims.policy & POLICY_DEBUG != 0 {
        return Err(TeeError::DebugMode);
    }
    // What asks for a report below the highest level is not all of what was measured.
    if claims.policy & POLICY_MIGRATE != 0 || claims.vmpl != 0 {
        return Err(TeeError::Attributes);
    }
    if !tcb.reaches(&policy.snp_tcb_min) {
        return Err(TeeError::TcbTooOld);
    }
    window.until(now_ms.saturating_add(policy.lifetime_ms));
    let (digest, nonce) = claims.report_data.split_at(32);
    Ok(Attested {
        platform: Platform::Snp,
        root,
        registers: vec![claims.measurement.to_vec(), claims.host_data.to_vec()],
        carried: Carried { digest: digest.to_vec(), nonce: nonce.to_vec() },
        issued_ms: None,
        expires_ms: window.until_ms,
        tcb: None,
    })
}

/// The key is that of the chip that reports, for the versions that it reports. Returns these.
fn certified(vcek: &Certificate<'_>, chip_id: &[u8; 64], reported: [u8; 8]) -> Result<SnpTcb, TeeError> {
    let turin = vcek.extension(PRODUCT).is_some_and(|value| value.ends_with(b"Turin"));
    let (tcb, fmc) = if turin {
        let [fmc, boot_loader, tee, snp, _, _, _, microcode] = reported;
        (SnpTcb { boot_loader, tee, snp, microcode }, Some(fmc))
    } else {
        let [boot_loader, tee, .., snp, microcode] = reported;
        (SnpTcb { boot_loader, tee, snp, microcode }, None)
    };
    let version = |number: u8| {
        let mut oid = [0; TCB.len() + 1];
        let (last, first) = oid.split_last_mut()?;
        first.copy_from_slice(TCB);
        *last = number;
        let mut reader = der::Reader::new(vcek.extension(&oid)?);
        let value = der::small(reader.expect(der::INTEGER)?.value)?;
        reader.end()?;
        u8::try_from(value).ok()
    };
    // Turin's chips have identities of eight bytes.
    let hwid = vcek.extension(HWID).unwrap_or_default();
    let same_chip = match chip_id.strip_prefix(hwid) {
        Some(rest) => (turin && hwid.len() == 8 || hwid.len() == 64) && rest.iter().all(|byte| *byte == 0),
        None => false,
    };
    let SnpTcb { boot_loader, tee, snp, microcode } = tcb;
    let versions = [(1, boot_loader), (2, tee), (3, snp), (8, microcode)];
    let same_versions = versions.iter().all(|(number, reported)| version(*number) == Some(*reported))
        && fmc.is_none_or(|fmc| version(9) == Some(fmc));
    if same_chip && same_versions { Ok(tcb) } else { Err(TeeError::OtherPlatform) }
}

fn read(bytes: &[u8]) -> Result<Claims<'_>, TeeError> {
    let malformed = TeeError::Malformed(Part::Report);
    let signed = bytes.get(..SIGNED_LEN).ok_or(malformed)?;
    let claims = layout(bytes, signed).ok_or(malformed)?;
    let (version, algorithm, claims) = claims;
    if !(2..=5).contains(&version) || algorithm != ALGORITHM {
        return Err(TeeError::Unsupported(Part::Report));
    }
    Ok(claims)
}

fn layout<'a>(bytes: &'a [u8], signed: &'a [u8]) -> Option<(u32, u32, Claims<'a>)> {
    let mut fields = Fields::new(bytes);
    let version = fields.u32()?;
    let _guest_svn = fields.u32()?;
    let policy = fields.u64()?;
    let _family_and_image = fields.array::<32>()?;
    let vmpl = fields.u32()?;
    let algorithm = fields.u32()?;
    let _current_tcb_and_platform = fields.array::<16>()?;
    let flags = fields.u32()?;
    let _reserved = fields.u32()?;
    let report_data = fields.array()?;
    let measurement = fields.array()?;
    let host_data = fields.array()?;
    let _keys_and_reports = fields.array::<{ 48 + 48 + 32 + 32 }>()?;
    let reported_tcb = *fields.array()?;
    let _cpuid = fields.array::<24>()?;
    let chip_id = fields.array()?;
    let _versions = fields.array::<{ SIGNED_LEN - 0x1e0 }>()?;
    let (r, s) = (fields.array::<72>()?, fields.array::<72>()?);
    let reserved = fields.array::<368>()?;
    fields.end()?;
    if reserved.iter().any(|byte| *byte != 0) {
        return None;
    }
    let signature = number(r)?.iter().chain(&number(s)?).copied().collect::<Vec<u8>>().try_into().ok()?;
    Some((
        version,
        algorithm,
        Claims { policy, vmpl, flags, report_data, measurement, host_data, reported_tcb, chip_id, signed, signature },
    ))
}

/// Half of a signature: little-endian, 72 bytes of which 48 are used.
fn number(bytes: &[u8; 72]) -> Option<[u8; 48]> {
    let (used, unused) = bytes.split_first_chunk::<48>()?;
    let mut number = *used;
    number.reverse();
    unused.iter().all(|byte| *byte == 0).then_some(number)
}
