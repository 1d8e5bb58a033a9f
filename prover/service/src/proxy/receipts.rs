//! Receipts of forwarded requests, on disk. One thread writes; receipts that come while it makes others durable go into the next
//! transaction together, so that hundreds of streams that end at once wait for one synchronisation of the disk.
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use assay_verifier::digest::Digest32;
use assay_verifier::receipt::{RequestId, SignedReceipt};
use assay_verifier::wire;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use crate::jobs::Owner;
use crate::storage::private;

/// By the request: owner and receipt.
const RECEIPTS: TableDefinition<'_, [u8; 32], &[u8]> = TableDefinition::new("receipts");
/// The request by the receipt's digest.
const DIGESTS: TableDefinition<'_, [u8; 32], [u8; 32]> = TableDefinition::new("digests");
/// Requests by time.
const TIMES: TableDefinition<'_, (u64, [u8; 32]), ()> = TableDefinition::new("times");
/// Pages that the database keeps in memory.
const CACHE_BYTES: usize = 8 << 20;
/// Receipts of one transaction, and those that may wait for the next one.
const TOGETHER: usize = 1024;
/// What is removed in one transaction.
const PRUNED_TOGETHER: usize = 1024;

/// Why receipts are not kept or found.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReceiptsError {
    /// The database.
    #[error("the store of receipts: {0}")]
    Store(String),
    /// The database failed before: only a new start helps.
    #[error("the store of receipts has stopped after a failure")]
    Stopped,
}

impl<T: Into<redb::Error>> From<T> for ReceiptsError {
    fn from(error: T) -> Self {
        Self::Store(error.into().to_string())
    }
}

/// A receipt and who may read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Who asked.
    pub owner: Owner,
    /// The receipt.
    pub signed: SignedReceipt,
}

/// Something for the thread to do. Whoever gave it is told once it is durable.
struct Command {
    what: What,
    done: oneshot::Sender<Result<(), ReceiptsError>>,
}

enum What {
    Keep(Box<Kept>),
    /// Removes those that are older.
    Prune(u64),
    /// All that was given before is durable.
    Wait,
}

/// The store.
pub struct Receipts {
    database: Arc<Database>,
    commands: Option<mpsc::Sender<Command>>,
    thread: Option<JoinHandle<()>>,
}

/// What tells that a receipt is durable.
pub struct Durable(oneshot::Receiver<Result<(), ReceiptsError>>);

impl Durable {
    /// Waits for it.
    ///
    /// # Errors
    /// It never will be.
    pub async fn wait(self) -> Result<(), ReceiptsError> {
        self.0.await.map_err(|_| ReceiptsError::Stopped)?
    }
}

impl Receipts {
    /// Opens or makes a store.
    ///
    /// # Errors
    /// The file cannot be opened, or no thread started.
    pub fn open(path: &Path) -> Result<Self, ReceiptsError> {
        let io = |error: std::io::Error| ReceiptsError::Store(error.to_string());
        private::file(path).map_err(io)?;
        let database =
            Arc::new(Database::builder().set_cache_size(CACHE_BYTES).create(path).map_err(redb::Error::from)?);
        let transaction = database.begin_write()?;
        transaction.open_table(RECEIPTS)?;
        transaction.open_table(DIGESTS)?;
        transaction.open_table(TIMES)?;
        transaction.commit()?;
        let (commands, received) = mpsc::channel(TOGETHER);
        let written = Arc::clone(&database);
        let run = move || write_all(&written, received);
        let thread = std::thread::Builder::new().name("receipts".into()).spawn(run).map_err(io)?;
        Ok(Self { database, commands: Some(commands), thread: Some(thread) })
    }

    fn commands(&self) -> Result<&mpsc::Sender<Command>, ReceiptsError> {
        self.commands.as_ref().filter(|commands| !commands.is_closed()).ok_or(ReceiptsError::Stopped)
    }

    /// Whether receipts are kept.
    ///
    /// # Errors
    /// They are not any more.
    pub fn ready(&self) -> Result<(), ReceiptsError> {
        self.commands().map(drop)
    }

    /// Hands a receipt in. It can be found from now on; what comes back tells when it is durable.
    ///
    /// # Errors
    /// The store has failed.
    pub async fn keep(&self, owner: Owner, signed: SignedReceipt) -> Result<Durable, ReceiptsError> {
        let (done, durable) = oneshot::channel();
        let command = Command { what: What::Keep(Box::new(Kept { owner, signed })), done };
        self.commands()?.send(command).await.map_err(|_| ReceiptsError::Stopped)?;
        Ok(Durable(durable))
    }

