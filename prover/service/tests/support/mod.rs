//! Runs the binary in folders of its own, and writes input files.
#![allow(dead_code)] // every test file uses its own part
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use assay_verifier::wire::{self, File};
use serde_json::Value;
use tempfile::TempDir;

/// A folder for one test.
pub struct Folder(TempDir);

/// What a run of the binary gave.
pub struct Run {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A file of the fixtures.
pub fn fixture(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    folder.join(name).to_str().expect("paths are text").into()
}

impl Folder {
    /// An empty folder.
    pub fn new() -> Self {
        Self(TempDir::new().expect("there is room for temporary files"))
    }

    /// A folder with `mlp.circuit` and `mlp.key`.
    pub fn with_mlp() -> Self {
        let folder = Self::new();
        let (model, samples) = (fixture("digits_mlp.onnx"), fixture("digits_mlp_calibration.npz"));
        folder.fine(&["compile", &model, "--calibrate", &samples, "-o", "mlp.circuit"]);
        folder.fine(&["key", "mlp.circuit"]);
        folder
    }

    /// A file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the binary in it.
    pub fn run(&self, arguments: &[&str]) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_assay"))
            .args(arguments)
            .current_dir(self.0.path())
            .output()
            .expect("the binary runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is text");
        let code = output.status.code().expect("the binary ends by itself");
        Run { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Runs the binary, which must succeed.
    pub fn fine(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}{}", run.stdout, run.stderr);
        run
    }

    /// Runs the binary with `--json`; gives the exit code and the only thing on standard output.
    pub fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let run = self.run(&[arguments, &["--json"]].concat());
        let value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {run:?}"));
        (run.code, value)
    }

    /// Runs the binary, which must refuse the arguments or files, saying all of the words.
    pub fn refuses(&self, arguments: &[&str], words: &[&str]) {
        let run = self.run(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}{}", run.stdout, run.stderr);
        for word in words {
            assert!(run.stderr.contains(word), "{arguments:?} does not say {word:?}: {}", run.stderr);
        }
        assert!(run.stdout.is_empty(), "{arguments:?}: {}", run.stdout);
    }

    /// Reads one of our files.
    pub fn load<T: File>(&self, name: &str) -> T {
        wire::decode(&self.bytes(name)).expect("the binary writes well-formed files")
    }

    /// Writes one of our files.
    pub fn store<T: File>(&self, name: &str, value: &T) {
        self.write(name, &wire::encode(value));
    }

    /// Reads a file.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).expect("the file is there")
    }

    /// Writes a file.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("the folder can be written");
    }
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {}\n{}\n{}", self.code, self.stdout, self.stderr)
    }
}

/// A NumPy array of 32-bit floats.
pub fn npy(shape: &str, values: &[f32]) -> Vec<u8> {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).expect("headers are short").to_le_bytes());
    bytes.extend(header.as_bytes());
    values.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
    bytes
}

/// Writes a NumPy archive of one array.
pub fn write_npz(path: &Path, name: &str, array: &[u8]) {
    let mut archive = zip::ZipWriter::new(std::fs::File::create(path).expect("the folder can be written"));
    let options = zip::write::SimpleFileOptions::default();
    archive.start_file(format!("{name}.npy"), options).expect("archives take files");
    archive.write_all(array).expect("archives take bytes");
    archive.finish().expect("archives end");
}
