//! The quoting enclave, as Intel describes it.
use alloc::string::String;
use alloc::vec::Vec;
use serde::Deserialize;

use super::quote::Enclave;
use super::status::TcbStatus;
use super::tcb::hex;
use crate::tee::TeeError;

/// The JSON object `enclaveIdentity`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    id: String,
    version: u32,
    /// When it was issued.
    pub issue_date: String,
    /// When the next one comes.
    pub next_update: String,
    miscselect: String,
    miscselect_mask: String,
    attributes: String,
    attributes_mask: String,
    mrsigner: String,
    isvprodid: u16,
    tcb_levels: Vec<Level>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Level {
    tcb: Version,
    tcb_status: TcbStatus,
}

#[derive(Debug, Deserialize)]
struct Version {
    isvsvn: u16,
}

impl Identity {
    /// The status of the enclave with this report, if it is the one that is described.
    pub fn status(&self, report: &Enclave<'_>, for_domains: bool) -> Result<TcbStatus, TeeError> {
        let known = matches!((self.id.as_str(), self.version, for_domains), ("QE", 2, false) | ("TD_QE", 2 | 3, true));
        let described = || {
            let signer: [u8; 32] = hex(&self.mrsigner)?;
            let misc = masked(report.misc_select, &hex(&self.miscselect)?, &hex(&self.miscselect_mask)?);
            let attributes = masked(report.attributes, &hex(&self.attributes)?, &hex(&self.attributes_mask)?);
            Some(misc && attributes && report.mr_signer == &signer && report.product == self.isvprodid)
        };
        report.check_attributes()?;
        if !known || described() != Some(true) {
            return Err(TeeError::QuotingEnclave);
        }
        let level = self.tcb_levels.iter().find(|level| level.tcb.isvsvn <= report.version);
        level.map(|level| level.tcb_status).ok_or(TeeError::NoTcbLevel)
    }
}

/// Whether bytes are as described, where the mask says that it matters.
pub fn masked<const N: usize>(bytes: &[u8; N], expected: &[u8; N], mask: &[u8; N]) -> bool {
    bytes.iter().zip(expected).zip(mask).all(|((byte, expected), mask)| byte & mask == expected & mask)
}
