//! The program: what it prints and how it ends.
use std::path::{Path, PathBuf};
use std::process::Command;

use assay_verifier::audit::{Bundle, Evidence};
use assay_verifier::wire::{self, Bytes};
use serde_json::Value;
use tempfile::TempDir;

const NOW: &str = "1970-01-02T00:00:00Z";

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn bundle(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/golden").join(format!("{name}.assay"))
}

/// Runs the program; gives the exit code, standard output and standard error.
fn run(bundle: &Path, trust: &Path, more: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay-verify"));
    let output = command.arg(bundle).arg("--trust").arg(trust).args(["--now", NOW]).args(more).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn trusted(bundle: &Path, more: &[&str]) -> (i32, String, String) {
    run(bundle, &tests().join("trust.json"), more)
}

fn json(bundle: &Path, more: &[&str]) -> (i32, Value) {
    let (code, stdout, _) = trusted(bundle, &[more, &["--json"]].concat());
    (code, serde_json::from_str(&stdout).unwrap())
}

/// A file with these bytes.
fn file(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn what_holds() {
    for name in ["sumcheck", "halo2", "vanilla"] {
        let (code, stdout, stderr) = trusted(&bundle(name), &[]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
        assert!(stdout.starts_with("ALL HOLDS") && !stdout.contains('✗'), "{stdout}");
        for part in ["\u{2713} receipt_signature", "What is known", "trust root", "What is not proven", "truth"] {
            assert!(stdout.contains(part), "{part}: {stdout}");
        }
        assert_eq!(stdout.contains("INSECURE SRS"), name == "halo2");
        assert!(stdout.lines().skip(1).all(|line| line.chars().count() <= 120), "{stdout}");
        let (code, answer) = json(&bundle(name), &[]);
        assert_eq!((code, &answer["verified"]), (0, &Value::Bool(true)));
        assert_eq!(answer["known"]["ledger"]["model_name"], name);
        assert_eq!(answer["known"]["ledger"]["root_age_ms"], 86_400_000 - 1_001_000);
        let checks = answer["checks"].as_array().unwrap();
        // The request in the bundle was read and compared, but where no circuit says how.
        assert_eq!(checks.iter().any(|check| check["code"] == "request_values"), name != "vanilla");
        assert!(checks.iter().all(|check| check["verdict"] == "holds"), "{answer:#}");
        assert!(!answer["not_proven"].as_array().unwrap().is_empty());
    }
}

#[test]
fn what_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut decoded: Bundle = wire::decode(&std::fs::read(bundle("sumcheck")).unwrap()).unwrap();
    let Evidence::Proof(proven) = &mut decoded.evidence else { panic!("a proof") };
    proven.proof.0[20_000] ^= 1;
    let forged = file(&folder, "forged.assay", &wire::encode(&decoded));
    let (code, stdout, stderr) = trusted(&forged, &[]);
    assert_eq!((code, stderr.as_str()), (1, ""));
    assert!(stdout.starts_with("REFUSED") && stdout.contains("\u{2717} proof_digest") && stdout.contains("FAILS: "));
    let (code, answer) = json(&forged, &[]);
    assert_eq!((code, &answer["verified"]), (1, &Value::Bool(false)));
    let failing = answer["checks"].as_array().unwrap().iter().filter(|check| check["verdict"] == "fails");
    assert!(failing.clone().count() > 1 && failing.into_iter().all(|check| check["reason"].is_string()));
    assert_eq!(answer["not_proven"][0]["code"], "failed");

    // Unsettled: only if that is asked for.
    let (code, answer) = json(&bundle("unsettled"), &[]);
    assert_eq!((code, &answer["verified"]), (1, &Value::Bool(false)));
    let (code, answer) = json(&bundle("unsettled"), &["--without-settlement"]);
    assert_eq!((code, &answer["verified"]), (0, &Value::Bool(true)));
    assert!(answer["checks"].as_array().unwrap().iter().any(|check| check["verdict"] == "not_shown"));
}

#[test]
fn the_auditors_own_request() {
    let folder = tempfile::tempdir().unwrap();
    let mut decoded: Bundle = wire::decode(&std::fs::read(bundle("sumcheck")).unwrap()).unwrap();
    let Some(Bytes(request)) = decoded.request.take() else { panic!("a request") };
    let withheld = file(&folder, "withheld.assay", &wire::encode(&decoded));
    let own = file(&folder, "request.json", &request);
    let other = file(&folder, "other.json", &[request.as_slice(), b"\n"].concat());
    let verdict = |answer: &Value, code: &str| {
        let checks = answer["checks"].as_array().unwrap();
        checks.iter().find(|check| check["code"] == code).unwrap()["verdict"].as_str().unwrap().to_owned()
    };
    let (code, answer) = json(&withheld, &[]);
    assert_eq!((code, verdict(&answer, "request_bytes").as_str()), (0, "not_shown"));
    assert_eq!(verdict(&answer, "request_values"), "not_shown");
    let (code, answer) = json(&withheld, &["--request", own.to_str().unwrap()]);
    assert_eq!((code, verdict(&answer, "request_bytes").as_str()), (0, "holds"));
    assert_eq!(verdict(&answer, "request_values"), "holds");
    let (code, answer) = json(&withheld, &["--request", other.to_str().unwrap()]);
    assert_eq!((code, verdict(&answer, "request_bytes").as_str()), (1, "fails"));
}

#[test]
fn what_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let good = std::fs::read_to_string(tests().join("trust.json")).unwrap();
    let both = good.replace("\"genesis\"", "\"header_hash\"");
    for (trust, says) in [
        ("", "EOF"),
        ("{}", "chain_id"),
        (r#"{"chain_id": "c"}"#, "validators_hash and header_hash"),
        (r#"{"chain_id": "c", "validators_hash": "12"}"#, "validators_hash"),
        (r#"{"chain_id": "c", "header_hash": "12"}"#, "header_hash"),
        (r#"{"chain_id": "c", "root": "12"}"#, "root"),
        (both.as_str(), "validators_hash and header_hash"),
    ] {
        let path = file(&folder, "trust.json", trust.as_bytes());
        let (code, stdout, stderr) = run(&bundle("sumcheck"), &path, &[]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{trust}");
        assert!(stderr.contains(says) && stderr.contains("trust.json"), "{trust}: {stderr}");
        let (code, stdout, _) = run(&bundle("sumcheck"), &path, &["--json"]);
        assert!(code == 2 && serde_json::from_str::<Value>(&stdout).unwrap()["error"].is_string());
    }
    let bytes = std::fs::read(bundle("sumcheck")).unwrap();
    let version = [b"ASSAYBD2".as_slice(), &bytes[8..]].concat();
    for bytes in [&[][..], b"ASSAYBD1", &bytes[..bytes.len() - 1], &[bytes.as_slice(), &[0]].concat(), &version] {
        let (code, _, stderr) = trusted(&file(&folder, "odd.assay", bytes), &[]);
        assert!(code == 2 && stderr.contains("odd.assay"), "{stderr}");
    }
    assert_eq!(trusted(&folder.path().join("nothing"), &[]).0, 2);
    assert_eq!(trusted(&bundle("sumcheck"), &["--now", "yesterday"]).0, 2);
}

/// What others wrote is shown without what moves a cursor.
#[test]
fn nothing_in_a_bundle_moves_the_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let mut decoded: Bundle = wire::decode(&std::fs::read(bundle("vanilla")).unwrap()).unwrap();
    decoded.receipt.receipt.chain_id = "\u{1b}[2J\u{7}\nALL HOLDS".into();
    let (code, stdout, _) = trusted(&file(&folder, "odd.assay", &wire::encode(&decoded)), &[]);
    assert_eq!(code, 1);
    assert!(!stdout.contains('\u{1b}') && !stdout.contains('\u{7}'));
    assert!(!stdout.lines().skip(1).any(|line| line.starts_with("ALL HOLDS")));
}
