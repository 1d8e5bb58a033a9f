//! Documents of the software attester: accepted under its own roots, for one key, one chain and one nonce, and for nothing else.
use assay_verifier::receipt::Grade;
use assay_verifier::settlement::node::Platform;
use assay_verifier::settlement::parameters::TrustRoot;
use assay_verifier::signature::SigningKey;
use assay_verifier::tee::dcap::TcbStatus;
use assay_verifier::tee::software::Attester;
use assay_verifier::tee::{Binding, Evidence, Part, Policy, TeeError, authenticate};

use super::support::*;

fn both() -> [(Platform, Evidence); 2] {
    [(Platform::Nitro, attester().nitro(&claims(3)).sign()), (Platform::Tdx, attester().tdx(&claims(5)).sign())]
}

#[test]
fn accepted_under_their_own_roots() {
    for (platform, evidence) in both() {
        let found = simulated(&evidence).unwrap();
        assert_eq!((found.platform, found.grade()), (platform, Grade::Simulated));
        assert_eq!(found.check_binding(&binding()), Ok(()));
        assert_eq!(found.expires_ms, NOW_MS + 3_600_000);
        assert_eq!(found.registers[1], [2; 48]);
        assert_eq!(found.tcb, (platform == Platform::Tdx).then_some(TcbStatus::UpToDate));
    }
}

#[test]
fn refused_everywhere_else() {
    for (_, evidence) in both() {
        let production = Policy::usual(Grade::Production);
        let ask = |roots: &[_], policy| authenticate(&evidence, roots, policy, NOW_MS);
        assert_eq!(ask(&vendors(), &production), Err(TeeError::WrongGrade));
        assert_eq!(ask(&attester().roots(), &production), Err(TeeError::WrongGrade));
        // Not even where somebody takes the root for a vendor's.
        let mistaken = attester().roots().map(|root| TrustRoot { grade: Grade::Production, ..root });
        assert_eq!(ask(&mistaken, &production), Err(TeeError::WrongGrade));
        let other = Attester::from_seed([8; 32]).roots();
        assert_eq!(ask(&other, &Policy::usual(Grade::Simulated)), Err(TeeError::UnknownRoot));
    }
}

#[test]
fn bound_to_key_chain_and_nonce() {
    let key = SigningKey::from_seed([1; 32]).public();
    let other_key = SigningKey::from_seed([2; 32]).public();
    for (_, evidence) in both() {
        let found = simulated(&evidence).unwrap();
        assert_eq!(found.check_binding(&Binding::new("chain", key, [9; 32])), Ok(()));
        assert_eq!(found.check_binding(&Binding::new("chain", other_key, [9; 32])), Err(TeeError::WrongBinding));
        assert_eq!(found.check_binding(&Binding::new("chain2", key, [9; 32])), Err(TeeError::WrongBinding));
        assert_eq!(found.check_binding(&Binding::new("chain", key, [8; 32])), Err(TeeError::WrongNonce));
    }
}

#[test]
fn debug_modes() {
    let mut draft = attester().nitro(&claims(3));
    draft.registers[0] = vec![0; 48];
    assert_eq!(simulated(&draft.sign()), Err(TeeError::DebugMode));
    for bit in 0..8 {
        let mut draft = attester().tdx(&claims(5));
        draft.attributes |= 1 << bit;
        assert_eq!(simulated(&draft.sign()), Err(TeeError::DebugMode), "bit {bit}");
    }
    // Migration, no protection from pages that vanish, bits that nobody knows.
    let plain = attester().tdx(&claims(5));
    for attributes in [plain.attributes | 1 << 29, 0, plain.attributes | 1 << 12, plain.attributes | 1 << 40] {
        let mut draft = plain.clone();
        draft.attributes = attributes;
        assert_eq!(simulated(&draft.sign()), Err(TeeError::Attributes), "{attributes:x}");
    }
    let mut draft = plain;
    draft.quoting_attributes[0] |= 2;
    assert_eq!(simulated(&draft.sign()), Err(TeeError::DebugMode));
    draft.quoting_attributes[0] = 5;
    assert_eq!(simulated(&draft.sign()), Err(TeeError::QuotingEnclave));
}

