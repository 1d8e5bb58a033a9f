//! The catalogue: records of models on disk, and in memory for whoever asks. A change is durable before anybody sees it.
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use assay_verifier::digest::KeyDigest;
use assay_verifier::receipt::ModelId;
use assay_verifier::settlement::{decode, encode};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use thiserror::Error;

use super::record::{Compilation, ModelRecord, Publication, Served, Source};
use crate::storage::{BlobId, private};

/// Records by identity.
const MODELS: TableDefinition<'static, [u8; 32], &'static [u8]> = TableDefinition::new("models version 1");
/// Seeds of hidden weights by key.
const SECRETS: TableDefinition<'static, [u8; 32], [u8; 32]> = TableDefinition::new("secrets version 1");

/// What goes wrong with the catalogue.
#[derive(Debug, Error)]
pub enum ModelError {
    /// It is there already.
    #[error("this version of the model is there already")]
    Exists,
    /// It is not there.
    #[error("there is no such model")]
    Missing,
    /// The database.
    #[error("the catalogue: {0}")]
    Store(#[from] redb::Error),
    /// The database holds what is not a record.
    #[error("the catalogue is damaged")]
    Corrupt,
}

/// The catalogue.
pub struct Models {
    database: Database,
    known: Mutex<BTreeMap<ModelId, Arc<ModelRecord>>>,
}

impl Models {
    /// Opens or creates the catalogue.
    ///
    /// # Errors
    /// The database's.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        private::file(path).map_err(redb::Error::Io)?;
        let database = Database::create(path).map_err(redb::Error::from)?;
        let write = database.begin_write().map_err(redb::Error::from)?;
        write.open_table(MODELS).map_err(redb::Error::from)?;
        write.open_table(SECRETS).map_err(redb::Error::from)?;
        write.commit().map_err(redb::Error::from)?;
        let mut known = BTreeMap::new();
        let read = database.begin_read().map_err(redb::Error::from)?;
        for entry in read.open_table(MODELS).map_err(redb::Error::from)?.iter().map_err(redb::Error::from)? {
            let (_, bytes) = entry.map_err(redb::Error::from)?;
            let record: ModelRecord = decode(bytes.value()).map_err(|_| ModelError::Corrupt)?;
            known.insert(record.id(), Arc::new(record));
        }
        drop(read);
        Ok(Self { database, known: Mutex::new(known) })
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<ModelId, Arc<ModelRecord>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A model.
    pub fn get(&self, id: ModelId) -> Option<Arc<ModelRecord>> {
        self.known().get(&id).cloned()
    }

    /// The models after one, in the order of their identities.
    pub fn list(&self, after: Option<ModelId>, limit: usize) -> Vec<Arc<ModelRecord>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        self.known().range((from, Unbounded)).take(limit).map(|(_, record)| Arc::clone(record)).collect()
    }

    /// A model by its reference: its identity, `publisher/name/version`, or `name/version` or `name` where that is unambiguous.
    /// Of several versions of a name the one published last counts.
    pub fn find(&self, reference: &str) -> Option<Arc<ModelRecord>> {
        if let Ok(id) = reference.parse() {
            return self.get(id);
        }
        let parts: Vec<&str> = reference.split('/').collect();
        let known = self.known();
        let mut found: Vec<&Arc<ModelRecord>> = match parts[..] {
            [publisher, name, version] => {
                let id = ModelId::new(publisher.parse().ok()?, name, version);
                return known.get(&id).cloned();
            }
            [name, version] => known.values().filter(|model| model.name == name && model.version == version).collect(),
            [name] => known.values().filter(|model| model.name == name && model.serves()).collect(),
            _ => return None,
        };
        let first = *found.first()?;
        if found.iter().any(|model| model.publisher != first.publisher) {
            return None;
        }
        found.sort_by_key(|model| model.created_ms);
        found.last().map(|model| Arc::clone(model))
    }

    /// A key that is served, by its digest.
    pub fn key(&self, digest: KeyDigest) -> Option<Served> {
        let known = self.known();
        known.values().flat_map(|model| &model.keys).find(|key| key.digest == digest).copied()
    }

