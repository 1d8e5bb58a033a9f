//! A node that joins late: snapshots are made, offered and received; what is not what it should be is refused, and its senders are named.
use std::path::Path;
use std::time::{Duration, Instant};

use assay_ledger::abci::{SNAPSHOT_FORMAT, Snapshots};
use assay_ledger::state::{Archive, Manifest};
use assay_ledger::tx::{Body, Payload, Transfer};
use assay_verifier::wire;
use tempfile::TempDir;
use tendermint_proto::v0_38::abci::request::Value as Asked;
use tendermint_proto::v0_38::abci::response::Value as Said;
use tendermint_proto::v0_38::abci::response_apply_snapshot_chunk::Result as ChunkResult;
use tendermint_proto::v0_38::abci::response_offer_snapshot::Result as OfferResult;
use tendermint_proto::v0_38::abci::{self, Snapshot};

use super::client::{Client, Served, fresh, socket};
use super::common::{CHAIN, FEE, PAYER, key, secret};

/// A snapshot is made after every so many blocks.
const INTERVAL: u64 = 2;
/// Few records fit into a chunk.
const CHUNK_BYTES: usize = 300;

/// To another account each time.
fn transfer(nonce: u64, amount: u64) -> Vec<u8> {
    let payload = Payload::Transfer(Transfer { to: key(100 + nonce as u8), amount });
    Body { chain_id: CHAIN.into(), signer: key(PAYER), nonce, fee: FEE, payload }.sign(&secret(PAYER)).encode()
}

async fn start(folder: &Path) -> Served {
    let archive = Archive::open(&folder.join("snapshots"), CHUNK_BYTES).unwrap();
    let snapshots = Snapshots::new(archive, INTERVAL);
    Served::start_with(folder, &socket(folder), |answers| answers.with_snapshots(snapshots)).await
}

async fn empty() -> (TempDir, Served, Client) {
    let folder = tempfile::tempdir().unwrap();
    let served = start(folder.path()).await;
    let client = served.connect().await;
    (folder, served, client)
}

impl Client {
    async fn snapshots(&mut self) -> Vec<Snapshot> {
        let asked = Asked::ListSnapshots(abci::RequestListSnapshots {});
        let Said::ListSnapshots(answer) = self.ask(asked).await else { panic!("list") };
        answer.snapshots
    }

    async fn chunk(&mut self, snapshot: &Snapshot, chunk: u32) -> Vec<u8> {
        let (height, format) = (snapshot.height, snapshot.format);
        let asked = Asked::LoadSnapshotChunk(abci::RequestLoadSnapshotChunk { height, format, chunk });
        let Said::LoadSnapshotChunk(answer) = self.ask(asked).await else { panic!("load") };
        answer.chunk.to_vec()
    }

    async fn chunks(&mut self, snapshot: &Snapshot) -> Vec<Vec<u8>> {
        let mut chunks = Vec::new();
        for index in 0..snapshot.chunks {
            chunks.push(self.chunk(snapshot, index).await);
        }
        chunks
    }

    async fn offer(&mut self, snapshot: &Snapshot, app_hash: &[u8]) -> OfferResult {
        let app_hash = app_hash.to_vec().into();
        let asked = abci::RequestOfferSnapshot { snapshot: Some(snapshot.clone()), app_hash };
        let Said::OfferSnapshot(answer) = self.ask(Asked::OfferSnapshot(asked)).await else { panic!("offer") };
        answer.result.try_into().unwrap()
    }

    async fn apply(&mut self, index: usize, chunk: &[u8], sender: &str) -> abci::ResponseApplySnapshotChunk {
        let chunk = chunk.to_vec().into();
        let asked = abci::RequestApplySnapshotChunk { index: index as u32, chunk, sender: sender.into() };
        let Said::ApplySnapshotChunk(answer) = self.ask(Asked::ApplySnapshotChunk(asked)).await else { panic!() };
        answer
    }

    async fn apply_all(&mut self, chunks: &[Vec<u8>]) -> ChunkResult {
        let mut last = ChunkResult::Unknown;
        for (index, chunk) in chunks.iter().enumerate() {
            assert!(matches!(last, ChunkResult::Unknown | ChunkResult::Accept), "{index}: {last:?}");
            last = self.apply(index, chunk, "peer").await.result.try_into().unwrap();
        }
        last
    }

