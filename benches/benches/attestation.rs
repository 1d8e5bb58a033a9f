//! How long it takes to verify one document of an enclave, genuine ones from `fixtures/attestation` and those of the software attester.
//!
//! ```text
//! cargo bench -p assay-benches --bench attestation
//! ```
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use assay_benches::machine;
use assay_verifier::receipt::Grade;
use assay_verifier::settlement::parameters::TrustRoot;
use assay_verifier::signature::SigningKey;
use assay_verifier::tee::nitro::Document;
use assay_verifier::tee::roots::VENDOR_ROOTS;
use assay_verifier::tee::snp::Report;
use assay_verifier::tee::software::{Attester, Claims};
use assay_verifier::tee::{Binding, Evidence, Policy, authenticate};
use assay_verifier::wire::Bytes;

/// Times that each document is verified.
const TIMES: usize = 60;
/// When simulated documents are made, and times at which genuine ones hold.
const NOW_MS: u64 = 1_790_000_000_000;
const NITRO_MS: u64 = 0x193_7de1_c543;
const SNP_MS: u64 = 1_704_067_200_000;

fn main() -> Result<()> {
    let vendors: Vec<TrustRoot> = VENDOR_ROOTS
        .iter()
        .flat_map(|root| {
            let grade = Grade::Production;
            root.platforms.iter().map(move |platform| TrustRoot {
                platform: *platform,
                certificate: root.certificate,
                grade,
            })
        })
        .collect();
    let nitro = Evidence::Nitro(Document(file("nitro.cose")?));
    let snp = Evidence::Snp(Report {
        report: file("snp.report")?,
        vcek: file("snp.vcek.der")?,
        ask: file("amd_ask_milan.der")?,
        ark: file("amd_ark_milan.der")?,
    });
    let attester = Attester::from_seed([7; 32]);
    let own = attester.roots();
    println!("{}\n", machine::describe());
    println!("| document | bytes | verified in, median | longest of {TIMES} | at most |\n|---|---|---|---|---|");
    row("Nitro", &nitro, &vendors, Grade::Production, NITRO_MS, 10.0)?;
    row("Nitro, simulated", &attester.nitro(&claims(3)).sign(), &own, Grade::Simulated, NOW_MS, 10.0)?;
    row("TDX, simulated", &attester.tdx(&claims(5)).sign(), &own, Grade::Simulated, NOW_MS, 20.0)?;
    row("SEV-SNP", &snp, &vendors, Grade::Production, SNP_MS, 15.0)
}

fn claims(registers: usize) -> Claims {
    let binding = Binding::new("chain", SigningKey::from_seed([1; 32]).public(), [9; 32]);
    Claims { registers: vec![vec![1; 48]; registers], binding, time_ms: NOW_MS, lifetime_ms: 3_600_000 }
}

fn file(name: &str) -> Result<Bytes> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/attestation").join(name);
    Ok(Bytes(std::fs::read(&path).with_context(|| path.display().to_string())?))
}

/// Verifies a document again and again. It must hold, and within the time that it may take.
fn row(name: &str, evidence: &Evidence, roots: &[TrustRoot], grade: Grade, now: u64, most_ms: f64) -> Result<()> {
    let policy = Policy::usual(grade);
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let start = Instant::now();
        authenticate(evidence, roots, &policy, now)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let (median, longest) = (times[TIMES / 2], times[TIMES - 1]);
    let bytes = assay_verifier::wire::bytes(evidence).len();
    println!("| {name} | {bytes} | {median:.2} ms | {longest:.2} ms | {most_ms:.0} ms |");
    ensure!(median <= most_ms, "{name} takes longer than {most_ms} ms");
    Ok(())
}
