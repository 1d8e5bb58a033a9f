//! Rules about the repository itself: file lengths, module heads, which crate may reach which, fixtures that are what the
//! manifest says.
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" && name != "corpus" {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn source_files_are_short_and_say_what_they_are() {
    for path in files(&root(), "rs") {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        let source = path.components().any(|part| part.as_os_str() == "src");
        let limit = if source { 500 } else { 1000 };
        assert!(lines <= limit, "{}: {lines} lines, more than {limit}", path.display());
        let head = text.lines().take(3).any(|line| line.starts_with("//!") || line.starts_with("#![doc"));
        assert!(head, "{}: no module head", path.display());
    }
}

#[test]
fn crates_reach_only_what_they_may() {
    let allowed: [(&str, &[&str]); 5] = [
        ("verifier", &[]),
        ("verifier/auditor", &["assay-verifier"]),
        ("circuits", &["assay-verifier"]),
        ("prover", &["assay-verifier", "assay-circuits"]),
        ("prover/service", &["assay-verifier", "assay-verify", "assay-circuits", "assay-prover", "assay-ledger"]),
    ];
    for (folder, allowed) in allowed {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("[dev-dependencies]").next().unwrap_or_default();
        for line in dependencies.lines().filter(|line| line.starts_with("assay-")) {
            let name = line.split(['.', ' ', '=']).next().unwrap();
            assert!(allowed.contains(&name), "{folder} must not depend on {name}");
        }
        let banned: &[&str] = match folder {
            "verifier" => &["rayon", "tokio", "std"],
            "verifier/auditor" => &["tokio", "reqwest", "ureq"],
            "circuits" | "prover" => &["tokio", "reqwest", "anyhow"],
            _ => &[],
        };
        for name in banned {
            assert!(
                !dependencies.lines().any(|line| line.split(['.', ' ', '=']).next() == Some(name)),
                "{folder}: {name}"
            );
        }
    }
}

#[test]
fn fixtures_are_as_the_manifest_says() {
    let folder = root().join("fixtures");
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("MANIFEST.json")).unwrap()).unwrap();
    let entries = manifest["files"].as_array().or_else(|| manifest.as_array()).expect("a list of files");
    assert!(entries.len() > 10);
    for entry in entries {
        let name = entry["file"].as_str().or_else(|| entry["path"].as_str()).expect("a name");
        let bytes = fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let digest: String = sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix(&bytes))
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(Some(digest.as_str()), entry["sha256"].as_str(), "{name} differs from the manifest");
        assert!(bytes.len() <= 4_000_000, "{name} is larger than 4 MB");
    }
}
