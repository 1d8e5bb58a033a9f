//! Genuine documents that the policy refuses: age, grade, roots, firmware, debug mode.
use assay_verifier::receipt::Grade;
use assay_verifier::settlement::node::Platform;
use assay_verifier::settlement::parameters::TrustRoot;
use assay_verifier::tee::dcap::{Quoted, TcbStatus};
use assay_verifier::tee::{ChainError, Evidence, Part, Policy, SnpTcb, TeeError, authenticate, verify};

use super::support::*;

/// Genuine documents with a time at which they hold.
fn all() -> Vec<(Platform, Evidence, u64)> {
    vec![
        (Platform::Nitro, nitro(), NITRO_MS),
        (Platform::Tdx, Evidence::Dcap(dcap("tdx")), DCAP_MS),
        (Platform::Sgx, Evidence::Dcap(dcap("sgx")), DCAP_MS),
        (Platform::Snp, Evidence::Snp(snp("snp")), SNP_MS),
    ]
}

#[test]
fn roots_count_for_their_platform_only() {
    for (platform, evidence, now) in all() {
        let policy = lenient(Grade::Production);
        let without: Vec<_> = vendors().into_iter().filter(|root| root.platform != platform).collect();
        assert_eq!(authenticate(&evidence, &without, &policy, now), Err(TeeError::UnknownRoot), "{platform:?}");
        assert_eq!(authenticate(&evidence, &attester().roots(), &policy, now), Err(TeeError::UnknownRoot));
        let other = |root: TrustRoot| TrustRoot { platform: Platform::Snp, ..root };
        let renamed: Vec<_> = without.iter().copied().map(other).collect();
        assert_eq!(authenticate(&evidence, &renamed, &policy, now), Err(TeeError::UnknownRoot));
    }
}

#[test]
fn grades_do_not_meet() {
    for (platform, evidence, now) in all() {
        let simulated = lenient(Grade::Simulated);
        assert_eq!(authenticate(&evidence, &vendors(), &simulated, now), Err(TeeError::WrongGrade), "{platform:?}");
        let marked: Vec<_> = vendors().iter().map(|root| TrustRoot { grade: Grade::Simulated, ..*root }).collect();
        let production = lenient(Grade::Production);
        assert_eq!(authenticate(&evidence, &marked, &production, now), Err(TeeError::WrongGrade));
    }
}

#[test]
fn time() {
    let cases = [
        // The enclave's certificate is valid from two seconds before the document was made, for three hours.
        (nitro(), NITRO_MS - 10_000, TeeError::Chain(ChainError::NotYetValid)),
        (nitro(), NITRO_MS + 400_000, TeeError::Stale(Part::Document)),
        (nitro(), NITRO_MS + 4 * 3_600_000, TeeError::Chain(ChainError::Expired)),
        // The statements begin on 2025-06-19 and end on 2025-07-19; lists lie around them.
        (Evidence::Dcap(dcap("tdx")), DCAP_MS - 30 * 86_400_000, TeeError::FromTheFuture(Part::RevocationList)),
        (Evidence::Dcap(dcap("tdx")), DCAP_MS + 60 * 86_400_000, TeeError::Stale(Part::RevocationList)),
        (Evidence::Dcap(dcap("tdx")), 4_000_000_000_000, TeeError::Chain(ChainError::Expired)),
        (Evidence::Snp(snp("snp")), 1_500_000_000_000, TeeError::Chain(ChainError::NotYetValid)),
        (Evidence::Snp(snp("snp")), 2_000_000_000_000, TeeError::Chain(ChainError::Expired)),
    ];
    for (at, (evidence, now, error)) in cases.into_iter().enumerate() {
        assert_eq!(genuine(&evidence, now), Err(error), "case {at}");
    }
}

