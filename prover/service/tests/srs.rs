//! Reference strings on the command line.
mod support;

use std::process::Command;

use assay_prover::halo2::srs::SrsFile;
use assay_verifier::halo2::srs::Origin;
use assay_verifier::wire;
use support::Folder;

/// Runs the binary with a cache folder inside of the test's own.
fn with_cache(folder: &Folder, arguments: &[&str]) -> serde_json::Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    command.args(arguments).arg("--json").current_dir(folder.path("")).env("XDG_CACHE_HOME", folder.path("cache"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn strings_are_made_shown_and_checked() {
    let folder = Folder::new();
    let made = folder.fine(&["srs", "make", "--k", "5", "-o", "five.srs"]).stdout;
    assert!(made.contains("INSECURE") && made.contains("who made it can forge proofs"), "{made}");
    let string = folder.load::<SrsFile>("five.srs").open().unwrap();
    assert_eq!((string.k(), string.srs().origin), (5, Origin::Insecure));
    for command in [&["srs", "check", "five.srs"][..], &["inspect", "five.srs"]] {
        let (code, answer) = folder.json(command);
        assert_eq!(code, 0);
        assert_eq!(answer["digest"], string.srs().digest().to_string());
        assert_eq!((&answer["k"], &answer["powers"], &answer["origin"]), (&5.into(), &32.into(), &"Insecure".into()));
        assert!(folder.fine(command).stdout.contains("INSECURE"));
    }
    let (_, again) = folder.json(&["srs", "make", "--k", "5", "-o", "again.srs"]);
    assert_ne!(again["digest"], string.srs().digest().to_string(), "secrets are random");
}

#[test]
fn strings_are_imported() {
    let folder = Folder::new();
    folder.write("pot.ptau", include_bytes!("../../tests/srs/snarkjs.ptau"));
    let (_, taken) = folder.json(&["srs", "import", "pot.ptau", "--k", "3", "-o", "three.srs"]);
    assert_eq!((&taken["k"], &taken["origin"]), (&3.into(), &"Imported".into()));
    let shown = folder.fine(&["srs", "check", "three.srs"]).stdout;
    assert!(shown.contains("VALID") && shown.contains("imported"), "{shown}");
}

#[test]
fn strings_are_cut_and_kept() {
    let folder = Folder::new();
    folder.write("pot.ptau", include_bytes!("../../tests/srs/snarkjs.ptau"));
    let (_, whole) = folder.json(&["srs", "import", "pot.ptau", "--k", "4", "-o", "four.srs"]);
    folder.fine(&["srs", "import", "pot.ptau", "--k", "2", "-o", "expected.srs"]);
    folder.fine(&["srs", "import", "pot.ptau", "--k", "3", "-o", "three.srs"]);
    let expected = folder.bytes("expected.srs");
    let kept = format!("cache/assay/srs/{}-2.srs", whole["digest"].as_str().unwrap());
    let cut = |target| with_cache(&folder, &["srs", "import", "four.srs", "--k", "2", "-o", target]);
    let first = cut("first.srs");
    assert_eq!((&first["k"], &first["digest"], &first["origin"]), (&2.into(), &whole["digest"], &"Imported".into()));
    assert_eq!((folder.bytes("first.srs"), folder.bytes(&kept)), (expected.clone(), expected.clone()));
    // What is kept is not taken on trust: neither noise nor another size.
    for wrong in [b"noise".to_vec(), folder.bytes("three.srs"), expected[..100].to_vec()] {
        folder.write(&kept, &wrong);
        cut("second.srs");
        assert_eq!((folder.bytes("second.srs"), folder.bytes(&kept)), (expected.clone(), expected.clone()));
    }
    // Where it fits it is taken, and not written again.
    let written = || std::fs::metadata(folder.path(&kept)).unwrap().modified().unwrap();
    let before = written();
    cut("third.srs");
    assert_eq!((folder.bytes("third.srs"), written()), (expected, before));
}

#[test]
fn the_string_of_the_machine_is_made_once() {
    let folder = Folder::new();
    let first = with_cache(&folder, &["srs", "make", "--k", "4"]);
    let second = with_cache(&folder, &["srs", "make", "--k", "4"]);
    assert_eq!(first["digest"], second["digest"]);
    assert!(folder.path("cache/assay/srs/insecure-4.srs").exists());
    let other = with_cache(&folder, &["srs", "make", "--k", "3"]);
    assert_ne!(first["digest"], other["digest"]);
    assert_eq!(std::fs::read_dir(folder.path("cache/assay/srs")).unwrap().count(), 2, "no temporary files are left");
}

#[test]
fn wrong_strings_are_refused() {
    let folder = Folder::new();
    folder.fine(&["srs", "make", "--k", "3", "-o", "s.srs"]);
    let bytes = folder.bytes("s.srs");
    folder.write("cut.srs", &bytes[..bytes.len() - 1]);
    folder.refuses(&["srs", "check", "cut.srs"], &["cut.srs is a damaged", "assay srs make"]);
    let mut changed = bytes.clone();
    changed[200] ^= 1;
    folder.write("changed.srs", &changed);
    for command in [&["srs", "check", "changed.srs"][..], &["inspect", "changed.srs"]] {
        folder.refuses(command, &["changed.srs", "checksum", "next:"]);
    }
    folder.write("noise", b"noise and more noise");
    folder.refuses(&["srs", "check", "noise"], &["noise is not a structured reference string"]);
    folder.refuses(&["srs", "import", "noise", "--k", "3", "-o", "x.srs"], &["noise: k is", "snarkjs"]);
    folder.refuses(&["srs", "import", "s.srs", "--k", "4", "-o", "x.srs"], &["k = 4 is outside", "--k 3"]);
    folder.refuses(&["srs", "import", "absent", "--k", "4", "-o", "x.srs"], &["absent", "check the path"]);
    folder.refuses(&["srs", "import", ".", "--k", "4", "-o", "x.srs"], &["is a folder"]);
    folder.refuses(&["srs", "make", "--k", "0"], &["--k"]);
    folder.refuses(&["srs", "make", "--k", "24"], &["--k", "23"]);
    folder.refuses(&["srs", "make", "--k", "3", "-o", "no/x.srs"], &["no/x.srs", "mkdir -p no"]);
    assert!(!folder.path("x.srs").exists());
}

#[test]
fn points_that_are_no_powers_are_rejected() {
    let folder = Folder::new();
    folder.fine(&["srs", "make", "--k", "1", "-o", "one.srs"]);
    folder.fine(&["srs", "make", "--k", "1", "-o", "two.srs"]);
    // The points of one, what keys carry of the other, and a checksum that fits.
    let (one, two) = (folder.bytes("one.srs"), folder.bytes("two.srs"));
    let mut joined = [&one[..76], &two[76..]].concat();
    let end = joined.len() - 32;
    let checksum = assay_verifier::digest::digest("assay srs file v1", &joined[8..end]);
    joined[end..].copy_from_slice(&checksum);
    assert!(wire::decode::<SrsFile>(&joined).unwrap().open().is_ok());
    folder.write("joined.srs", &joined);
    let (code, answer) = folder.json(&["srs", "check", "joined.srs"]);
    assert_eq!((code, &answer["valid"]), (1, &false.into()));
    assert!(answer["reason"].as_str().unwrap().contains("not the powers of the secret"));
    let run = folder.run(&["srs", "check", "joined.srs"]);
    assert!(run.code == 1 && run.stdout.contains("REFUSED"), "{run:?}");
}
