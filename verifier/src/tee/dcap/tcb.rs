//! Firmware, as Intel judges it: the first level of Intel's list that a platform reaches says its status.
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use serde::Deserialize;

use super::identity::masked;
use super::pck;
use super::quote::{Body, Domain};
use super::status::TcbStatus;
use crate::tee::TeeError;

/// The JSON object `tcbInfo`, version 3.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TcbInfo {
    id: String,
    version: u32,
    /// When it was issued.
    pub issue_date: String,
    /// When the next one comes.
    pub next_update: String,
    fmspc: String,
    pce_id: String,
    tcb_levels: Vec<Level>,
    tdx_module: Option<Module>,
    #[serde(default)]
    tdx_module_identities: Vec<ModuleIdentity>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Level {
    tcb: Versions,
    tcb_status: TcbStatus,
}

#[derive(Debug, Deserialize)]
struct Versions {
    sgxtcbcomponents: Vec<Component>,
    #[serde(default)]
    tdxtcbcomponents: Vec<Component>,
    pcesvn: u16,
}

#[derive(Debug, Deserialize)]
struct Component {
    svn: u8,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Module {
    mrsigner: String,
    attributes: String,
    attributes_mask: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModuleIdentity {
    id: String,
    #[serde(flatten)]
    module: Module,
    tcb_levels: Vec<ModuleLevel>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModuleLevel {
    tcb: ModuleVersion,
    tcb_status: TcbStatus,
}

#[derive(Debug, Deserialize)]
struct ModuleVersion {
    isvsvn: u8,
}

/// Statuses of a quote's platform, with those of the quoting enclave and of the TDX module in them: at launch, and of reports 1.5 now too.
/// All of them must be accepted.
pub fn statuses(
    info: &TcbInfo,
    body: &Body<'_>,
    platform: &pck::Platform,
    quoting: TcbStatus,
) -> Result<Vec<TcbStatus>, TeeError> {
    let id = match body {
        Body::Enclave(_) => "SGX",
        Body::Domain(_) => "TDX",
    };
    let same = info.id == id
        && info.version == 3
        && hex(&info.fmspc) == Some(platform.fmspc)
        && hex(&info.pce_id) == Some(platform.pce_id);
    if !same {
        return Err(TeeError::NoTcbLevel);
    }
    let Body::Domain(domain) = body else {
        return Ok(vec![info.level(platform, None)?.with_part(quoting)]);
    };
    info.check_module(domain)?;
    let mut all = Vec::new();
    for tcb in [Some(domain.tcb), domain.tcb_now].into_iter().flatten() {
        let status = info.level(platform, Some(tcb))?;
        let module = info.module_identity(tcb)?.map(|identity| identity.status(tcb)).transpose()?;
        let status = module.map_or(status, |module| status.with_part(module));
        all.push(status.with_part(quoting));
    }
    Ok(all)
}

impl TcbInfo {
    /// The status of the first level that the platform reaches.
    fn level(&self, platform: &pck::Platform, domain: Option<&[u8; 16]>) -> Result<TcbStatus, TeeError> {
        let reached = |level: &&Level| {
            let Versions { sgxtcbcomponents, tdxtcbcomponents, pcesvn } = &level.tcb;
            reaches(&platform.components, sgxtcbcomponents, 0)
                && platform.pce_svn >= *pcesvn
                && domain.is_none_or(|domain| {
                    // The first two are the module's, which has its own levels if it says its version.
                    let skipped = if module_version(domain) == 0 { 0 } else { 2 };
                    reaches(domain, tdxtcbcomponents, skipped)
                })
        };
        self.tcb_levels.iter().find(reached).map(|level| level.tcb_status).ok_or(TeeError::NoTcbLevel)
    }

    /// The description of a module of this version. None if the module is from before there were versions.
    fn module_identity(&self, tcb: &[u8; 16]) -> Result<Option<&ModuleIdentity>, TeeError> {
        let version = module_version(tcb);
        if version == 0 {
            return Ok(None);
        }
        let id = format!("TDX_{version:02X}");
        self.tdx_module_identities.iter().find(|identity| identity.id == id).map(Some).ok_or(TeeError::NoTcbLevel)
    }

    /// The module is signed and configured as Intel describes it.
    fn check_module(&self, domain: &Domain<'_>) -> Result<(), TeeError> {
        let described = match self.module_identity(domain.tcb)? {
            Some(identity) => Some(&identity.module),
            None => self.tdx_module.as_ref(),
        };
        let same = described.and_then(|module| {
            let signer: [u8; 48] = hex(&module.mrsigner)?;
            let attributes =
                masked(domain.module_attributes, &hex(&module.attributes)?, &hex(&module.attributes_mask)?);
            Some(domain.module_signer == &signer && attributes)
        });
        if same == Some(true) { Ok(()) } else { Err(TeeError::TdxModule) }
    }
}

impl ModuleIdentity {
    fn status(&self, [version, ..]: &[u8; 16]) -> Result<TcbStatus, TeeError> {
        let level = self.tcb_levels.iter().find(|level| level.tcb.isvsvn <= *version);
        level.map(|level| level.tcb_status).ok_or(TeeError::NoTcbLevel)
    }
}

fn module_version([_, version, ..]: &[u8; 16]) -> u8 {
    *version
}

/// Whether no component is below the level's, which must name all of them.
fn reaches(have: &[u8; 16], needed: &[Component], skipped: usize) -> bool {
    let pairs = have.iter().zip(needed).skip(skipped);
    needed.len() == have.len() && pairs.into_iter().all(|(have, needed)| *have >= needed.svn)
}

/// Bytes of hexadecimal digits of either case.
pub fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok()));
        *byte = high? << 4 | low?;
    }
    Some(bytes)
}