    /// Waits until the snapshot of a height is there.
    async fn snapshot_of(&mut self, height: u64) -> Snapshot {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(found) = self.snapshots().await.into_iter().find(|snapshot| snapshot.height == height) {
                return found;
            }
            assert!(Instant::now() < end, "no snapshot of height {height}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Makes blocks up to a height, each with a transfer, and waits for each snapshot that is due.
    async fn run_to(&mut self, height: u64, amount: u64) -> Vec<u8> {
        let first = self.info().await.last_block_height as u64 + 1;
        for block in first..=height {
            let results = self.finalize(block as i64, &[transfer(block - 1, amount)]).await.tx_results;
            assert_eq!(results[0].code, 0);
            self.commit().await;
            if block.is_multiple_of(INTERVAL) {
                self.snapshot_of(block).await;
            }
        }
        self.info().await.last_block_app_hash.to_vec()
    }
}

/// Offers of a manifest that somebody made up.
fn of(manifest: &Manifest) -> Snapshot {
    Snapshot {
        height: manifest.height,
        format: SNAPSHOT_FORMAT,
        chunks: manifest.chunks.len() as u32,
        hash: manifest.digest().to_vec().into(),
        metadata: wire::encode(manifest).into(),
    }
}

#[tokio::test]
async fn a_late_node_joins_and_goes_on() {
    let (_source_folder, source_served, mut source) = empty().await;
    let app_hash = source.run_to(6, 1).await;
    let listed = source.snapshots().await;
    let heights: Vec<u64> = listed.iter().map(|snapshot| snapshot.height).collect();
    assert_eq!(heights, [6, 4], "the last two are kept");
    let snapshot = &listed[0];
    assert!(snapshot.chunks > 3);
    let chunks = source.chunks(snapshot).await;
    assert!(source.chunk(snapshot, snapshot.chunks).await.is_empty());
    assert!(source.chunk(&Snapshot { format: 2, ..snapshot.clone() }, 0).await.is_empty());

    let (folder, served, mut late) = empty().await;
    assert_eq!(late.offer(snapshot, &app_hash).await, OfferResult::Accept);
    assert_eq!(late.apply_all(&chunks).await, ChunkResult::Accept);
    let info = late.info().await;
    assert_eq!((info.last_block_height, info.last_block_app_hash.to_vec()), (6, app_hash.clone()));
    // It is a node like any other: it goes on, proves what it has, and others can join from it.
    drop(late);
    served.stop().await.unwrap();
    let served = start(folder.path()).await;
    let mut late = served.connect().await;
    assert_eq!(late.info().await.last_block_app_hash.to_vec(), app_hash);
    assert_eq!(late.snapshots().await, std::slice::from_ref(snapshot));
    assert_eq!(late.chunks(snapshot).await, chunks);
    for height in 7..=10 {
        let block = [transfer(height as u64 - 1, 1)];
        assert_eq!(late.finalize(height, &block).await, source.finalize(height, &block).await);
        late.commit().await;
        source.commit().await;
        if (height as u64).is_multiple_of(INTERVAL) {
            // Both make the same snapshots, though their trees came to be in different ways.
            assert_eq!(late.snapshot_of(height as u64).await, source.snapshot_of(height as u64).await);
        }
    }
    served.stop().await.unwrap();
    source_served.stop().await.unwrap();
}

#[tokio::test]
async fn wrong_chunks_are_refused_and_their_sender_is_named() {
    let (_folder, served, mut source) = empty().await;
    let app_hash = source.run_to(2, 1).await;
    let snapshot = source.snapshot_of(2).await;
    let chunks = source.chunks(&snapshot).await;
    let (_late_folder, late_served, mut late) = empty().await;
    assert_eq!(late.offer(&snapshot, &app_hash).await, OfferResult::Accept);
    for (index, chunk) in chunks.iter().enumerate() {
        let mut changed = chunk.clone();
        changed[chunk.len() / 2] ^= 1;
        let longer = [chunk.as_slice(), &[0]].concat();
        let other = &chunks[(index + 1) % chunks.len()];
        for wrong in [&changed, &chunk[..chunk.len() - 1], &longer, other, &[]] {
            let answer = late.apply(index, wrong, "liar").await;
            assert_eq!(answer.result, i32::from(ChunkResult::Retry));
            assert_eq!(answer.refetch_chunks, [index as u32]);
            assert_eq!(answer.reject_senders, ["liar"]);
        }
        assert_eq!(late.apply(index, chunk, "honest").await.result, i32::from(ChunkResult::Accept));
    }
    assert_eq!(late.info().await.last_block_app_hash.to_vec(), app_hash);
    late_served.stop().await.unwrap();
    served.stop().await.unwrap();
}

#[tokio::test]
async fn offers_that_are_not_what_they_say() {
    let (_folder, served, mut source) = empty().await;
    let app_hash = source.run_to(2, 1).await;
    let snapshot = source.snapshot_of(2).await;
    let (_late_folder, late_served, mut late) = empty().await;
    let other = [9; 32];
    assert_eq!(late.offer(&snapshot, &other).await, OfferResult::RejectSender);
    assert_eq!(late.offer(&snapshot, &app_hash[..31]).await, OfferResult::RejectSender);
    let changed = [
        Snapshot { height: 3, ..snapshot.clone() },
        Snapshot { chunks: snapshot.chunks + 1, ..snapshot.clone() },
        Snapshot { hash: other.to_vec().into(), ..snapshot.clone() },
        Snapshot { metadata: vec![1, 2, 3].into(), ..snapshot.clone() },
        of(&Manifest { height: 2, app_hash: app_hash.clone().try_into().unwrap(), chunks: Vec::new() }),
    ];
    for changed in changed {
        assert_eq!(late.offer(&changed, &app_hash).await, OfferResult::RejectSender, "{changed:?}");
    }
    assert_eq!(late.offer(&Snapshot { format: 2, ..snapshot.clone() }, &app_hash).await, OfferResult::RejectFormat);
    // Nothing is being received; and a node with a state of its own wants none.
    assert_eq!(late.apply(0, &[], "peer").await.result, i32::from(ChunkResult::Abort));
    assert_eq!(source.offer(&snapshot, &app_hash).await, OfferResult::Abort);
    late_served.stop().await.unwrap();
    served.stop().await.unwrap();
    // Without a place for snapshots there are none.
    let (_folder, served) = fresh().await;
    let mut without = served.connect().await;
    assert!(without.snapshots().await.is_empty());
    assert!(without.chunk(&snapshot, 0).await.is_empty());
    assert_eq!(without.offer(&snapshot, &app_hash).await, OfferResult::Abort);
    assert_eq!(without.apply(0, &[], "peer").await.result, i32::from(ChunkResult::Abort));
    served.stop().await.unwrap();
}

/// Manifests that name the trusted app hash, and chunks that go with them and lead elsewhere.
#[tokio::test]
async fn states_that_do_not_have_the_trusted_root() {
    let (_folder, served, mut source) = empty().await;
    let app_hash: [u8; 32] = source.run_to(2, 1).await.try_into().unwrap();
    let snapshot = source.snapshot_of(2).await;
    let chunks = source.chunks(&snapshot).await;
    let manifest = Manifest::decode(&snapshot.metadata).unwrap();
    let (_other_folder, other_served, mut other) = empty().await;
    other.run_to(2, 2).await;
    let lie = other.snapshot_of(2).await;
    let lies = other.chunks(&lie).await;
    let lie = Manifest { app_hash, ..Manifest::decode(&lie.metadata).unwrap() };

    let (folder, late_served, mut late) = empty().await;
    let genesis = late.info().await.last_block_app_hash;
    let pick = |order: &[usize]| {
        let digests = order.iter().map(|index| manifest.chunks[*index]).collect();
        let chunks: Vec<Vec<u8>> = order.iter().map(|index| chunks[*index].clone()).collect();
        (Manifest { chunks: digests, ..manifest.clone() }, chunks)
    };
    let all: Vec<usize> = (0..chunks.len()).collect();
    let mut swapped = all.clone();
    swapped.swap(0, 1);
    let forged = [
        (lie, lies),
        pick(&all[..all.len() - 1]),
        pick(&all[1..]),
        pick(&swapped),
        pick(&[all.as_slice(), &[0]].concat()),
        pick(&[0, 0]),
        (Manifest { height: 3, ..manifest.clone() }, chunks.clone()),
    ];
    for (number, (manifest, chunks)) in forged.iter().enumerate() {
        assert_eq!(late.offer(&of(manifest), &app_hash).await, OfferResult::Accept, "{number}");
        assert_eq!(late.apply_all(chunks).await, ChunkResult::RejectSnapshot, "{number}");
        let info = late.info().await;
        assert_eq!((info.last_block_height, &info.last_block_app_hash), (0, &genesis), "{number}");
    }
    // Nothing is left of it, neither here nor after a restart, and the true one is received.
    drop(late);
    late_served.stop().await.unwrap();
    let late_served = start(folder.path()).await;
    let mut late = late_served.connect().await;
    assert_eq!(late.info().await.last_block_app_hash, genesis);
    assert_eq!(late.offer(&snapshot, &app_hash).await, OfferResult::Accept);
    assert_eq!(late.apply_all(&chunks).await, ChunkResult::Accept);
    assert_eq!(late.info().await.last_block_app_hash.to_vec(), app_hash);
    for served in [served, other_served, late_served] {
        served.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_stop_in_the_middle_leaves_an_empty_node() {
    let (_folder, served, mut source) = empty().await;
    let app_hash = source.run_to(2, 1).await;
    let snapshot = source.snapshot_of(2).await;
    let chunks = source.chunks(&snapshot).await;
    let (folder, mut late_served, mut late) = empty().await;
    let genesis = late.info().await.last_block_app_hash;
    for received in 0..chunks.len() {
        assert_eq!(late.offer(&snapshot, &app_hash).await, OfferResult::Accept);
        for (index, chunk) in chunks.iter().enumerate().take(received) {
            assert_eq!(late.apply(index, chunk, "peer").await.result, i32::from(ChunkResult::Accept));
        }
        drop(late);
        late_served.stop().await.unwrap();
        late_served = start(folder.path()).await;
        late = late_served.connect().await;
        let info = late.info().await;
        assert_eq!((info.last_block_height, &info.last_block_app_hash), (0, &genesis));
        assert!(late.snapshots().await.is_empty());
        // What was received before does not count; consensus offers anew.
        assert_eq!(late.apply(received, &chunks[received], "peer").await.result, i32::from(ChunkResult::Abort));
    }
    // It can begin with the genesis as well as with a snapshot.
    late.run_to(2, 1).await;
    assert_eq!(late.info().await.last_block_app_hash.to_vec(), app_hash);
    late_served.stop().await.unwrap();
    served.stop().await.unwrap();
}
