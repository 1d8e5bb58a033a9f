//! Snapshots: made in the background after every so many blocks, offered to others, and received by a node that joins late.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tendermint_proto::v0_38::abci;
use tendermint_proto::v0_38::abci::response_apply_snapshot_chunk::Result as ChunkResult;
use tendermint_proto::v0_38::abci::response_offer_snapshot::Result as OfferResult;

use crate::app::App;
use crate::state::{Archive, Committed, Manifest, Receiving, Snapshot, SnapshotError};

/// The form of snapshots: a manifest as metadata, chunks of records in the order of the tree.
pub const SNAPSHOT_FORMAT: u32 = 1;

/// Makes, offers and receives snapshots. Dropping it stops the one that is being made.
pub struct Snapshots {
    archive: Archive,
    interval: u64,
    making: Mutex<Option<Making>>,
    stopped: Arc<AtomicBool>,
    receiving: Mutex<Option<Receiving>>,
}

/// A snapshot that is being made.
struct Making {
    thread: JoinHandle<()>,
    /// Whether it still waits for the one before it.
    waits: Arc<AtomicBool>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Snapshots {
    /// Snapshots in an archive, one after every so many blocks; none are made if that is 0.
    pub fn new(archive: Archive, interval: u64) -> Self {
        Self { archive, interval, making: Mutex::default(), stopped: Arc::default(), receiving: Mutex::default() }
    }

    /// Whether a snapshot is due after a height.
    pub(super) fn due(&self, height: u64) -> bool {
        self.interval != 0 && height.is_multiple_of(self.interval)
    }

    /// Makes a snapshot of a state in the background, after the one that is being made; none if one waits already.
    pub(super) fn make(&self, state: Snapshot) {
        let mut making = locked(&self.making);
        if making.as_ref().is_some_and(|making| making.waits.load(Ordering::Acquire)) {
            tracing::warn!("no snapshot is made: two are on their way");
            return;
        }
        let before = making.take();
        let waits = Arc::new(AtomicBool::new(true));
        let (archive, stopped, begun) = (self.archive.clone(), Arc::clone(&self.stopped), Arc::clone(&waits));
        let work = move || {
            if let Some(Making { thread, .. }) = before {
                let _ = thread.join();
            }
            begun.store(false, Ordering::Release);
            match archive.make(&state, &stopped) {
                Ok(Some(made)) => tracing::info!(height = made.height, chunks = made.chunks.len(), "made a snapshot"),
                Ok(None) => {}
                // Others have snapshots too; the chain goes on without this one.
                Err(error) => tracing::error!(%error, "no snapshot was made"),
            }
        };
        match std::thread::Builder::new().name("snapshot".into()).spawn(work) {
            Ok(thread) => *making = Some(Making { thread, waits }),
            Err(error) => tracing::error!(%error, "no snapshot was made"),
        }
    }

    /// What is here to be fetched.
    pub(super) fn list(&self) -> abci::ResponseListSnapshots {
        let manifests = self.archive.manifests().unwrap_or_else(unread);
        abci::ResponseListSnapshots { snapshots: manifests.iter().filter_map(listed).collect() }
    }

    /// A chunk for another node; nothing if it is not here any more.
    pub(super) fn load(&self, asked: &abci::RequestLoadSnapshotChunk) -> abci::ResponseLoadSnapshotChunk {
        let known = asked.format == SNAPSHOT_FORMAT;
        let chunk = if known { self.archive.chunk(asked.height, asked.chunk).unwrap_or_else(unread) } else { None };
        abci::ResponseLoadSnapshotChunk { chunk: chunk.unwrap_or_default().into() }
    }

    /// Whether a snapshot is worth fetching. Whoever offers one that is not what it says, or not of the trusted state, is asked no more.
    pub(super) fn offer(&self, app: &App, asked: &abci::RequestOfferSnapshot) -> Result<OfferResult, SnapshotError> {
        *locked(&self.receiving) = None;
        let Some(offered) = &asked.snapshot else { return Ok(OfferResult::Reject) };
        if app.last().height != 0 {
            return Ok(OfferResult::Abort);
        }
        if offered.format != SNAPSHOT_FORMAT {
            return Ok(OfferResult::RejectFormat);
        }
        let Ok(manifest) = Manifest::decode(&offered.metadata) else { return Ok(OfferResult::RejectSender) };
        if listed(&manifest).as_ref() != Some(offered) || asked.app_hash != manifest.app_hash.as_slice() {
            return Ok(OfferResult::RejectSender);
        }
        *locked(&self.receiving) = Some(self.archive.receive(manifest)?);
        Ok(OfferResult::Accept)
    }

    /// Takes a chunk; after the last one the state is there, or all of it was in vain.
    pub(super) fn apply(
        &self,
        app: &mut App,
        asked: abci::RequestApplySnapshotChunk,
    ) -> Result<abci::ResponseApplySnapshotChunk, SnapshotError> {
        let said =
            |result: ChunkResult| abci::ResponseApplySnapshotChunk { result: result.into(), ..Default::default() };
        let mut receiving = locked(&self.receiving);
        let Some(received) = receiving.as_mut() else { return Ok(said(ChunkResult::Abort)) };
        match received.take(asked.index, &asked.chunk) {
            Err(SnapshotError::Refused(why)) => {
                tracing::warn!(index = asked.index, sender = asked.sender, why, "a chunk is refused");
                let again = said(ChunkResult::Retry);
                return Ok(abci::ResponseApplySnapshotChunk {
                    refetch_chunks: vec![asked.index],
                    reject_senders: vec![asked.sender],
                    ..again
                });
            }
            taken => taken?,
        }
        if !received.complete() {
            return Ok(said(ChunkResult::Accept));
        }
        let Manifest { height, app_hash, chunks } = received.manifest();
        let trusted = Committed { height: *height, app_hash: *app_hash };
        match app.restore(trusted, (0..chunks.len()).map(|index| received.chunk(index))) {
            Err(SnapshotError::Refused(why)) => {
                tracing::warn!(height, why, "a snapshot is refused");
                *receiving = None;
                return Ok(said(ChunkResult::RejectSnapshot));
            }
            restored => restored?,
        }
        tracing::info!(height, app_hash = hex::encode(trusted.app_hash), "joined by a snapshot");
        if let Some(received) = receiving.take() {
            self.archive.adopt(received)?;
        }
        Ok(said(ChunkResult::Accept))
    }
}

/// Others have snapshots too, so a file that cannot be read here stops nothing.
fn unread<T: Default>(error: SnapshotError) -> T {
    tracing::error!(%error, "a snapshot cannot be read");
    T::default()
}

/// A snapshot as CometBFT lists it, if it has as many chunks as can be counted.
fn listed(manifest: &Manifest) -> Option<abci::Snapshot> {
    Some(abci::Snapshot {
        height: manifest.height,
        format: SNAPSHOT_FORMAT,
        chunks: u32::try_from(manifest.chunks.len()).ok()?,
        hash: manifest.digest().to_vec().into(),
        metadata: assay_verifier::wire::encode(manifest).into(),
    })
}

impl Drop for Snapshots {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(Making { thread, .. }) = locked(&self.making).take() {
            let _ = thread.join();
        }
    }
}
