//! Quotes as bytes ("Intel SGX ECDSA Quote Library Reference", appendix A; "Intel TDX DCAP Quoting Library API", appendix A): version 3 for
//! SGX, versions 4 and 5 for TDX, with its reports 1.0 and 1.5.
use alloc::vec;
use alloc::vec::Vec;

use crate::settlement::node::Platform;
use crate::tee::fields::Fields;
use crate::tee::{Part, TeeError};

const SGX: u32 = 0;
const TDX: u32 = 0x81;
/// ECDSA on P-256.
const KEY_TYPE: u16 = 2;
/// Intel's quoting enclaves.
pub const VENDOR: [u8; 16] =
    [0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07];
const HEADER_LEN: usize = 48;
/// Certification data of these kinds: certificates as text, and a report of the quoting enclave with such data.
const CERTIFICATES: u16 = 5;
const QUOTING_REPORT: u16 = 6;
/// Kinds of bodies of version 5.
const TDX_1_0: u16 = 2;
const TDX_1_5: u16 = 3;
/// Attributes of an enclave: initialised, and open to a debugger.
const ENCLAVE_INIT: u8 = 1;
const ENCLAVE_DEBUG: u8 = 2;
/// Attributes of a trust domain: everything that lets others look into it, bits 7 to 0.
const DOMAIN_DEBUG: u64 = 0xff;
/// It cannot be forced to handle pages that were taken from it.
const DOMAIN_SEPT_VE_DISABLE: u64 = 1 << 28;
/// Attributes that do not weaken it: that one, LASS, protection keys, key locker, and performance monitoring.
const DOMAIN_ALLOWED: u64 = DOMAIN_SEPT_VE_DISABLE | 1 << 27 | 1 << 30 | 1 << 31 | 1 << 63;

/// A quote that was taken apart.
pub struct Quote<'a> {
    /// What was measured.
    pub body: Body<'a>,
    /// Header and body, which are signed.
    pub signed: &'a [u8],
    /// Their signature, two numbers.
    pub signature: &'a [u8; 64],
    /// The key that made it, two coordinates.
    pub key: &'a [u8; 64],
    /// The quoting enclave's report, and its signature by the platform's key.
    pub quoting_report: &'a [u8; 384],
    /// That signature.
    pub quoting_signature: &'a [u8; 64],
    /// What the quoting enclave hashed with the key.
    pub quoting_data: &'a [u8],
    /// Certificates as text, the platform's first.
    pub chain: &'a [u8],
}

/// What was measured.
pub enum Body<'a> {
    /// An enclave of SGX.
    Enclave(Enclave<'a>),
    /// A trust domain of TDX.
    Domain(Domain<'a>),
}

/// A report of SGX.
pub struct Enclave<'a> {
    /// Which optional state is saved.
    pub misc_select: &'a [u8; 4],
    /// Attributes.
    pub attributes: &'a [u8; 16],
    /// Its measurement.
    pub mr_enclave: &'a [u8; 32],
    /// Who signed it.
    pub mr_signer: &'a [u8; 32],
    /// Its signer's product number.
    pub product: u16,
    /// Its version.
    pub version: u16,
    /// Bytes of its choice.
    pub report_data: &'a [u8; 64],
}

/// A report of TDX.
pub struct Domain<'a> {
    /// Versions of the TDX module and of firmware, at launch.
    pub tcb: &'a [u8; 16],
    /// The same now, of reports 1.5.
    pub tcb_now: Option<&'a [u8; 16]>,
    /// Who signed the TDX module.
    pub module_signer: &'a [u8; 48],
    /// The module's attributes.
    pub module_attributes: &'a [u8; 8],
    attributes: u64,
    registers: [&'a [u8; 48]; 5],
    service: Option<&'a [u8; 48]>,
    report_data: &'a [u8; 64],
}

impl<'a> Quote<'a> {
    /// Takes a quote apart.
    pub fn read(bytes: &'a [u8]) -> Result<Self, TeeError> {
        let malformed = TeeError::Malformed(Part::Quote);
        let unsupported = TeeError::Unsupported(Part::Quote);
        let mut fields = Fields::new(bytes);
        let version = fields.u16().ok_or(malformed)?;
        let (key_type, platform) = (fields.u16().ok_or(malformed)?, fields.u32().ok_or(malformed)?);
        let _versions = fields.u32().ok_or(malformed)?;
        let vendor = fields.array::<16>().ok_or(malformed)?;
        let _user_data = fields.array::<20>().ok_or(malformed)?;
        if key_type != KEY_TYPE || vendor != &VENDOR {
            return Err(unsupported);
        }
        let (body, body_len) = match (version, platform) {
            (3, SGX) => (fields.array().and_then(Enclave::read).map(Body::Enclave).ok_or(malformed)?, 384),
            (4, TDX) => (fields.array().and_then(Domain::read).map(Body::Domain).ok_or(malformed)?, 584),
            (5, TDX) => {
                let (kind, len) = (fields.u16().ok_or(malformed)?, fields.u32().ok_or(malformed)?);
                match (kind, len) {
                    (TDX_1_0, 584) => {
                        (fields.array().and_then(Domain::read).map(Body::Domain).ok_or(malformed)?, 6 + 584)
                    }
                    (TDX_1_5, 648) => {
                        (fields.array().and_then(Domain::read_1_5).map(Body::Domain).ok_or(malformed)?, 6 + 648)
                    }
                    _ => return Err(unsupported),
                }
            }
            _ => return Err(unsupported),
        };
        let signed = bytes.get(..HEADER_LEN.saturating_add(body_len)).ok_or(malformed)?;
        Self::rest(fields, body, signed, version == 3).ok_or(malformed)
    }

