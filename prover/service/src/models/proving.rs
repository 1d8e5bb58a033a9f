//! The catalogue as those see it who prove.
use assay_verifier::digest::KeyDigest;

use super::record::{ModelRecord, Served};
use super::store::{ModelError, Models};
use crate::jobs::Job;
use crate::workers::{Catalogue, Parts};

impl Models {
    /// What proofs of a model under one of its keys are made with, if it is compiled.
    ///
    /// # Errors
    /// The database's.
    pub fn parts_of(&self, model: &ModelRecord, key: &Served) -> Result<Option<Parts>, ModelError> {
        let Some((_, circuit_file)) = model.circuit else { return Ok(None) };
        let secret = if key.kind.private_weights { self.secret(key.digest)? } else { None };
        Ok(Some(Parts { engine: key.kind.engine, key: key.digest, circuit_file, key_file: key.blob, secret }))
    }
}

impl Catalogue for Models {
    fn parts(&self, job: &Job) -> Option<Parts> {
        let (model, wanted) = (self.get(job.model)?, job.proving?.key);
        let key = model.keys.iter().find(|key| key.digest == wanted)?;
        self.parts_of(&model, key).unwrap_or_else(|error| {
            tracing::error!(model = model.reference(), %error, "no proofs of this model");
            None
        })
    }

    fn hiding(&self) -> Vec<KeyDigest> {
        self.hiding_keys()
    }
}
