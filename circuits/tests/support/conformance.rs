//! Reads the archive of ONNX's node tests and writes the table of what became of them.
#![allow(dead_code)] // every test file uses its own part

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::PathBuf;

use assay_circuits::io::{self, Kind, NamedTensors};
use assay_circuits::onnx::NoExternalData;
use assay_circuits::{Model, ModelError};
use zip::ZipArchive;

/// The archive.
pub struct Archive(ZipArchive<Cursor<Vec<u8>>>);

/// A line of the index.
pub struct Entry {
    /// Name of the test.
    pub name: String,
    /// The operator that it tests.
    pub operator: String,
    /// Why it is not in the archive.
    pub left_out: Option<String>,
}

/// A test.
pub struct Case {
    /// The model, unless it is refused.
    pub model: Result<Model, ModelError>,
    /// Values of its inputs.
    pub inputs: NamedTensors,
    /// What its outputs must be.
    pub outputs: NamedTensors,
}

impl Archive {
    /// Opens the archive of the fixtures.
    pub fn open() -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/conformance.zip");
        let bytes = std::fs::read(path).expect("the fixtures have node tests");
        Self(ZipArchive::new(Cursor::new(bytes)).expect("an archive"))
    }

    fn bytes(&mut self, name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.0.by_name(name).expect("listed").read_to_end(&mut bytes).expect("it unpacks");
        bytes
    }

    /// All tests of the package.
    pub fn index(&mut self) -> Vec<Entry> {
        let text = String::from_utf8(self.bytes("index.tsv")).expect("text");
        let entry = |line: &str| {
            let mut fields = line.split('\t').map(str::to_owned);
            let mut next = || fields.next().expect("three fields");
            let (name, operator, reason) = (next(), next(), next());
            Entry { name, operator, left_out: Some(reason).filter(|reason| !reason.is_empty()) }
        };
        text.lines().map(entry).collect()
    }

    /// One test.
    pub fn case(&mut self, name: &str) -> Case {
        let model = Model::from_bytes(&self.bytes(&format!("{name}/model.onnx")), &NoExternalData);
        let mut tensors = |kind: &str| -> NamedTensors {
            let prefix = format!("{name}/{kind}/");
            let files: Vec<String> =
                self.0.file_names().filter(|file| file.starts_with(&prefix)).map(str::to_owned).collect();
            let mut all = BTreeMap::new();
            for file in files {
                let mut arrays = io::decode(&self.bytes(&file), Kind::Npy).expect("a NumPy array");
                let name = file[prefix.len()..].strip_suffix(".npy").expect("an array").to_owned();
                all.insert(name, arrays.remove(0).1);
            }
            all
        };
        Case { inputs: tensors("inputs"), outputs: tensors("outputs"), model }
    }
}
