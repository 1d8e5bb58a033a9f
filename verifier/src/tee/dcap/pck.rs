//! What Intel's certificate of a platform's key says about the platform, in an extension of Intel's ("Intel SGX PCK Certificate and
//! Certificate Revocation List Profile Specification", section 1.3.5).
use crate::tee::der::{self, Reader};
use crate::tee::x509::Certificate;
use crate::tee::{Part, TeeError};

/// `1.2.840.113741.1.13.1`. What is in the extension has one number more.
pub const SGX: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01];
const TCB: u8 = 2;
const PCE_ID: u8 = 3;
const FMSPC: u8 = 4;
/// Within `TCB`: after sixteen components.
const PCE_SVN: u8 = 17;

/// A platform's model, and the versions of its firmware.
#[derive(Clone, Copy, Debug, Default)]
pub struct Platform {
    /// Versions of the components of SGX.
    pub components: [u8; 16],
    /// Version of the provisioning certification enclave.
    pub pce_svn: u16,
    /// That enclave.
    pub pce_id: [u8; 2],
    /// Family, model, stepping, platform and SKU.
    pub fmspc: [u8; 6],
}

impl Platform {
    /// Reads the extension of a platform's certificate.
    pub fn read(pck: &Certificate<'_>) -> Result<Self, TeeError> {
        let value = pck.extension(SGX);
        value.and_then(parse).ok_or(TeeError::Malformed(Part::Certificate))
    }
}

fn parse(value: &[u8]) -> Option<Platform> {
    let mut platform = Platform::default();
    let (mut has_tcb, mut has_pce_id, mut has_fmspc) = (false, false, false);
    let mut outer = Reader::new(value);
    let mut entries = outer.inside(der::SEQUENCE)?;
    outer.end()?;
    while !entries.is_empty() {
        let mut entry = entries.inside(der::SEQUENCE)?;
        let number = entry.oid()?.strip_prefix(SGX)?;
        match number {
            [TCB] if !has_tcb => {
                has_tcb = true;
                read_tcb(entry.inside(der::SEQUENCE)?, &mut platform)?;
            }
            [PCE_ID] if !has_pce_id => {
                has_pce_id = true;
                platform.pce_id = entry.expect(der::OCTET_STRING)?.value.try_into().ok()?;
            }
            [FMSPC] if !has_fmspc => {
                has_fmspc = true;
                platform.fmspc = entry.expect(der::OCTET_STRING)?.value.try_into().ok()?;
            }
            [TCB | PCE_ID | FMSPC] => return None,
            _ => {}
        }
    }
    (has_tcb && has_pce_id && has_fmspc).then_some(platform)
}

/// Components 1 to 16 and the version of the certification enclave, in this order; what follows repeats them.
fn read_tcb(mut entries: Reader<'_>, platform: &mut Platform) -> Option<()> {
    for (component, number) in platform.components.iter_mut().zip(1..) {
        *component = u8::try_from(read_version(&mut entries, number)?).ok()?;
    }
    platform.pce_svn = read_version(&mut entries, PCE_SVN)?;
    Some(())
}

fn read_version(entries: &mut Reader<'_>, number: u8) -> Option<u16> {
    let mut entry = entries.inside(der::SEQUENCE)?;
    if entry.oid()?.strip_prefix(SGX)? != [TCB, number] {
        return None;
    }
    der::small(entry.expect(der::INTEGER)?.value)
}
