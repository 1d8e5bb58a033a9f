//! Documents that hardware made and vendors signed are accepted, and say what they say.
use assay_verifier::receipt::Grade;
use assay_verifier::settlement::node::Platform;
use assay_verifier::tee::dcap::{Quoted, TcbStatus};
use assay_verifier::tee::roots::{VENDOR_ROOTS, is_vendor};
use assay_verifier::tee::{Evidence, Policy, SnpTcb, TeeError, authenticate};
use assay_verifier::wire;

use super::support::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn nitro_document() {
    let found = genuine(&nitro(), NITRO_MS + 1_000).unwrap();
    assert_eq!((found.platform, found.grade(), found.tcb), (Platform::Nitro, Grade::Production, None));
    assert_eq!(found.registers.len(), 3);
    assert!(hex(&found.registers[0]).starts_with("ec74bfbe7f7445a6c7610e152935e028"));
    assert!(hex(&found.registers[2]).starts_with("56ba201a72e36cd051e95e5c4724c899"));
    assert_eq!(found.issued_ms, Some(NITRO_MS));
    // The certificate of the enclave ends first: 2024-11-30T19:22:48Z.
    assert_eq!(found.expires_ms, 1_732_994_568_000);
    assert_eq!((found.carried.digest.len(), found.carried.nonce.len()), (0, 0));
    assert_eq!(found.check_binding(&binding()), Err(TeeError::WrongNonce));
}

#[test]
fn tdx_quotes() {
    let found = genuine(&Evidence::Dcap(dcap("tdx")), DCAP_MS).unwrap();
    assert_eq!((found.platform, found.tcb), (Platform::Tdx, Some(TcbStatus::UpToDate)));
    assert_eq!(found.registers.iter().map(Vec::len).collect::<Vec<_>>(), [48; 5]);
    assert!(hex(&found.carried.digest).starts_with("9a9d48e7f6799642d3d1b34e1e5e1742"));
    assert_eq!(found.expires_ms, DCAP_MS + Policy::usual(Grade::Production).lifetime_ms);
    // A year later Intel says something else of the same platform.
    let later = Quoted { collateral: collateral("tdx_later"), ..dcap("tdx") };
    assert_eq!(genuine(&Evidence::Dcap(later), LATER_MS).unwrap().tcb, Some(TcbStatus::OutOfDate));
    // Version 5 of quotes, version 1.5 of reports. All of it holds, but the platform reaches no level.
    assert_eq!(genuine(&Evidence::Dcap(dcap("tdx_1_5")), TDX_1_5_MS), Err(TeeError::NoTcbLevel));
}

#[test]
fn sgx_quote() {
    let found = genuine(&Evidence::Dcap(dcap("sgx")), DCAP_MS).unwrap();
    let tcb = Some(TcbStatus::ConfigurationAndSwHardeningNeeded);
    assert_eq!((found.platform, found.tcb), (Platform::Sgx, tcb));
    assert_eq!(found.registers.iter().map(Vec::len).collect::<Vec<_>>(), [32; 2]);
    assert_eq!(&found.carried.digest[..13], b"Hello, world!");
}

#[test]
fn snp_report() {
    let found = genuine(&Evidence::Snp(snp("snp")), SNP_MS).unwrap();
    assert_eq!((found.platform, found.tcb, found.issued_ms), (Platform::Snp, None, None));
    assert_eq!(found.registers.iter().map(Vec::len).collect::<Vec<_>>(), [48, 32]);
    let least = SnpTcb { boot_loader: 3, tee: 0, snp: 8, microcode: 115 };
    let policy = Policy { snp_tcb_min: least, ..lenient(Grade::Production) };
    assert!(authenticate(&Evidence::Snp(snp("snp")), &vendors(), &policy, SNP_MS).is_ok());
}

#[test]
fn evidence_has_one_encoding() {
    for evidence in [nitro(), Evidence::Dcap(dcap("tdx")), Evidence::Snp(snp("snp"))] {
        let bytes = wire::bytes(&evidence);
        assert_eq!(wire::decode_untagged::<Evidence>(&bytes).unwrap(), evidence);
        assert_eq!(evidence.digest(), wire::decode_untagged::<Evidence>(&bytes).unwrap().digest());
    }
}

#[test]
fn roots_are_those_of_the_vendors_files() {
    let files = [
        ("aws-nitro-g1", "aws_nitro_root_g1.der"),
        ("intel-sgx", "intel_sgx_root_ca.der"),
        ("amd-milan", "amd_ark_milan.der"),
        ("amd-genoa", "amd_ark_genoa.der"),
        ("amd-turin", "amd_ark_turin.der"),
    ];
    assert_eq!(files.len(), VENDOR_ROOTS.len());
    for (root, (name, file)) in VENDOR_ROOTS.iter().zip(files) {
        assert_eq!((root.name, root.certificate), (name, root_of(file)));
    }
    assert!(is_vendor(Platform::Tdx, root_of("intel_sgx_root_ca.der")));
    assert!(!is_vendor(Platform::Nitro, root_of("intel_sgx_root_ca.der")));
    assert!(!is_vendor(Platform::Nitro, attester().roots()[0].certificate));
}