#[test]
fn age() {
    let mut draft = attester().nitro(&claims(3));
    draft.timestamp_ms = NOW_MS - 300_000;
    assert_eq!(simulated(&draft.sign()), Err(TeeError::Stale(Part::Document)));
    draft.timestamp_ms = NOW_MS - 299_000;
    assert!(simulated(&draft.sign()).is_ok());
    draft.timestamp_ms = NOW_MS + 61_001;
    assert_eq!(simulated(&draft.sign()), Err(TeeError::FromTheFuture(Part::Document)));
    // A policy's lifetime can end before the certificates do.
    let policy = Policy { lifetime_ms: 1_000, ..Policy::usual(Grade::Simulated) };
    let nitro = authenticate(&attester().nitro(&claims(3)).sign(), &attester().roots(), &policy, NOW_MS + 500);
    assert_eq!(nitro.unwrap().expires_ms, NOW_MS + 1_000);
    let tdx = authenticate(&attester().tdx(&claims(5)).sign(), &attester().roots(), &policy, NOW_MS + 500);
    assert_eq!(tdx.unwrap().expires_ms, NOW_MS + 1_500);
}

#[test]
fn statements_on_firmware() {
    let plain = attester().tdx(&claims(5));
    let changed = |from: &str, to: &str| {
        let mut draft = plain.clone();
        assert!(draft.tcb_info.contains(from), "{from}");
        draft.tcb_info = draft.tcb_info.replace(from, to);
        simulated(&draft.sign()).map(|found| found.tcb)
    };
    let refused = |status| Err(TeeError::TcbStatus(status));
    assert_eq!(changed("UpToDate", "SWHardeningNeeded"), Ok(Some(TcbStatus::SwHardeningNeeded)));
    assert_eq!(changed("UpToDate", "OutOfDate"), refused(TcbStatus::OutOfDate));
    assert_eq!(changed("UpToDate", "ConfigurationNeeded"), refused(TcbStatus::ConfigurationNeeded));
    assert_eq!(changed("UpToDate", "Revoked"), refused(TcbStatus::Revoked));
    assert_eq!(changed("UpToDate", "Excellent"), Err(TeeError::Malformed(Part::TcbInfo)));
    assert_eq!(changed("{\"svn\":0}", "{\"svn\":1}"), Err(TeeError::NoTcbLevel));
    assert_eq!(changed("\"pcesvn\":0", "\"pcesvn\":1"), Err(TeeError::NoTcbLevel));
    assert_eq!(changed("\"id\":\"TDX\"", "\"id\":\"SGX\""), Err(TeeError::NoTcbLevel));
    assert_eq!(changed("\"version\":3", "\"version\":2"), Err(TeeError::NoTcbLevel));
    assert_eq!(changed("\"pceId\":\"0000\"", "\"pceId\":\"0001\""), Err(TeeError::NoTcbLevel));
    assert_eq!(changed("61737361", "61737362"), Err(TeeError::NoTcbLevel));
    assert_eq!(changed("\"mrsigner\":\"00", "\"mrsigner\":\"01"), Err(TeeError::TdxModule));
    assert_eq!(changed("\"issueDate\":\"2026", "\"issueDate\":\"2027"), Err(TeeError::FromTheFuture(Part::TcbInfo)));
    assert_eq!(changed("\"nextUpdate\":\"2026", "\"nextUpdate\":\"2025"), Err(TeeError::Stale(Part::TcbInfo)));
}

#[test]
fn statements_on_the_quoting_enclave() {
    let plain = attester().tdx(&claims(5));
    let changed = |from: &str, to: &str| {
        let mut draft = plain.clone();
        assert!(draft.identity.contains(from), "{from}");
        draft.identity = draft.identity.replace(from, to);
        simulated(&draft.sign()).map(|found| found.tcb)
    };
    // A quoting enclave that is out of date makes the platform so.
    assert_eq!(changed("UpToDate", "OutOfDate"), Err(TeeError::TcbStatus(TcbStatus::OutOfDate)));
    assert_eq!(changed("UpToDate", "Revoked"), Err(TeeError::TcbStatus(TcbStatus::Revoked)));
    assert_eq!(changed("\"isvsvn\":0", "\"isvsvn\":1"), Err(TeeError::NoTcbLevel));
    for (from, to) in [
        ("TD_QE", "QE"),
        ("\"version\":2", "\"version\":1"),
        ("\"mrsigner\":\"00", "\"mrsigner\":\"01"),
        ("\"isvprodid\":2", "\"isvprodid\":1"),
        ("\"attributes\":\"01", "\"attributes\":\"03"),
        ("\"mrsigner\":\"00", "\"mrsigner\":\"0"),
    ] {
        assert_eq!(changed(from, to), Err(TeeError::QuotingEnclave), "{from}");
    }
    assert_eq!(changed("\"issueDate\":\"2026", "\"issueDate\":\"2027"), Err(TeeError::FromTheFuture(Part::Identity)));
    assert_eq!(changed("\"nextUpdate\":\"2026", "\"nextUpdate\":\"2025"), Err(TeeError::Stale(Part::Identity)));
}
