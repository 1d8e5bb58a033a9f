//! Quotes of TDX's format, version 4, with collateral.
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::certificate::name;
use super::key::Secret;
use super::{Claims, Keys, Template, chain, der};
use crate::settlement::node::Platform;
use crate::tee::calendar::{generalized, iso};
use crate::tee::dcap::{Collateral, Quoted};
use crate::tee::{Evidence, dcap};
use crate::wire::Bytes;

/// The simulated platform's model.
const FMSPC: [u8; 6] = *b"assay\0";
/// The domain's attributes: what every domain should have.
const SEPT_VE_DISABLE: u64 = 1 << 28;

/// A quote before it is signed.
#[derive(Clone)]
pub struct TdxDraft {
    keys: Keys,
    quote_key: Secret,
    signer_key: Secret,
    /// Its certificates, root first.
    pub chain: [Template; 3],
    /// The certificate of the collateral's signer.
    pub signer: Template,
    /// The domain's attributes.
    pub attributes: u64,
    /// The five registers.
    pub registers: Vec<Vec<u8>>,
    /// 64 bytes of the software's choice.
    pub report_data: Vec<u8>,
    /// Attributes of the quoting enclave.
    pub quoting_attributes: [u8; 16],
    /// The JSON object on firmware.
    pub tcb_info: String,
    /// The JSON object on the quoting enclave.
    pub identity: String,
    /// Serial numbers that the root and the authority revoked.
    pub revoked: [Vec<u8>; 2],
    /// When the lists are from, and when the next ones come.
    pub lists_ms: (u64, u64),
}

impl TdxDraft {
    pub(super) fn new(keys: Keys, [quote_key, signer_key]: [Secret; 2], claims: &Claims) -> Self {
        let (from, to) = (claims.time_ms, claims.time_ms.saturating_add(claims.lifetime_ms));
        let mut chain = chain(Platform::Tdx, claims);
        let [.., leaf] = &mut chain;
        leaf.extensions.push((dcap::SGX_EXTENSION.to_vec(), platform()));
        Self {
            keys,
            quote_key,
            signer_key,
            chain,
            signer: Template { serial: 3, ..Template::leaf("simulated Tdx signer", from, to) },
            attributes: SEPT_VE_DISABLE,
            registers: claims.registers.clone(),
            report_data: claims.binding.report_data().to_vec(),
            quoting_attributes: 1u128.to_le_bytes(),
            tcb_info: tcb_info(from, to),
            identity: identity(from, to),
            revoked: [Vec::new(), Vec::new()],
            lists_ms: (from, to),
        }
    }

    /// Signs quote and collateral.
    pub fn sign(&self) -> Evidence {
        let certificates = self.keys.issue(&self.chain);
        let Keys([root_key, authority_key, platform_key]) = &self.keys;
        let [root, authority, _] = &self.chain;
        let [of_root, of_authority] = &self.revoked;
        let signer = self.signer.issue(&self.signer_key, &root.name, root_key);
        let collateral = Collateral {
            tcb_info_signature: Bytes(self.signer_key.sign(self.tcb_info.as_bytes())),
            tcb_info: self.tcb_info.clone(),
            identity_signature: Bytes(self.signer_key.sign(self.identity.as_bytes())),
            identity: self.identity.clone(),
            signer: Bytes(signer),
            root_list: Bytes(self.list(root_key, &root.name, of_root)),
            pck_list: Bytes(self.list(authority_key, &authority.name, of_authority)),
        };
        let signed = self.signed();
        let key = self.quote_key.point().split_off(1);
        let report = self.quoting_report(&key);
        let quoting =
            [report.clone(), platform_key.sign(&report), 0u16.to_le_bytes().to_vec(), data(5, &pem(&certificates))];
        let authentication = [self.quote_key.sign(&signed), key, data(6, &quoting.concat())].concat();
        let quote = [signed, length(&authentication), authentication].concat();
        Evidence::Dcap(Quoted { quote: Bytes(quote), collateral })
    }

    /// Header and body.
    fn signed(&self) -> Vec<u8> {
        let header =
            [&4u16.to_le_bytes()[..], &2u16.to_le_bytes(), &0x81u32.to_le_bytes(), &[0; 4], &dcap::VENDOR, &[0; 20]];
        let mut body = Vec::new();
        // Versions of firmware, the TDX module, its signer and attributes.
        body.extend([0; 16 + 48 + 48 + 8]);
        body.extend(self.attributes.to_le_bytes());
        body.extend([0; 8]);
        let (first, others) = self.registers.split_at_checked(1).unwrap_or_default();
        body.extend(first.concat());
        body.extend([0; 3 * 48]);
        body.extend(others.concat());
        body.extend(&self.report_data);
        [header.concat(), body].concat()
    }

