//! The one thread that writes. Commands of all threads that come while a transaction is made durable go into the next one together, so that one
//! synchronisation of the disk serves many. Whoever gave a command is answered once it is durable.
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use redb::Database;

use super::batch::Batch;
use super::error::JobError;
use super::index::Index;
use super::tables::Tables;
use super::watch::Watchers;

/// Most commands of one transaction: the first of them waits for all.
const TOGETHER: usize = 256;

type Teller = Box<dyn FnOnce(Result<(), JobError>) + Send>;
/// Does its part, and says how its giver is told, and whether the database failed.
type Command = Box<dyn FnOnce(&mut Batch<'_, '_>) -> (Teller, Result<(), JobError>) + Send>;

/// The thread.
pub struct Writer {
    commands: Option<SyncSender<Command>>,
    thread: Option<JoinHandle<()>>,
}

fn stopped() -> JobError {
    JobError::Store("the writer has stopped after a failure".into())
}

impl Writer {
    /// Starts it.
    pub fn start(database: Arc<Database>, index: Arc<Mutex<Index>>, watchers: Arc<Watchers>) -> std::io::Result<Self> {
        let (commands, received) = sync_channel(4 * TOGETHER);
        let run = move || write_all(&database, &index, &watchers, &received);
        let thread = thread::Builder::new().name("jobs".into()).spawn(run)?;
        Ok(Self { commands: Some(commands), thread: Some(thread) })
    }

    /// Gives a command and waits until what it did is durable.
    pub fn write<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Batch<'_, '_>) -> Result<T, JobError> + Send + 'static,
    ) -> Result<T, JobError> {
        let (answer, answered) = sync_channel(1);
        let command: Command = Box::new(move |batch| {
            let result = run(batch);
            let failed = match &result {
                Err(error @ JobError::Store(_)) => Err(error.clone()),
                _ => Ok(()),
            };
            // Nobody waits if the giver is gone.
            let tell: Teller = Box::new(move |durable| drop(answer.send(durable.and(result))));
            (tell, failed)
        });
        let commands = self.commands.as_ref().ok_or_else(stopped)?;
        commands.send(command).map_err(|_| stopped())?;
        answered.recv().map_err(|_| stopped())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The thread ends when nobody can give commands, after the last one.
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Until nobody gives commands any more, or the database fails: then what is in memory may be ahead of the disk, and only a new start helps.
fn write_all(database: &Database, index: &Mutex<Index>, watchers: &Watchers, commands: &Receiver<Command>) {
    while let Ok(first) = commands.recv() {
        let mut tellers = Vec::new();
        let together = std::iter::once(first).chain(commands.try_iter().take(TOGETHER - 1));
        let durable = write_together(database, index, watchers, together, &mut tellers);
        let failed = durable.is_err();
        tellers.into_iter().for_each(|tell| tell(durable.clone()));
        if failed {
            return;
        }
    }
}

fn write_together(
    database: &Database,
    index: &Mutex<Index>,
    watchers: &Watchers,
    commands: impl Iterator<Item = Command>,
    tellers: &mut Vec<Teller>,
) -> Result<(), JobError> {
    let transaction = database.begin_write()?;
    let mut index = index.lock().unwrap_or_else(PoisonError::into_inner);
    let mut batch = Batch::new(Tables::open(&transaction)?, &mut index);
    for command in commands {
        let (tell, failed) = command(&mut batch);
        tellers.push(tell);
        failed?;
    }
    let told = batch.told();
    if told.dirty {
        transaction.commit()?;
    } else {
        transaction.abort()?;
    }
    drop(index);
    told.changed.into_iter().for_each(|(id, events)| watchers.changed(id, events));
    if told.queued {
        watchers.ring();
    }
    Ok(())
}