    fn run(&self, what: What) -> Result<(), ReceiptsError> {
        let (done, durable) = oneshot::channel();
        self.commands()?.blocking_send(Command { what, done }).map_err(|_| ReceiptsError::Stopped)?;
        durable.blocking_recv().map_err(|_| ReceiptsError::Stopped)?
    }

    /// Removes receipts from before a time. Blocks.
    ///
    /// # Errors
    /// The database's.
    pub fn prune(&self, before_ms: u64) -> Result<(), ReceiptsError> {
        let oldest = || -> Result<_, ReceiptsError> {
            let table = self.database.begin_read()?.open_table(TIMES)?;
            Ok(table.first()?.map(|entry| entry.0.value().0))
        };
        while oldest()?.is_some_and(|oldest_ms| oldest_ms < before_ms) {
            self.run(What::Prune(before_ms))?;
        }
        Ok(())
    }

    /// The receipt of a request. Blocks; what was handed in before is durable when it is found.
    ///
    /// # Errors
    /// The database's.
    pub fn get(&self, id: RequestId) -> Result<Option<Kept>, ReceiptsError> {
        self.twice(|| self.read(id.0))
    }

    /// The receipt of a digest, as [`Self::get`].
    ///
    /// # Errors
    /// The database's.
    pub fn by_digest(&self, digest: Digest32) -> Result<Option<Kept>, ReceiptsError> {
        self.twice(|| {
            let id = self.database.begin_read()?.open_table(DIGESTS)?.get(digest.0)?.map(|id| id.value());
            id.map_or(Ok(None), |id| self.read(id))
        })
    }

    /// Looks, and once more when all that was handed in is durable.
    fn twice(&self, look: impl Fn() -> Result<Option<Kept>, ReceiptsError>) -> Result<Option<Kept>, ReceiptsError> {
        if let Some(kept) = look()? {
            return Ok(Some(kept));
        }
        self.run(What::Wait)?;
        look()
    }

    fn read(&self, id: [u8; 32]) -> Result<Option<Kept>, ReceiptsError> {
        let table = self.database.begin_read()?.open_table(RECEIPTS)?;
        let Some(bytes) = table.get(id)? else { return Ok(None) };
        decode(bytes.value()).map(Some)
    }
}

impl Drop for Receipts {
    fn drop(&mut self) {
        // The thread ends when nobody can give commands, after the last one.
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn decode(bytes: &[u8]) -> Result<Kept, ReceiptsError> {
    wire::decode_untagged(bytes).map_err(|error| ReceiptsError::Store(format!("a receipt: {error}")))
}

/// Until nobody gives commands any more, or the database fails.
fn write_all(database: &Database, mut commands: mpsc::Receiver<Command>) {
    while let Some(first) = commands.blocking_recv() {
        let mut together = vec![first];
        while together.len() < TOGETHER
            && let Ok(next) = commands.try_recv()
        {
            together.push(next);
        }
        let written = write(database, &together);
        for command in together {
            // Nobody waits if the giver is gone.
            let _ = command.done.send(written.clone());
        }
        if let Err(error) = written {
            tracing::error!(%error, "receipts are not kept any more");
            return;
        }
    }
}

fn write(database: &Database, commands: &[Command]) -> Result<(), ReceiptsError> {
    if commands.iter().all(|command| matches!(command.what, What::Wait)) {
        return Ok(());
    }
    let transaction = database.begin_write()?;
    {
        let mut receipts = transaction.open_table(RECEIPTS)?;
        let mut digests = transaction.open_table(DIGESTS)?;
        let mut times = transaction.open_table(TIMES)?;
        for command in commands {
            match &command.what {
                What::Wait => {}
                What::Keep(kept) => {
                    let (id, receipt) = (kept.signed.receipt.request.0, &kept.signed.receipt);
                    receipts.insert(id, wire::bytes(kept).as_slice())?;
                    digests.insert(receipt.digest().0, id)?;
                    times.insert((receipt.time_ms, id), ())?;
                }
                What::Prune(before_ms) => {
                    let old = times.range(..(*before_ms, [0; 32]))?.take(PRUNED_TOGETHER);
                    let old = old.map(|entry| Ok(entry?.0.value())).collect::<Result<Vec<_>, redb::Error>>()?;
                    for (time_ms, id) in old {
                        if let Some(bytes) = receipts.remove(id)? {
                            digests.remove(decode(bytes.value())?.signed.receipt.digest().0)?;
                        }
                        times.remove((time_ms, id))?;
                    }
                }
            }
        }
    }
    transaction.commit()?;
    Ok(())
}
