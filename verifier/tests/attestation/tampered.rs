//! Documents that were changed: a row for each field, and every byte.
use assay_verifier::tee::dcap::Quoted;
use assay_verifier::tee::nitro::Document;
use assay_verifier::tee::snp::Report;
use assay_verifier::tee::{ChainError, Evidence, Part, TeeError};
use assay_verifier::wire::Bytes;

use super::support::*;

/// Where a field's bytes lie.
fn find(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).position(|window| window == what).expect("it is there") + what.len()
}

#[test]
fn fields_of_a_nitro_document() {
    let plain = file("nitro.cose");
    let changed = |at: usize| {
        let mut bytes = plain.clone();
        bytes[at] ^= 1;
        genuine(&Evidence::Nitro(Document(Bytes(bytes))), NITRO_MS)
    };
    let signature = TeeError::Signature(Part::Document);
    let rows: [(&[u8], usize, TeeError); 8] = [
        (b"module_id", 5, signature),
        (b"digest", 2, TeeError::Malformed(Part::Document)),
        (b"timestamp", 8, signature),
        (b"pcrs\xb0\x00\x58\x30", 0, signature),
        (b"pcrs\xb0\x00\x58\x30", 52, signature),
        (b"public_key", 4, signature),
        (b"user_data", 0, TeeError::Malformed(Part::Document)),
        (b"cabundle\x84\x59\x02\x15", 100, TeeError::UnknownRoot),
    ];
    for (name, offset, error) in rows {
        let at = find(&plain, name) + offset;
        assert_eq!(changed(at), Err(error), "{} + {offset}", String::from_utf8_lossy(name));
    }
    // The protected header, and the signature at the end.
    assert_eq!(changed(5), Err(TeeError::Unsupported(Part::Document)));
    assert_eq!(changed(plain.len() - 1), Err(signature));
    let leaf = find(&plain, b"certificate\x59\x02\x80");
    assert_eq!(changed(leaf + 0x280 - 1), Err(TeeError::Chain(ChainError::Signature)));
}

#[test]
fn fields_of_quotes() {
    let plain = dcap("tdx");
    let changed = |at: usize| {
        let mut quoted = plain.clone();
        quoted.quote.0[at] ^= 1;
        genuine(&Evidence::Dcap(quoted), DCAP_MS)
    };
    let signature = TeeError::Signature(Part::Quote);
    let rows = [
        ("version", 0, TeeError::Unsupported(Part::Quote)),
        ("key type", 2, TeeError::Unsupported(Part::Quote)),
        ("platform", 4, TeeError::Unsupported(Part::Quote)),
        ("vendor", 12, TeeError::Unsupported(Part::Quote)),
        ("user data", 28, signature),
        ("firmware", 48, signature),
        ("module", 48 + 16, signature),
        ("module's signer", 48 + 64, signature),
        ("module's attributes", 48 + 112, signature),
        ("attributes", 48 + 120, signature),
        ("features", 48 + 128, signature),
        ("domain", 48 + 136, signature),
        ("configuration", 48 + 184, signature),
        ("owner", 48 + 232, signature),
        ("owner's configuration", 48 + 280, signature),
        ("first register", 48 + 328, signature),
        ("last register", 48 + 472, signature),
        ("report data", 48 + 520, signature),
        ("length", 632, TeeError::Malformed(Part::Quote)),
        ("signature", 636, signature),
        ("key", 700, TeeError::QuotingEnclave),
        ("kind of data", 764, TeeError::Malformed(Part::Quote)),
        ("quoting enclave", 770 + 64, TeeError::Signature(Part::QuotingEnclave)),
        ("quoting enclave's signature", 770 + 384, TeeError::Signature(Part::QuotingEnclave)),
        ("quoting enclave's data", 770 + 384 + 64 + 2, TeeError::QuotingEnclave),
    ];
    for (name, at, error) in rows {
        assert_eq!(changed(at), Err(error), "{name}");
    }
}

#[test]
fn fields_of_collateral() {
    type Change = fn(&mut Quoted);
    let rows: [(&str, Change, TeeError); 9] = [
        ("tcb info", |quoted| quoted.collateral.tcb_info.push(' '), TeeError::Signature(Part::TcbInfo)),
        (
            "tcb info's signature",
            |quoted| quoted.collateral.tcb_info_signature.0[9] ^= 1,
            TeeError::Signature(Part::TcbInfo),
        ),
        (
            "length of a signature",
            |quoted| quoted.collateral.tcb_info_signature.0.push(0),
            TeeError::Malformed(Part::TcbInfo),
        ),
        ("identity", |quoted| quoted.collateral.identity.push(' '), TeeError::Signature(Part::Identity)),
        (
            "identity's signature",
            |quoted| quoted.collateral.identity_signature.0[40] ^= 1,
            TeeError::Signature(Part::Identity),
        ),
        (
            "signer",
            |quoted| *quoted.collateral.signer.0.last_mut().unwrap() ^= 1,
            TeeError::Chain(ChainError::Signature),
        ),
        (
            "list of the root",
            |quoted| *quoted.collateral.root_list.0.last_mut().unwrap() ^= 1,
            TeeError::Signature(Part::RevocationList),
        ),
        (
            "list of the authority",
            |quoted| *quoted.collateral.pck_list.0.last_mut().unwrap() ^= 1,
            TeeError::Signature(Part::RevocationList),
        ),
        (
            "bytes after a list",
            |quoted| quoted.collateral.pck_list.0.push(0),
            TeeError::Malformed(Part::RevocationList),
        ),
    ];
    for (name, change, error) in rows {
        let mut quoted = dcap("tdx");
        change(&mut quoted);
        assert_eq!(genuine(&Evidence::Dcap(quoted), DCAP_MS), Err(error), "{name}");
    }
}

