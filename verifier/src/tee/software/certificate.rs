//! Certificates of the software attester.
use alloc::string::String;
use alloc::vec::Vec;

use super::key::Secret;
use super::{ORGANIZATION, der};
use crate::tee::calendar::generalized;

/// What a certificate shall say.
#[derive(Clone, Debug)]
pub struct Template {
    /// The name of the subject.
    pub name: String,
    /// The serial number.
    pub serial: u8,
    /// The first moment, in milliseconds since 1970.
    pub from_ms: u64,
    /// The last one.
    pub to_ms: u64,
    /// Whether it may sign others, and how many may be between those and the leaf.
    pub authority: Option<u8>,
    /// The bits of `KeyUsage`.
    pub usage: u8,
    /// More extensions, none of them critical: number and value.
    pub extensions: Vec<(Vec<u8>, Vec<u8>)>,
}

/// `commonName` and `organizationName`.
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
const ORGANIZATION_NAME: [u8; 3] = [0x55, 0x04, 0x0a];

impl Template {
    /// An authority, with at most so many others below it.
    pub fn authority(name: &str, from_ms: u64, to_ms: u64, path_len: u8) -> Self {
        let authority = Some(path_len);
        Self { name: name.into(), serial: 1, from_ms, to_ms, authority, usage: 0x06, extensions: Vec::new() }
    }

    /// What signs documents.
    pub fn leaf(name: &str, from_ms: u64, to_ms: u64) -> Self {
        Self { name: name.into(), serial: 2, from_ms, to_ms, authority: None, usage: 0x80, extensions: Vec::new() }
    }

    /// The certificate, as DER.
    pub(super) fn issue(&self, subject: &Secret, issuer_name: &str, issuer: &Secret) -> Vec<u8> {
        let moment = |ms| der::item(0x18, generalized(ms).as_bytes());
        let mut constraints = Vec::new();
        if let Some(path_len) = self.authority {
            constraints = [der::truth(), der::unsigned(&[path_len])].to_vec();
        }
        let usage = der::item(crate::tee::der::BIT_STRING, &[0, self.usage]);
        let mut extensions = [
            extension(&[0x55, 0x1d, 0x13], true, &der::sequence(&constraints)),
            extension(&[0x55, 0x1d, 0x0f], true, &usage),
        ]
        .to_vec();
        extensions.extend(self.extensions.iter().map(|(oid, value)| extension(oid, false, value)));
        issuer.signed(der::sequence(&[
            der::item(0xa0, &der::unsigned(&[2])),
            der::unsigned(&[self.serial]),
            issuer.algorithm(),
            name(issuer_name),
            der::sequence(&[moment(self.from_ms), moment(self.to_ms)]),
            name(&self.name),
            subject.info(),
            der::item(0xa3, &der::sequence(&extensions)),
        ]))
    }
}

fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let mark = if critical { der::truth() } else { Vec::new() };
    der::sequence(&[der::oid(oid), mark, der::octets(value)])
}

/// A name of two parts, so that everybody who looks at a certificate sees what it is.
pub(super) fn name(common: &str) -> Vec<u8> {
    let part =
        |oid: &[u8], text: &str| der::item(0x31, &der::sequence(&[der::oid(oid), der::item(0x0c, text.as_bytes())]));
    der::sequence(&[part(&ORGANIZATION_NAME, ORGANIZATION), part(&COMMON_NAME, common)])
}