    /// Signature, key and certification data. From version 4 on, what is about the quoting enclave is certification data itself.
    fn rest(mut fields: Fields<'a>, body: Body<'a>, signed: &'a [u8], flat: bool) -> Option<Self> {
        let mut data = Fields::new(fields.sized()?);
        fields.end()?;
        let (signature, key) = (data.array()?, data.array()?);
        if !flat {
            if data.u16()? != QUOTING_REPORT {
                return None;
            }
            let inner = Fields::new(data.sized()?);
            data.end()?;
            data = inner;
        }
        let (quoting_report, quoting_signature) = (data.array()?, data.array()?);
        let len = usize::from(data.u16()?);
        let quoting_data = data.slice(len)?;
        if data.u16()? != CERTIFICATES {
            return None;
        }
        let chain = data.sized()?;
        data.end()?;
        Some(Self { body, signed, signature, key, quoting_report, quoting_signature, quoting_data, chain })
    }
}

impl<'a> Enclave<'a> {
    /// Takes a report apart.
    pub fn read(bytes: &'a [u8; 384]) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        let _cpu = fields.array::<16>()?;
        let misc_select = fields.array()?;
        let _reserved = fields.array::<28>()?;
        let attributes = fields.array()?;
        let mr_enclave = fields.array()?;
        let _reserved = fields.array::<32>()?;
        let mr_signer = fields.array()?;
        let _reserved = fields.array::<96>()?;
        let (product, version) = (fields.u16()?, fields.u16()?);
        let _reserved = fields.array::<60>()?;
        let report_data = fields.array()?;
        fields.end()?;
        Some(Self { misc_select, attributes, mr_enclave, mr_signer, product, version, report_data })
    }

    /// Whether it can be looked into, or was never initialised.
    pub fn check_attributes(&self) -> Result<(), TeeError> {
        let [flags, ..] = *self.attributes;
        if flags & ENCLAVE_DEBUG != 0 {
            return Err(TeeError::DebugMode);
        }
        if flags & ENCLAVE_INIT == 0 { Err(TeeError::Attributes) } else { Ok(()) }
    }
}

impl<'a> Domain<'a> {
    fn read(bytes: &'a [u8; 584]) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        let tcb = fields.array()?;
        let _module = fields.array::<48>()?;
        let (module_signer, module_attributes) = (fields.array()?, fields.array()?);
        let attributes = fields.u64()?;
        let _features = fields.u64()?;
        let domain = fields.array()?;
        let _configuration_and_owner = fields.array::<{ 3 * 48 }>()?;
        let registers = [domain, fields.array()?, fields.array()?, fields.array()?, fields.array()?];
        let report_data = fields.array()?;
        fields.end()?;
        Some(Self {
            tcb,
            tcb_now: None,
            module_signer,
            module_attributes,
            attributes,
            registers,
            service: None,
            report_data,
        })
    }

    fn read_1_5(bytes: &'a [u8; 648]) -> Option<Self> {
        let (first, rest) = bytes.split_first_chunk::<584>()?;
        let mut fields = Fields::new(rest);
        let (tcb_now, service) = (Some(fields.array()?), Some(fields.array()?));
        fields.end()?;
        Some(Self { tcb_now, service, ..Self::read(first)? })
    }

    fn check_attributes(&self) -> Result<(), TeeError> {
        if self.attributes & DOMAIN_DEBUG != 0 {
            return Err(TeeError::DebugMode);
        }
        let served = self.service.is_some_and(|service| service != &[0; 48]);
        let good = self.attributes & !DOMAIN_ALLOWED == 0 && self.attributes & DOMAIN_SEPT_VE_DISABLE != 0;
        if served || !good { Err(TeeError::Attributes) } else { Ok(()) }
    }
}

impl Body<'_> {
    /// Who measured.
    pub fn platform(&self) -> Platform {
        match self {
            Self::Enclave(_) => Platform::Sgx,
            Self::Domain(_) => Platform::Tdx,
        }
    }

    /// What is compared: of SGX the enclave and its signer; of TDX the domain at its start and the four registers that it extends.
    pub fn registers(&self) -> Vec<Vec<u8>> {
        match self {
            Self::Enclave(enclave) => vec![enclave.mr_enclave.to_vec(), enclave.mr_signer.to_vec()],
            Self::Domain(domain) => domain.registers.iter().map(|register| register.to_vec()).collect(),
        }
    }

    /// Bytes of the software's choice.
    pub fn report_data(&self) -> &[u8; 64] {
        match self {
            Self::Enclave(enclave) => enclave.report_data,
            Self::Domain(domain) => domain.report_data,
        }
    }

    /// Nobody can look into it or has a part in it.
    pub fn check_attributes(&self) -> Result<(), TeeError> {
        match self {
            Self::Enclave(enclave) => enclave.check_attributes(),
            Self::Domain(domain) => domain.check_attributes(),
        }
    }
}
