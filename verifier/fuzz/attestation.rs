//! What the fuzz targets for evidence of enclaves do with their bytes. The verifier's tests replay the corpora through the same functions.
use assay_verifier::receipt::Grade;
use assay_verifier::settlement::node::Platform;
use assay_verifier::settlement::parameters::TrustRoot;
use assay_verifier::signature::SigningKey;
use assay_verifier::tee::dcap::{Quoted, TcbStatus};
use assay_verifier::tee::nitro::Document;
use assay_verifier::tee::roots::VENDOR_ROOTS;
use assay_verifier::tee::snp::Report;
use assay_verifier::tee::software::{Attester, Claims, NitroDraft, TdxDraft};
use assay_verifier::tee::{Attested, Binding, Evidence, Policy, TeeError, authenticate};
use assay_verifier::wire::Bytes;

/// When simulated documents are made.
const NOW_MS: u64 = 1_790_000_000_000;
/// A time at which the genuine report holds.
const SNP_MS: u64 = 1_704_067_200_000;
const NITRO_MS: u64 = 0x193_7de1_c543;
const NITRO: &[u8] = include_bytes!("../../fixtures/attestation/nitro.cose");
const SNP: &[u8] = include_bytes!("../../fixtures/attestation/snp.report");
const VCEK: &[u8] = include_bytes!("../../fixtures/attestation/snp.vcek.der");
const ASK: &[u8] = include_bytes!("../../fixtures/attestation/amd_ask_milan.der");
const ARK: &[u8] = include_bytes!("../../fixtures/attestation/amd_ark_milan.der");

fn attester() -> Attester {
    Attester::from_seed([7; 32])
}

fn claims(registers: usize) -> Claims {
    let binding = Binding::new("chain", SigningKey::from_seed([1; 32]).public(), [9; 32]);
    let registers = (1u8..).take(registers).map(|number| vec![number; 48]).collect();
    Claims { registers, binding, time_ms: NOW_MS, lifetime_ms: 3_600_000 }
}

/// Roots of vendors and of the software attester, all of one grade, so that everything gets as far as it can.
fn ask(evidence: &Evidence, now_ms: u64) -> Result<Attested, TeeError> {
    let vendor = VENDOR_ROOTS.iter().flat_map(|root| {
        let of = |platform: &Platform| (*platform, root.certificate);
        root.platforms.iter().map(of)
    });
    let own = attester().roots().map(|root| (root.platform, root.certificate));
    let grade = Grade::Simulated;
    let roots: Vec<_> =
        vendor.chain(own).map(|(platform, certificate)| TrustRoot { platform, certificate, grade }).collect();
    let policy = Policy { tcb_statuses: vec![TcbStatus::UpToDate, TcbStatus::OutOfDate], ..Policy::usual(grade) };
    authenticate(evidence, &roots, &policy, now_ms)
}

/// The bytes as a document of Nitro, and as changes of the genuine one, which only the unchanged one survives.
pub fn nitro(data: &[u8]) {
    let _ = ask(&Evidence::Nitro(Document(Bytes(data.to_vec()))), NITRO_MS);
    let changed = edited(NITRO, data);
    let same = changed == NITRO;
    assert_eq!(ask(&Evidence::Nitro(Document(Bytes(changed))), NITRO_MS).is_ok(), same, "another document");
    // What a document says, signed by who may: any field can be anything.
    let mut draft: NitroDraft = attester().nitro(&claims(3));
    draft.user_data = Some(data.to_vec());
    draft.registers.push(data.to_vec());
    let _ = ask(&draft.sign(), NOW_MS);
    draft.registers.pop();
    draft.chain[2].extensions.push((data.iter().take(9).copied().collect(), data.to_vec()));
    let _ = ask(&draft.sign(), NOW_MS);
}

/// The bytes as each part of a quote and of its collateral, the statements signed by who may.
pub fn dcap(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    let mut draft: TdxDraft = attester().tdx(&claims(5));
    let text = || String::from_utf8_lossy(data).into_owned();
    match kind % 8 {
        0 => draft.tcb_info = text(),
        1 => draft.identity = text(),
        2 => draft.chain[2].extensions = vec![(SGX_EXTENSION.to_vec(), data.to_vec())],
        3 => draft.revoked[0] = data.to_vec(),
        _ => {}
    }
    let evidence = draft.sign();
    let Evidence::Dcap(mut quoted) = evidence else { return };
    let bytes = Bytes(data.to_vec());
    match kind % 8 {
        4 => quoted.quote = bytes,
        5 => quoted.collateral.pck_list = bytes,
        6 => quoted.collateral.signer = bytes,
        7 => {
            let changed = edited(&quoted.quote.0, data);
            let same = changed == quoted.quote.0;
            let changed = Quoted { quote: Bytes(changed), ..quoted.clone() };
            assert_eq!(ask(&Evidence::Dcap(changed), NOW_MS).is_ok(), same, "another quote");
        }
        _ => {}
    }
    let _ = ask(&Evidence::Dcap(quoted), NOW_MS);
}

/// Intel's extension that says what a platform is.
const SGX_EXTENSION: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01];

/// The bytes as a report and as each of its certificates, and as changes of the genuine report.
pub fn snp(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    let plain =
        Report { report: Bytes(SNP.into()), vcek: Bytes(VCEK.into()), ask: Bytes(ASK.into()), ark: Bytes(ARK.into()) };
    let bytes = Bytes(data.to_vec());
    let evidence = match kind % 4 {
        0 => Report { report: bytes, ..plain },
        1 => Report { vcek: bytes, ..plain },
        2 => Report { ask: bytes, ..plain },
        _ => Report { report: Bytes(edited(SNP, data)), ..plain },
    };
    let same = evidence.report.0 == SNP && evidence.vcek.0 == VCEK && evidence.ask.0 == ASK;
    assert_eq!(ask(&Evidence::Snp(evidence), SNP_MS).is_ok(), same, "another report");
}

/// Bytes changed as others say: two bytes for a place, one for what is added there.
fn edited(bytes: &[u8], choices: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for edit in choices.chunks_exact(3).take(8) {
        let at = usize::from(u16::from_be_bytes([edit[0], edit[1]])) % bytes.len();
        bytes[at] = bytes[at].wrapping_add(edit[2]);
    }
    bytes
}