    /// The quoting enclave's report on the key that signs quotes.
    fn quoting_report(&self, key: &[u8]) -> Vec<u8> {
        let mut report = Vec::new();
        report.extend([0; 16 + 4 + 28]);
        report.extend(self.quoting_attributes);
        // Measurements are not compared, the signer is that of the identity.
        report.extend([0; 32 + 32 + 32 + 96]);
        report.extend(2u16.to_le_bytes());
        report.extend([0; 2 + 60]);
        report.extend(Sha256::digest(key));
        report.extend([0; 32]);
        report
    }

    fn list(&self, key: &Secret, issuer: &str, revoked: &[u8]) -> Vec<u8> {
        let (from, to) = self.lists_ms;
        let moment = |ms| der::item(0x18, generalized(ms).as_bytes());
        let entries: Vec<_> =
            revoked.iter().map(|serial| der::sequence(&[der::unsigned(&[*serial]), moment(from)])).collect();
        let entries = if entries.is_empty() { Vec::new() } else { der::sequence(&entries) };
        key.signed(der::sequence(&[
            der::unsigned(&[1]),
            key.algorithm(),
            name(issuer),
            moment(from),
            moment(to),
            entries,
        ]))
    }
}

fn length(bytes: &[u8]) -> Vec<u8> {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec()
}

/// Certification data.
fn data(kind: u16, bytes: &[u8]) -> Vec<u8> {
    [kind.to_le_bytes().to_vec(), length(bytes), bytes.to_vec()].concat()
}

/// Certificates as text, the platform's first.
fn pem(certificates: &[Vec<u8>]) -> Vec<u8> {
    let one =
        |der: &Vec<u8>| format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der));
    certificates.iter().rev().map(one).collect::<String>().into_bytes()
}

/// The extension that says what the platform is: everything at version zero.
fn platform() -> Vec<u8> {
    let oid = |rest: &[u8]| der::oid(&[dcap::SGX_EXTENSION, rest].concat());
    let version = |number| der::sequence(&[oid(&[2, number]), der::unsigned(&[0])]);
    let versions: Vec<_> = (1..=17).map(version).collect();
    der::sequence(&[
        der::sequence(&[oid(&[2]), der::sequence(&versions)]),
        der::sequence(&[oid(&[3]), der::octets(&[0; 2])]),
        der::sequence(&[oid(&[4]), der::octets(&FMSPC)]),
    ])
}

fn tcb_info(from: u64, to: u64) -> String {
    let zeros = |count: usize| "0".repeat(count.saturating_mul(2));
    let components = ["{\"svn\":0}"; 16].join(",");
    let fmspc: String = FMSPC.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "{{\"environment\":\"simulated\",\"id\":\"TDX\",\"version\":3,\"issueDate\":\"{}\",\"nextUpdate\":\"{}\",\
         \"fmspc\":\"{fmspc}\",\"pceId\":\"0000\",\"tdxModule\":{{\"mrsigner\":\"{}\",\"attributes\":\"{}\",\
         \"attributesMask\":\"{}\"}},\"tcbLevels\":[{{\"tcb\":{{\"sgxtcbcomponents\":[{components}],\"pcesvn\":0,\
         \"tdxtcbcomponents\":[{components}]}},\"tcbStatus\":\"UpToDate\"}}]}}",
        iso(from),
        iso(to),
        zeros(48),
        zeros(8),
        "f".repeat(16),
    )
}

fn identity(from: u64, to: u64) -> String {
    let zeros = |count: usize| "0".repeat(count.saturating_mul(2));
    format!(
        "{{\"environment\":\"simulated\",\"id\":\"TD_QE\",\"version\":2,\"issueDate\":\"{}\",\"nextUpdate\":\"{}\",\
         \"miscselect\":\"{}\",\"miscselectMask\":\"{}\",\"attributes\":\"01{}\",\"attributesMask\":\"{}\",\
         \"mrsigner\":\"{}\",\"isvprodid\":2,\"tcbLevels\":[{{\"tcb\":{{\"isvsvn\":0}},\"tcbStatus\":\"UpToDate\"}}]}}",
        iso(from),
        iso(to),
        zeros(4),
        zeros(4),
        zeros(15),
        "f".repeat(32),
        zeros(32),
    )
}
