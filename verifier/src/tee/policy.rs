//! What is accepted of documents that are genuine: their grade, their age, and how old the firmware below them may be.
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::dcap::TcbStatus;
use super::x509::Certificate;
use super::{Part, TeeError, software};
use crate::digest::Digest32;
use crate::receipt::Grade;
use crate::settlement::node::Platform;
use crate::settlement::parameters::TrustRoot;

/// How far ahead of the verifier's time a document's own time may lie: clocks differ, and time of blocks lags behind.
const SKEW_MS: u64 = 60_000;

/// What is accepted. It is part of a chain's rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The one grade that counts. All roots of a chain have it, so real and simulated evidence never meet.
    pub grade: Grade,
    /// How old a document may be when it is shown, if it says when it was made.
    pub age_max_ms: u64,
    /// How long a document counts after it was shown, or made if it says when.
    pub lifetime_ms: u64,
    /// Statuses of Intel's firmware that are accepted, in order.
    pub tcb_statuses: Vec<TcbStatus>,
    /// The oldest firmware of AMD's that is accepted.
    pub snp_tcb_min: SnpTcb,
}

/// Versions of the firmware of SEV-SNP. Every one of them must be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnpTcb {
    /// Of the boot loader of the security processor.
    pub boot_loader: u8,
    /// Of its operating system.
    pub tee: u8,
    /// Of the SNP firmware.
    pub snp: u8,
    /// Of the microcode.
    pub microcode: u8,
}

impl SnpTcb {
    /// Whether no version is below the other's.
    pub fn reaches(&self, least: &Self) -> bool {
        self.boot_loader >= least.boot_loader
            && self.tee >= least.tee
            && self.snp >= least.snp
            && self.microcode >= least.microcode
    }
}

impl Policy {
    /// What is usual: documents of five minutes at most, which count for a day, on firmware without known faults.
    pub fn usual(grade: Grade) -> Self {
        Self {
            grade,
            age_max_ms: 300_000,
            lifetime_ms: 86_400_000,
            tcb_statuses: [TcbStatus::UpToDate, TcbStatus::SwHardeningNeeded].into(),
            snp_tcb_min: SnpTcb::default(),
        }
    }

    /// The root that a certificate is, which must be trusted for the platform and of the policy's grade. What says of itself that it is
    /// simulated is never of another grade, whoever trusts it.
    pub(super) fn root(
        &self,
        roots: &[TrustRoot],
        platform: Platform,
        certificate: &Certificate<'_>,
    ) -> Result<TrustRoot, TeeError> {
        let simulated = software::is_simulated(certificate);
        if simulated && self.grade != Grade::Simulated {
            return Err(TeeError::WrongGrade);
        }
        let digest = Digest32(Sha256::digest(certificate.der).into());
        let found = roots.iter().find(|root| root.platform == platform && root.certificate == digest);
        let root = found.ok_or(TeeError::UnknownRoot)?;
        if root.grade == self.grade { Ok(*root) } else { Err(TeeError::WrongGrade) }
    }

    /// A document that says when it was made is neither old nor from the future.
    pub(super) fn fresh(&self, part: Part, made_ms: u64, now_ms: u64) -> Result<(), TeeError> {
        if made_ms > now_ms.saturating_add(SKEW_MS) {
            return Err(TeeError::FromTheFuture(part));
        }
        if now_ms.saturating_sub(made_ms) > self.age_max_ms { Err(TeeError::Stale(part)) } else { Ok(()) }
    }

    /// Whether a status of firmware is accepted. That of compromised keys never is.
    pub(super) fn tcb(&self, status: TcbStatus) -> Result<(), TeeError> {
        let accepted = status != TcbStatus::Revoked && self.tcb_statuses.contains(&status);
        if accepted { Ok(()) } else { Err(TeeError::TcbStatus(status)) }
    }
}