#[test]
fn firmware() {
    let usual = Policy::usual(Grade::Production);
    let sgx = Evidence::Dcap(dcap("sgx"));
    let status = TcbStatus::ConfigurationAndSwHardeningNeeded;
    assert_eq!(authenticate(&sgx, &vendors(), &usual, DCAP_MS), Err(TeeError::TcbStatus(status)));
    let later = Quoted { collateral: collateral("tdx_later"), ..dcap("tdx") };
    let refused = authenticate(&Evidence::Dcap(later), &vendors(), &usual, LATER_MS);
    assert_eq!(refused, Err(TeeError::TcbStatus(TcbStatus::OutOfDate)));
    assert!(authenticate(&Evidence::Dcap(dcap("tdx")), &vendors(), &usual, DCAP_MS).is_ok());
    let exact = SnpTcb { boot_loader: 3, tee: 0, snp: 8, microcode: 115 };
    let newer = [
        SnpTcb { boot_loader: 4, ..exact },
        SnpTcb { tee: 1, ..exact },
        SnpTcb { snp: 9, ..exact },
        SnpTcb { microcode: 116, ..exact },
    ];
    for snp_tcb_min in newer {
        let policy = Policy { snp_tcb_min, ..usual.clone() };
        let refused = authenticate(&Evidence::Snp(snp("snp")), &vendors(), &policy, SNP_MS);
        assert_eq!(refused, Err(TeeError::TcbTooOld), "{snp_tcb_min:?}");
    }
}

#[test]
fn a_genuine_report_of_a_guest_that_can_be_debugged() {
    assert_eq!(genuine(&Evidence::Snp(snp("snp_debug")), SNP_MS), Err(TeeError::DebugMode));
}

#[test]
fn collateral_of_another_platform_or_kind() {
    let mixed = |quote: &str, collateral: &str| {
        let mut mixed = dcap(quote);
        mixed.collateral = dcap(collateral).collateral;
        // The list is of the quote's own authority, so that what is about firmware is reached.
        mixed.collateral.pck_list = dcap(quote).collateral.pck_list;
        Evidence::Dcap(mixed)
    };
    // The quoting enclave of TDX is not that of SGX.
    assert_eq!(genuine(&mixed("tdx", "sgx"), DCAP_MS), Err(TeeError::QuotingEnclave));
    assert_eq!(genuine(&mixed("sgx", "tdx"), DCAP_MS), Err(TeeError::QuotingEnclave));
    let mut other = dcap("tdx");
    other.collateral.pck_list = dcap("sgx").collateral.pck_list;
    assert_eq!(genuine(&Evidence::Dcap(other), DCAP_MS), Err(TeeError::Chain(ChainError::Issuer)));
    // Firmware of another model.
    let mut other = dcap("tdx");
    let sgx = dcap("sgx").collateral;
    (other.collateral.tcb_info, other.collateral.tcb_info_signature) = (sgx.tcb_info, sgx.tcb_info_signature);
    assert_eq!(genuine(&Evidence::Dcap(other), DCAP_MS), Err(TeeError::NoTcbLevel));
}

#[test]
fn certificates_of_another_chip() {
    let other = assay_verifier::tee::snp::Report { vcek: snp("snp_debug").vcek, ..snp("snp") };
    assert_eq!(genuine(&Evidence::Snp(other), SNP_MS), Err(TeeError::Signature(Part::Report)));
    let mut other = snp("snp");
    other.ask.0 = file("amd_ark_milan.der");
    assert_eq!(genuine(&Evidence::Snp(other), SNP_MS), Err(TeeError::Chain(ChainError::Issuer)));
    let mut other = snp("snp");
    other.ark.0 = file("amd_ark_genoa.der");
    assert_eq!(genuine(&Evidence::Snp(other), SNP_MS), Err(TeeError::Chain(ChainError::Issuer)));
}

#[test]
fn the_measurement_must_be_approved() {
    let evidence = attester().nitro(&claims(3)).sign();
    let policy = Policy::usual(Grade::Simulated);
    let ask =
        |approved: bool| verify(&evidence, &attester().roots(), &policy, &binding(), |_| approved, NOW_MS + 1_000);
    let found = ask(true).unwrap();
    assert_eq!(ask(false), Err(TeeError::MeasurementNotApproved));
    let only = |id: &[u8; 32]| *id == found.measurement();
    assert!(verify(&evidence, &attester().roots(), &policy, &binding(), only, NOW_MS + 1_000).is_ok());
}
