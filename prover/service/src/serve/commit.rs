//! Commitments to private inputs, which need what proofs of the engine `halo2` are made with.
use std::sync::Arc;

use assay_verifier::statement::InputCommitment;

use crate::backends::Commit;
use crate::models::{ModelRecord, Models, Served};
use crate::storage::BlobStore;
use crate::workers::Provers;

/// Commits, with the provers that make the proofs later.
pub struct Commits {
    /// Loaded provers.
    pub provers: Arc<Provers>,
    /// Models.
    pub models: Arc<Models>,
    /// Files.
    pub blobs: Arc<dyn BlobStore>,
}

impl Commit for Commits {
    fn commit(
        &self,
        model: &ModelRecord,
        key: &Served,
        inputs: &[Vec<i64>],
    ) -> Result<(InputCommitment, [u8; 32]), String> {
        let parts = self.models.parts_of(model, key).map_err(|error| error.to_string())?;
        let parts = parts.ok_or("the model is not compiled")?;
        let fetch = |id| self.blobs.get(id).map_err(|error| error.to_string());
        let prover = self.provers.get(&parts, &fetch).map_err(|trouble| trouble.to_string())?;
        let committed = prover.commit(inputs).map_err(|trouble| trouble.to_string())?;
        committed.ok_or_else(|| "the key hides no inputs".into())
    }
}
