//! The node's enclave, as the ledger and the document have it.
use assay_verifier::audit::Report;
use assay_verifier::receipt::Grade;
use assay_verifier::settlement::node::{Attestation, Platform};
use serde::Serialize;

use super::Lines;
use super::time::date;

/// What is known of an enclave.
#[derive(Serialize)]
pub struct Enclave {
    /// `nitro`, `tdx`, `sgx` or `snp`.
    platform: &'static str,
    /// `production` or `simulated`.
    grade: &'static str,
    /// Identity of what was measured.
    measurement: String,
    /// Name and version of the software, in the words of whoever approved it.
    software: Option<String>,
    /// SHA-256 of the root certificate.
    root: String,
    /// Digest of the evidence.
    evidence: String,
    /// When the ledger verified it.
    attested_ms: u64,
    /// The first moment at which it no longer counts.
    expires_ms: u64,
    /// When the document was made, if it says so and was verified again.
    issued_ms: Option<u64>,
    /// Status of the platform's firmware, of TDX and SGX.
    firmware: Option<String>,
}

impl Enclave {
    /// What a report has of the attestation that the ledger has.
    pub fn new(report: &Report) -> Option<Self> {
        let Attestation { platform, root, grade: worth, measurement, evidence, verified_ms, expires_ms, .. } =
            report.attestation.as_ref()?.record;
        let document = report.enclave.as_ref();
        Some(Self {
            platform: name(platform),
            grade: grade(worth),
            measurement: hex::encode(measurement),
            software: report.measurement.as_ref().map(|approved| approved.record.software.clone()),
            root: root.to_string(),
            evidence: evidence.to_string(),
            attested_ms: verified_ms,
            expires_ms,
            issued_ms: document.and_then(|document| document.issued_ms),
            firmware: document.and_then(|document| document.tcb).map(|status| format!("{status:?}")),
        })
    }

    /// For people.
    pub fn lines(&self, lines: &mut Lines) {
        let firmware = self.firmware.as_ref().map(|status| format!(", firmware {status}")).unwrap_or_default();
        lines.push(("enclave", format!("{}, {} evidence{firmware}", self.platform, self.grade)));
        lines.push(("measurement", self.measurement.clone()));
        lines.extend(self.software.iter().map(|software| ("", format!("approved as {software:?}"))));
        lines.push(("attested", format!("{}, until {}", date(self.attested_ms), date(self.expires_ms))));
    }
}

fn name(platform: Platform) -> &'static str {
    match platform {
        Platform::Nitro => "nitro",
        Platform::Tdx => "tdx",
        Platform::Sgx => "sgx",
        Platform::Snp => "snp",
    }
}

/// What evidence is worth.
pub fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::Production => "production",
        Grade::Simulated => "simulated",
    }
}
