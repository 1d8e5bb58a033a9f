//! The publisher: compiles what was uploaded, makes keys, signs the manifest where this node publishes, and hands it in to the ledger.
//!
//! One thread, one model at a time. Each step is durable before the next, and what was stopped in the middle is gone on with.
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use assay_circuits::Report;
use assay_ledger::Rejection;
use assay_ledger::tx::{Payload, PublishModel};
use assay_prover::file::{CheckedFile, CircuitFile};
use assay_verifier::circuit::Limits;
use assay_verifier::digest::CircuitDigest;
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::receipt::Program;
use assay_verifier::settlement::keys;
use assay_verifier::settlement::model::{Manifest, Visibility};
use assay_verifier::signature::{Domain, SigningKey};
use assay_verifier::wire::{self, Bytes};

use super::compile::{self, Checked};
use super::float::FloatModel;
use super::keys::make;
use super::record::{Compilation, ModelRecord, Publication, Served, Source};
use super::store::{ModelError, Models};
use super::strings::Strings;
use crate::jobs::Failure;
use crate::ledger::{Fate, Ledger, SendError, Sender};
use crate::storage::{BlobId, BlobStore};

/// How long after a failure that may pass the next attempt follows.
const RETRY: Duration = Duration::from_secs(2);
/// How long a block is waited for.
const LONGEST: Duration = Duration::from_secs(30);

/// What publishing needs.
pub struct Needs {
    /// The catalogue.
    pub models: Arc<Models>,
    /// Files.
    pub blobs: Arc<dyn BlobStore>,
    /// Reference strings.
    pub strings: Arc<Strings>,
    /// This node's key.
    pub node: SigningKey,
    /// The ledger.
    pub ledger: Arc<dyn Ledger>,
    /// This node's account on it.
    pub sender: Arc<Sender>,
}

/// The thread. Dropping it waits for the step that it is at.
pub struct Publisher {
    wake: Mutex<Option<mpsc::Sender<()>>>,
    thread: Option<JoinHandle<()>>,
}

impl Publisher {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system's.
    pub fn start(needs: Needs) -> std::io::Result<Self> {
        let (wake, woken) = channel();
        let thread = std::thread::Builder::new().name("publisher".into()).spawn(move || work(&needs, &woken))?;
        Ok(Self { wake: Mutex::new(Some(wake)), thread: Some(thread) })
    }