    /// Keys that hide something.
    pub fn hiding_keys(&self) -> Vec<KeyDigest> {
        let known = self.known();
        known.values().flat_map(|model| &model.keys).filter(|key| key.hiding()).map(|key| key.digest).collect()
    }

    /// Blobs that belong to models.
    pub fn kept_blobs(&self) -> HashSet<BlobId> {
        let known = self.known();
        let mut kept = HashSet::new();
        for model in known.values() {
            kept.extend(model.circuit.map(|(_, blob)| blob));
            kept.extend(model.keys.iter().map(|key| key.blob));
            match &model.source {
                Source::Circuit(blob) | Source::Float { model: blob, .. } => drop(kept.insert(*blob)),
                Source::Onnx { model, calibration, .. } => {
                    kept.insert(*model);
                    kept.extend(calibration.as_ref().map(|(blob, _)| *blob));
                }
            }
        }
        kept
    }

    /// Adds a model.
    ///
    /// # Errors
    /// It is there, or the database's.
    pub fn add(&self, record: ModelRecord) -> Result<Arc<ModelRecord>, ModelError> {
        let mut known = self.known();
        if known.contains_key(&record.id()) {
            return Err(ModelError::Exists);
        }
        self.store(&mut known, record)
    }

    /// Changes a model.
    ///
    /// # Errors
    /// It is not there, or the database's.
    pub fn change(&self, id: ModelId, change: impl FnOnce(&mut ModelRecord)) -> Result<Arc<ModelRecord>, ModelError> {
        let mut known = self.known();
        let mut record = ModelRecord::clone(known.get(&id).ok_or(ModelError::Missing)?);
        change(&mut record);
        record.updated_ms = crate::clock::now_ms();
        self.store(&mut known, record)
    }

    fn store(
        &self,
        known: &mut BTreeMap<ModelId, Arc<ModelRecord>>,
        record: ModelRecord,
    ) -> Result<Arc<ModelRecord>, ModelError> {
        let write = self.database.begin_write().map_err(redb::Error::from)?;
        {
            let mut table = write.open_table(MODELS).map_err(redb::Error::from)?;
            table.insert(record.id().0, encode(&record).as_slice()).map_err(redb::Error::from)?;
        }
        write.commit().map_err(redb::Error::from)?;
        let record = Arc::new(record);
        known.insert(record.id(), Arc::clone(&record));
        Ok(record)
    }

    /// Models that are not compiled or not published yet, oldest first: what is to be gone on with.
    pub fn unfinished(&self) -> Vec<Arc<ModelRecord>> {
        let unfinished = |model: &&Arc<ModelRecord>| match model.compilation {
            Compilation::Queued | Compilation::Running => true,
            Compilation::Done => matches!(model.publication, Publication::None | Publication::Submitted),
            Compilation::Failed => false,
        };
        let mut found: Vec<_> = self.known().values().filter(unfinished).cloned().collect();
        found.sort_by_key(|model| model.created_ms);
        found
    }

    /// Keeps the seed of a key's hidden weights. It must be durable before the key is shown to anybody.
    ///
    /// # Errors
    /// The database's.
    pub fn keep_secret(&self, key: KeyDigest, seed: [u8; 32]) -> Result<(), ModelError> {
        let write = self.database.begin_write().map_err(redb::Error::from)?;
        write.open_table(SECRETS).map_err(redb::Error::from)?.insert(key.0, seed).map_err(redb::Error::from)?;
        write.commit().map_err(redb::Error::from)?;
        Ok(())
    }

    /// The seed of a key's hidden weights.
    ///
    /// # Errors
    /// The database's.
    pub fn secret(&self, key: KeyDigest) -> Result<Option<[u8; 32]>, ModelError> {
        let read = self.database.begin_read().map_err(redb::Error::from)?;
        let table = read.open_table(SECRETS).map_err(redb::Error::from)?;
        Ok(table.get(key.0).map_err(redb::Error::from)?.map(|seed| seed.value()))
    }
}