#[test]
fn fields_of_a_report() {
    let changed = |at: usize| {
        let mut report = snp("snp");
        report.report.0[at] ^= 1;
        genuine(&Evidence::Snp(report), SNP_MS)
    };
    let signature = TeeError::Signature(Part::Report);
    let rows = [
        ("version", 0, signature),
        ("algorithm", 0x34, TeeError::Unsupported(Part::Report)),
        ("policy", 0x0a, signature),
        ("family", 0x10, signature),
        ("level", 0x30, signature),
        ("current firmware", 0x38, signature),
        ("flags", 0x48, signature),
        ("report data", 0x50, signature),
        ("measurement", 0x90, signature),
        ("host data", 0xc0, signature),
        ("reported firmware", 0x180, signature),
        ("chip", 0x1a0, signature),
        ("launch firmware", 0x1f0, signature),
        ("signature", 0x2a0, signature),
        ("unused part of the signature", 0x2a0 + 50, TeeError::Malformed(Part::Report)),
        ("behind the signature", 0x2a0 + 144, TeeError::Malformed(Part::Report)),
    ];
    for (name, at, error) in rows {
        assert_eq!(changed(at), Err(error), "{name}");
    }
}

/// Changes some bytes, which a document must not survive.
fn every(step: usize, bytes: &[u8], ask: impl Fn(Vec<u8>) -> bool) {
    for at in (0..bytes.len()).step_by(step) {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1;
        assert!(!ask(changed), "byte {at} can be changed");
    }
    for len in (0..bytes.len()).step_by(step * 3) {
        assert!(!ask(bytes[..len].to_vec()), "{len} bytes are enough");
    }
    assert!(!ask([bytes, &[0]].concat()), "there can be more");
}

#[test]
fn every_byte_counts() {
    every(11, &file("nitro.cose"), |bytes| genuine(&Evidence::Nitro(Document(Bytes(bytes))), NITRO_MS).is_ok());
    let plain = dcap("tdx");
    every(13, &plain.quote.0, |bytes| {
        let quoted = Quoted { quote: Bytes(bytes), collateral: plain.collateral.clone() };
        genuine(&Evidence::Dcap(quoted), DCAP_MS).is_ok()
    });
    let plain = snp("snp");
    every(5, &plain.report.0, |bytes| {
        genuine(&Evidence::Snp(Report { report: Bytes(bytes), ..plain.clone() }), SNP_MS).is_ok()
    });
    every(7, &plain.vcek.0, |bytes| {
        genuine(&Evidence::Snp(Report { vcek: Bytes(bytes), ..plain.clone() }), SNP_MS).is_ok()
    });
    every(17, &plain.ask.0, |bytes| {
        genuine(&Evidence::Snp(Report { ask: Bytes(bytes), ..plain.clone() }), SNP_MS).is_ok()
    });
}

#[test]
fn sizes_are_limited_before_anything_is_read() {
    let huge = || Bytes(vec![0x30; 200 << 10]);
    assert_eq!(genuine(&Evidence::Nitro(Document(huge())), NITRO_MS), Err(TeeError::TooLarge(Part::Document)));
    let quoted = Quoted { quote: huge(), ..dcap("tdx") };
    assert_eq!(genuine(&Evidence::Dcap(quoted), DCAP_MS), Err(TeeError::TooLarge(Part::Quote)));
    let lists = [(true, Part::RevocationList), (false, Part::TcbInfo)];
    for (list, part) in lists {
        let mut quoted = dcap("tdx");
        if list {
            quoted.collateral.pck_list = huge();
        } else {
            quoted.collateral.tcb_info = "0".repeat(200 << 10);
        }
        assert_eq!(genuine(&Evidence::Dcap(quoted), DCAP_MS), Err(TeeError::TooLarge(part)));
    }
    let report = Report { report: huge(), ..snp("snp") };
    assert_eq!(genuine(&Evidence::Snp(report), SNP_MS), Err(TeeError::TooLarge(Part::Report)));
    let report = Report { vcek: huge(), ..snp("snp") };
    assert_eq!(genuine(&Evidence::Snp(report), SNP_MS), Err(TeeError::TooLarge(Part::Certificate)));
}
