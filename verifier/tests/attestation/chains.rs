//! Certificates: every rule of the walk from a root to what signs a document.
use assay_verifier::digest::Digest32;
use assay_verifier::receipt::Grade;
use assay_verifier::settlement::node::Platform;
use assay_verifier::settlement::parameters::TrustRoot;
use assay_verifier::tee::software::Template;
use assay_verifier::tee::{ChainError, Evidence, Part, Policy, TeeError, authenticate};
use sha2::{Digest, Sha256};

use super::support::*;

type Change = fn(&mut [Template; 3]);
type ChangeOne = fn(&mut Template);

/// Each row makes one certificate of a chain a bad one.
const ROWS: [(&str, Change, ChainError); 10] = [
    ("authority is none", |chain| chain[1].authority = None, ChainError::NotAuthority),
    ("authority may not sign certificates", |chain| chain[1].usage = 0x80, ChainError::Usage),
    ("leaf is an authority", |chain| chain[2].authority = Some(0), ChainError::LeafIsAuthority),
    ("leaf may not sign documents", |chain| chain[2].usage = 0x04, ChainError::Usage),
    ("authority has expired", |chain| chain[1].to_ms = NOW_MS, ChainError::Expired),
    ("authority is not valid yet", |chain| chain[1].from_ms = NOW_MS + 2_000, ChainError::NotYetValid),
    ("leaf has expired", |chain| chain[2].to_ms = NOW_MS, ChainError::Expired),
    ("leaf is not valid yet", |chain| chain[2].from_ms = NOW_MS + 2_000, ChainError::NotYetValid),
    ("both have expired", |chain| (chain[1].to_ms, chain[2].to_ms) = (NOW_MS, NOW_MS), ChainError::Expired),
    (
        "an authority that is none and has expired",
        |chain| (chain[1].authority, chain[1].to_ms) = (None, NOW_MS),
        ChainError::Expired,
    ),
];

#[test]
fn rules() {
    for (name, change, error) in ROWS {
        let mut nitro = attester().nitro(&claims(3));
        change(&mut nitro.chain);
        assert_eq!(simulated(&nitro.sign()), Err(error.into()), "{name}, {:?}", Platform::Nitro);
        let mut tdx = attester().tdx(&claims(5));
        change(&mut tdx.chain);
        assert_eq!(simulated(&tdx.sign()), Err(error.into()), "{name}, {:?}", Platform::Tdx);
    }
}

#[test]
fn another_root_is_not_trusted() {
    let changes: [fn(&mut Template); 3] =
        [|root| root.serial = 9, |root| root.authority = None, |root| root.to_ms -= 1_000];
    for change in changes {
        let mut draft = attester().nitro(&claims(3));
        change(&mut draft.chain[0]);
        assert_eq!(simulated(&draft.sign()), Err(TeeError::UnknownRoot));
        let mut draft = attester().tdx(&claims(5));
        change(&mut draft.chain[0]);
        assert_eq!(simulated(&draft.sign()), Err(TeeError::UnknownRoot));
    }
}

/// The root's certificate, as a document of Nitro has it.
fn root_in(evidence: &Evidence) -> &[u8] {
    let Evidence::Nitro(document) = evidence else { panic!("a document of Nitro") };
    let (bytes, mark) = (&document.0.0, b"cabundle\x82\x59");
    let at = bytes.windows(mark.len()).position(|window| window == mark).unwrap() + mark.len();
    &bytes[at + 2..][..usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]))]
}

#[test]
fn a_root_that_is_trusted_must_still_be_an_authority_that_may() {
    let cases: [(ChangeOne, ChainError); 5] = [
        (|_| (), ChainError::Length),
        (|root| root.authority = Some(0), ChainError::PathLength),
        (|root| root.authority = None, ChainError::NotAuthority),
        (|root| root.usage = 0x80, ChainError::Usage),
        (|root| root.to_ms = NOW_MS, ChainError::Expired),
    ];
    for (change, error) in cases {
        let mut draft = attester().nitro(&claims(3));
        change(&mut draft.chain[0]);
        let evidence = draft.sign();
        let certificate = Digest32(Sha256::digest(root_in(&evidence)).into());
        let root = TrustRoot { platform: Platform::Nitro, certificate, grade: Grade::Simulated };
        let found = authenticate(&evidence, &[root], &Policy::usual(Grade::Simulated), NOW_MS + 1_000);
        match error {
            // The first case is that nothing was changed.
            ChainError::Length => assert!(found.is_ok()),
            error => assert_eq!(found, Err(error.into())),
        }
    }
}

#[test]
fn extensions_that_restrict_are_not_ignored() {
    // Extended usage and constraints on names.
    for oid in [[0x55, 0x1d, 0x25], [0x55, 0x1d, 0x1e]] {
        let mut draft = attester().nitro(&claims(3));
        draft.chain[2].extensions.push((oid.to_vec(), vec![0x30, 0]));
        assert_eq!(simulated(&draft.sign()), Err(TeeError::Unsupported(Part::Certificate)));
    }
    // One that is neither critical nor known does no harm; a second set of constraints does.
    let mut draft = attester().nitro(&claims(3));
    draft.chain[2].extensions.push((vec![0x55, 0x1d, 0x0e], vec![4, 1, 1]));
    assert!(simulated(&draft.sign()).is_ok());
    draft.chain[1].extensions.push((vec![0x55, 0x1d, 0x13], vec![0x30, 0]));
    assert_eq!(simulated(&draft.sign()), Err(TeeError::Malformed(Part::Certificate)));
}

#[test]
fn the_signer_of_collateral() {
    let cases: [(ChangeOne, TeeError); 4] = [
        (|signer| signer.to_ms = NOW_MS, ChainError::Expired.into()),
        (|signer| signer.authority = Some(0), ChainError::LeafIsAuthority.into()),
        (|signer| signer.usage = 0x04, ChainError::Usage.into()),
        (|signer| signer.from_ms = NOW_MS + 2_000, ChainError::NotYetValid.into()),
    ];
    for (change, error) in cases {
        let mut draft = attester().tdx(&claims(5));
        change(&mut draft.signer);
        assert_eq!(simulated(&draft.sign()), Err(error));
    }
}

#[test]
fn revoked_certificates() {
    let revoked = |revoked: [Vec<u8>; 2]| {
        let mut draft = attester().tdx(&claims(5));
        draft.revoked = revoked;
        simulated(&draft.sign()).map(|_| ())
    };
    // The authority has number 1, the platform 2, the signer 3.
    assert_eq!(revoked([vec![1], vec![]]), Err(TeeError::Revoked));
    assert_eq!(revoked([vec![8, 3], vec![]]), Err(TeeError::Revoked));
    assert_eq!(revoked([vec![], vec![2]]), Err(TeeError::Revoked));
    assert_eq!(revoked([vec![], vec![7, 2, 9]]), Err(TeeError::Revoked));
    assert_eq!(revoked([vec![2, 8], vec![1, 3]]), Ok(()));
    let mut draft = attester().tdx(&claims(5));
    draft.lists_ms = (NOW_MS - 10_000, NOW_MS);
    assert_eq!(simulated(&draft.sign()), Err(TeeError::Stale(Part::RevocationList)));
    draft.lists_ms = (NOW_MS + 2_000, NOW_MS + 10_000);
    assert_eq!(simulated(&draft.sign()), Err(TeeError::FromTheFuture(Part::RevocationList)));
}
