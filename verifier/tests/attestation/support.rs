//! Documents of vendors from `fixtures/attestation`, and simulated ones.
use std::fs;
use std::path::Path;

use assay_verifier::digest::Digest32;
use assay_verifier::receipt::Grade;
use assay_verifier::settlement::node::Platform;
use assay_verifier::settlement::parameters::TrustRoot;
use assay_verifier::signature::SigningKey;
use assay_verifier::tee::dcap::{Collateral, Quoted, TcbStatus, pem};
use assay_verifier::tee::nitro::Document;
use assay_verifier::tee::roots::VENDOR_ROOTS;
use assay_verifier::tee::snp::Report;
use assay_verifier::tee::software::{Attester, Claims};
use assay_verifier::tee::{Attested, Binding, Evidence, Policy, TeeError, authenticate};
use assay_verifier::wire::Bytes;
use sha2::{Digest, Sha256};

/// 2024-11-30, as the document says.
pub const NITRO_MS: u64 = 0x193_7de1_c543;
/// 2025-06-25, within the month of the collateral.
pub const DCAP_MS: u64 = 1_750_809_600_000;
/// 2026-10-20, within that of the later collateral.
pub const LATER_MS: u64 = 1_792_454_400_000;
/// 2026-02-25.
pub const TDX_1_5_MS: u64 = 1_772_000_000_000;
/// 2024-01-01.
pub const SNP_MS: u64 = 1_704_067_200_000;
/// When simulated documents are made.
pub const NOW_MS: u64 = 1_790_000_000_000;

pub fn file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/attestation").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn bytes(name: &str) -> Bytes {
    Bytes(file(name))
}

pub fn nitro() -> Evidence {
    Evidence::Nitro(Document(bytes("nitro.cose")))
}

/// A quote with its collateral.
pub fn dcap(name: &str) -> Quoted {
    Quoted { quote: bytes(&format!("{name}.quote")), collateral: collateral(name) }
}

/// Collateral as Intel's services give it.
pub fn collateral(name: &str) -> Collateral {
    let json: serde_json::Value = serde_json::from_slice(&file(&format!("{name}.collateral.json"))).unwrap();
    let text = |field: &str| json[field].as_str().unwrap().to_string();
    let hex = |field: &str| {
        let digits = text(field);
        let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        Bytes((0..digits.len()).step_by(2).map(byte).collect())
    };
    let signers = ["tcb_info_issuer_chain", "qe_identity_issuer_chain"]
        .map(|field| pem::certificates(text(field).as_bytes()).unwrap());
    assert_eq!(signers[0], signers[1]);
    Collateral {
        tcb_info: text("tcb_info"),
        tcb_info_signature: hex("tcb_info_signature"),
        identity: text("qe_identity"),
        identity_signature: hex("qe_identity_signature"),
        signer: Bytes(signers[0][0].clone()),
        root_list: hex("root_ca_crl"),
        pck_list: hex("pck_crl"),
    }
}

pub fn snp(name: &str) -> Report {
    Report {
        report: bytes(&format!("{name}.report")),
        vcek: bytes(&format!("{name}.vcek.der")),
        ask: bytes("amd_ask_milan.der"),
        ark: bytes("amd_ark_milan.der"),
    }
}

pub fn root_of(file_name: &str) -> Digest32 {
    Digest32(Sha256::digest(file(file_name)).into())
}

/// All roots of vendors.
pub fn vendors() -> Vec<TrustRoot> {
    let each = |root: &assay_verifier::tee::roots::VendorRoot| {
        let certificate = root.certificate;
        let of = move |platform: &Platform| TrustRoot { platform: *platform, certificate, grade: Grade::Production };
        root.platforms.iter().map(of).collect::<Vec<_>>()
    };
    VENDOR_ROOTS.iter().flat_map(each).collect()
}

/// A policy that accepts every status, so that other things are tested.
pub fn lenient(grade: Grade) -> Policy {
    use TcbStatus::*;
    let all = [
        UpToDate,
        SwHardeningNeeded,
        ConfigurationNeeded,
        ConfigurationAndSwHardeningNeeded,
        OutOfDate,
        OutOfDateConfigurationNeeded,
        Revoked,
    ];
    Policy { tcb_statuses: all.to_vec(), ..Policy::usual(grade) }
}

/// What vendors' roots say of a document.
pub fn genuine(evidence: &Evidence, now_ms: u64) -> Result<Attested, TeeError> {
    authenticate(evidence, &vendors(), &lenient(Grade::Production), now_ms)
}

pub fn attester() -> Attester {
    Attester::from_seed([7; 32])
}

pub fn binding() -> Binding {
    Binding::new("chain", SigningKey::from_seed([1; 32]).public(), [9; 32])
}

pub fn claims(registers: usize) -> Claims {
    let registers = (1u8..).take(registers).map(|number| vec![number; 48]).collect();
    Claims { registers, binding: binding(), time_ms: NOW_MS, lifetime_ms: 3_600_000 }
}

/// What the attester's own roots say of a document, a second after it was made.
pub fn simulated(evidence: &Evidence) -> Result<Attested, TeeError> {
    authenticate(evidence, &attester().roots(), &Policy::usual(Grade::Simulated), NOW_MS + 1_000)
}