    /// Says that there is something to do.
    pub fn wake(&self) {
        if let Some(wake) = &*self.wake.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = wake.send(());
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        *self.wake.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work(needs: &Needs, woken: &Receiver<()>) {
    loop {
        let unfinished = needs.models.unfinished();
        for model in &unfinished {
            if let Err(error) = advance(needs, model) {
                tracing::error!(model = model.reference(), %error, "the model stays where it is");
            }
        }
        let next = if needs.models.unfinished().is_empty() {
            woken.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            woken.recv_timeout(if unfinished.is_empty() { Duration::ZERO } else { RETRY })
        };
        if next == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
}

/// What went wrong, for whoever uploaded the model.
fn failed(code: &str, text: impl ToString) -> Failure {
    Failure { code: code.into(), text: text.to_string(), retryable: false, attempt: 1 }
}

fn advance(needs: &Needs, model: &ModelRecord) -> Result<(), ModelError> {
    let id = model.id();
    if model.compilation != Compilation::Done {
        needs.models.change(id, |model| model.compilation = Compilation::Running)?;
        let outcome = compiled(needs, model);
        needs.models.change(id, |model| match outcome {
            Ok(ready) => {
                model.compilation = Compilation::Done;
                (model.circuit, model.circuit_size_bytes) = (ready.circuit, ready.circuit_size_bytes);
                model.report = ready.report;
                model.keys = ready.keys;
                model.failure = None;
                if model.signed.is_none() {
                    let signature = needs.node.sign(Domain::Model, &needs.ledger.rules().chain_id, &ready.manifest);
                    model.signed = Some((ready.manifest, signature));
                }
            }
            Err(failure) => {
                model.compilation = Compilation::Failed;
                model.failure = Some(failure);
            }
        })?;
    }
    let Some(model) = needs.models.get(id).filter(|model| model.compilation == Compilation::Done) else {
        return Ok(());
    };
    published(needs, &model)
}

/// A model that can be published.
struct Ready {
    circuit: Option<(CircuitDigest, BlobId)>,
    circuit_size_bytes: u64,
    report: Option<Report>,
    keys: Vec<Served>,
    manifest: Manifest,
}

fn compiled(needs: &Needs, model: &ModelRecord) -> Result<Ready, Failure> {
    let stored = |error: &dyn std::fmt::Display| failed("blob", error);
    if let Some((blob, batch)) = model.onnx() {
        let onnx = needs.blobs.get(blob).map_err(|error| stored(&error))?;
        return float(model, &onnx, batch);
    }
    let file: CircuitFile = match &model.source {
        Source::Circuit(blob) | Source::Float { model: blob, .. } => {
            let bytes = needs.blobs.get(*blob).map_err(|error| stored(&error))?;
            wire::decode(&bytes).map_err(|error| failed("circuit", error))?
        }
        Source::Onnx { model, calibration, bits, batch } => {
            let onnx = needs.blobs.get(*model).map_err(|error| stored(&error))?;
            let read = |(blob, encoding): &(_, String)| Ok((needs.blobs.get(*blob)?, encoding.clone()));
            let samples = calibration.as_ref().map(read).transpose();
            let samples = samples.map_err(|error: crate::storage::BlobError| stored(&error))?;
            let calibration = samples.as_ref().map(|(bytes, encoding)| (bytes.as_slice(), encoding.as_str()));
            let wanted = Checked { model: &onnx, calibration, bits: *bits, batch: *batch };
            compile::file(&wanted).map_err(|error| failed("compile", error))?
        }
    };
    let bytes = wire::encode(&file);
    let report = file.report.clone();
    let file = CheckedFile::new(file).map_err(|error| failed("circuit", error))?;
    let keys = match &model.signed {
        None => made(needs, model, &file)?,
        Some((manifest, _)) => given(needs, model, manifest, &file)?,
    };
    let circuit_blob = needs.blobs.put(&bytes).map_err(|error| stored(&error))?;
    let circuit = file.circuit().digest();
    let manifest = manifest(model, Program::Circuit(circuit), &keys);
    Ok(Ready {
        circuit: Some((circuit, circuit_blob)),
        circuit_size_bytes: bytes.len() as u64,
        report: Some(report),
        keys,
        manifest,
    })
}

/// A model that is evaluated in floating point: it has no circuit and no keys.
fn float(model: &ModelRecord, onnx: &[u8], batch: u32) -> Result<Ready, Failure> {
    FloatModel::load(onnx, batch).map_err(|error| failed("evaluate", error))?;
    let program = model.program().ok_or_else(|| failed("evaluate", "the model has no file"))?;
    let manifest = match &model.signed {
        Some((signed, _)) if signed.program != program => {
            return Err(failed("circuit", "the manifest names another file"));
        }
        Some((signed, _)) => signed.clone(),
        None => manifest(model, program, &[]),
    };
    Ok(Ready { circuit: None, circuit_size_bytes: 0, report: None, keys: Vec::new(), manifest })
}

/// What this node publishes of a model.
fn manifest(model: &ModelRecord, program: Program, keys: &[Served]) -> Manifest {
    Manifest {
        publisher: model.publisher,
        name: model.name.clone(),
        version: model.version.clone(),
        program,
        keys: keys.iter().map(|key| key.digest).collect(),
        price: model.price,
        visibility: Visibility::Public,
    }
}

/// Keys that are made here.
fn made(needs: &Needs, model: &ModelRecord, file: &CheckedFile) -> Result<Vec<Served>, Failure> {
    let mut keys = Vec::new();
    for wanted in &model.wanted {
        let made = make(file, *wanted, &needs.strings).map_err(|error| failed("key", error))?;
        let digest = made.key.digest();
        if let Some(seed) = made.secret {
            needs.models.keep_secret(digest, seed).map_err(|error| failed("secret", error))?;
        }
        let bytes = wire::encode(&made.key);
        let blob = needs.blobs.put(&bytes).map_err(|error| failed("blob", error))?;
        keys.push(Served { digest, blob, size_bytes: bytes.len() as u64, kind: *wanted });
    }
    Ok(keys)
}

/// Keys that came with a manifest that somebody else signed: each must be of this circuit and hold.
fn given(needs: &Needs, model: &ModelRecord, manifest: &Manifest, file: &CheckedFile) -> Result<Vec<Served>, Failure> {
    let circuit = file.circuit().digest();
    if manifest.program != Program::Circuit(circuit) {
        return Err(failed("circuit", "the manifest names another circuit"));
    }
    for (served, named) in model.keys.iter().zip(&manifest.keys) {
        let bytes = needs.blobs.get(served.blob).map_err(|error| failed("blob", error))?;
        let key: Key = wire::decode(&bytes).map_err(|error| failed("key", error))?;
        if key.digest() != *named || served.digest != *named {
            return Err(failed("key", format!("the file of key {named} is another key")));
        }
        if key.circuit().digest() != circuit {
            return Err(failed("key", format!("key {named} is of another circuit")));
        }
        CheckedKey::new(&key, &Limits::default()).map_err(|error| failed("key", error))?;
    }
    Ok(model.keys.clone())
}

fn published(needs: &Needs, model: &ModelRecord) -> Result<(), ModelError> {
    let id = model.id();
    let Some((manifest, signature)) = &model.signed else { return Ok(()) };
    // It may be there: a stop came between the block and its note here.
    match needs.ledger.record(&keys::model(id)) {
        Ok(Some(_)) => {
            let height = needs.ledger.height().ok();
            needs.models.change(id, |model| (model.publication, model.height) = (Publication::Published, height))?;
            return Ok(());
        }
        Ok(None) => {}
        Err(error) => {
            tracing::warn!(model = model.reference(), %error, "the ledger does not answer");
            return Ok(());
        }
    }
    let mut files = Vec::new();
    for key in &model.keys {
        match needs.blobs.get(key.blob) {
            Ok(bytes) => files.push(Bytes(bytes)),
            Err(error) => {
                let failure = failed("blob", error);
                needs.models.change(id, |model| {
                    (model.publication, model.failure) = (Publication::Rejected, Some(failure));
                })?;
                return Ok(());
            }
        }
    }
    needs.models.change(id, |model| model.publication = Publication::Submitted)?;
    let payload = PublishModel { manifest: manifest.clone(), signature: *signature, keys: files };
    let refused = match needs.sender.send_and_wait(Payload::PublishModel(payload), LONGEST) {
        Ok(Fate::Done { height, .. }) => {
            needs
                .models
                .change(id, |model| (model.publication, model.height) = (Publication::Published, Some(height)))?;
            return Ok(());
        }
        Ok(Fate::Refused(reason)) | Err(SendError::Refused(reason)) => reason,
        Ok(Fate::Gone) => return Ok(()),
        Err(error) => {
            tracing::warn!(model = model.reference(), %error, "the model is not published yet");
            return Ok(());
        }
    };
    // Somebody was faster with the same one: the next look at the ledger shows it.
    if refused != Rejection::ModelExists {
        let failure = failed(refused.name(), refused.text());
        needs.models.change(id, |model| {
            (model.publication, model.failure) = (Publication::Rejected, Some(failure));
        })?;
    }
    Ok(())
}
