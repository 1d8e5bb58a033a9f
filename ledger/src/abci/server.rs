//! The socket: TCP or Unix, any number of connections, answers in order on each.
//!
//! Transactions are checked side by side, since CometBFT sends the next before the last is answered; everything else is answered before the next
//! request is read. What waits is bounded: a connection is read no further while its answers are not taken.
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use tendermint_proto::v0_38::abci::request::Value as Asked;
use tendermint_proto::v0_38::abci::response::Value as Said;
use tendermint_proto::v0_38::abci::{Request, Response, ResponseException};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinError, JoinHandle, JoinSet};

use super::answer::Answers;
use super::frame::{Frame, FrameError};
use crate::app::AppError;

/// Most answers of a connection that wait to be taken.
const WAITING_MAX: usize = 256;
/// Most requests that are worked out at once besides checks; CometBFT has four connections.
const OTHERS_MAX: usize = 64;
/// Bytes of answers that are gathered before they are written.
const WRITE_BYTES: usize = 1 << 16;

/// Where CometBFT finds the application, as in its `proxy_app`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `tcp://HOST:PORT`.
    Tcp(String),
    /// `unix://PATH`.
    Unix(PathBuf),
}

/// Not an address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is neither tcp://HOST:PORT nor unix://PATH")]
pub struct AddressError(String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text.split_once("://") {
            Some(("tcp", host)) if host.contains(':') => Ok(Self::Tcp(host.into())),
            Some(("unix", path)) if !path.is_empty() => Ok(Self::Unix(path.into())),
            _ => Err(AddressError(text.into())),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host) => write!(f, "tcp://{host}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

/// A socket that is listened on.
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// Unix.
    Unix(UnixListener),
}

impl Listener {
    /// Listens. A Unix socket that a process left behind is replaced; one that a process listens on is not.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn bind(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(host) => Ok(Self::Tcp(TcpListener::bind(host).await?)),
            Address::Unix(path) => {
                if path.exists() {
                    if UnixStream::connect(path).await.is_ok() {
                        return Err(io::ErrorKind::AddrInUse.into());
                    }
                    std::fs::remove_file(path)?;
                }
                Ok(Self::Unix(UnixListener::bind(path)?))
            }
        }
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> io::Result<Address> {
        match self {
            Self::Tcp(listener) => Ok(Address::Tcp(listener.local_addr()?.to_string())),
            Self::Unix(listener) => {
                let path = listener.local_addr()?.as_pathname().map(Into::into).unwrap_or_default();
                Ok(Address::Unix(path))
            }
        }
    }

    async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            Self::Unix(listener) => Ok(Stream::Unix(listener.accept().await?.0)),
        }
    }
}

/// A connection.
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Why the server stopped.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The application failed; CometBFT was told.
    #[error("the application failed: {0}")]
    App(#[from] AppError),
    /// The socket failed.
    #[error("the socket failed: {0}")]
    Socket(#[from] io::Error),
}

/// Serves until asked to stop, or until the application fails. What is being worked out when it is asked to stop is finished, not answered.
///
/// # Errors
/// The application or the socket failed.
pub async fn serve(
    listener: Listener,
    answers: Arc<Answers>,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let checks_max = std::thread::available_parallelism().map_or(1, usize::from);
    let [checks, others] = [checks_max, OTHERS_MAX].map(|most| Arc::new(Semaphore::new(most)));
    let server = Server { answers, checks, others };
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => {
                connections.spawn(server.clone().converse(accepted?));
            }
            Some(ended) = connections.join_next(), if !connections.is_empty() => match ended {
                // A connection that broke is CometBFT's to report.
                Ok(Ok(()) | Err(ServeError::Socket(_))) => {}
                Ok(Err(error)) => return Err(error),
                Err(_) => return Err(AppError::Panicked.into()),
            },
        }
    }
    connections.shutdown().await;
    for (turns, all) in [(&server.checks, checks_max), (&server.others, OTHERS_MAX)] {
        // Whoever has a turn finishes; nobody gets one any more.
        let _all = turns.acquire_many(u32::try_from(all).unwrap_or(u32::MAX)).await;
        turns.close();
    }
    if let Ok(Address::Unix(path)) = listener.address() {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

/// What connections share.
#[derive(Clone)]
struct Server {
    answers: Arc<Answers>,
    /// As many checks run at once as there are processors.
    checks: Arc<Semaphore>,
    /// Whatever else is worked out.
    others: Arc<Semaphore>,
}

type Answered = (Response, Result<(), AppError>);

impl Server {
    async fn converse(self, stream: Stream) -> Result<(), ServeError> {
        match stream {
            Stream::Tcp(stream) => {
                let (reader, writer) = stream.into_split();
                self.exchange(reader, writer).await
            }
            Stream::Unix(stream) => {
                let (reader, writer) = stream.into_split();
                self.exchange(reader, writer).await
            }
        }
    }

    async fn exchange<R, W>(self, reader: R, writer: W) -> Result<(), ServeError>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        let mut writing = tokio::spawn(write(writer, waiting));
        let written = |written: Result<_, JoinError>| written.unwrap_or(Err(AppError::Panicked.into()));
        tokio::select! {
            read = self.read(reader, queue) => written(writing.await).and(read),
            // No more is asked of an application that failed.
            ended = &mut writing => written(ended),
        }
    }

    /// Reads requests and lines their answers up.
    async fn read<R: AsyncRead + Unpin>(
        self,
        reader: R,
        queue: mpsc::Sender<JoinHandle<Answered>>,
    ) -> Result<(), ServeError> {
        let mut reader = BufReader::new(reader);
        loop {
            let request = match Frame::read(&mut reader).await {
                Ok(None) => return Ok(()),
                Err(FrameError::Io(error)) => return Err(error.into()),
                Ok(Some(frame)) => frame.request().map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            let (request, last) = match request {
                Ok(request) => (self.start(request).await, false),
                // Where the next frame begins is not known any more.
                Err(error) => (tokio::spawn(async { (exception(error), Ok(())) }), true),
            };
            if queue.send(request).await.is_err() || last {
                return Ok(());
            }
        }
    }

    /// Starts to work an answer out; one that others depend on is worked out before this returns.
    async fn start(&self, request: Request) -> JoinHandle<Answered> {
        let answers = Arc::clone(&self.answers);
        if let Some(Asked::CheckTx(_)) = &request.value {
            return tokio::spawn(work(Arc::clone(&self.checks), answers, request));
        }
        let answered = work(Arc::clone(&self.others), answers, request).await;
        tokio::spawn(async { answered })
    }
}

/// Works an answer out when it is its turn.
async fn work(turns: Arc<Semaphore>, answers: Arc<Answers>, request: Request) -> Answered {
    let Ok(turn) = turns.acquire_owned().await else { return (exception("stopping".into()), Ok(())) };
    let answered = tokio::task::spawn_blocking(move || {
        let answered = answers.answer(request);
        drop(answers);
        drop(turn);
        answered
    });
    answered.await.unwrap_or_else(|_| panicked())
}

/// Writes answers in order, and what was gathered as soon as none is ready.
async fn write<W: AsyncWrite + Unpin>(
    writer: W,
    mut waiting: mpsc::Receiver<JoinHandle<Answered>>,
) -> Result<(), ServeError> {
    let mut writer = BufWriter::with_capacity(WRITE_BYTES, writer);
    while let Some(answer) = waiting.recv().await {
        let (response, fate) = answer.await.unwrap_or_else(|_| panicked());
        writer.write_all(&Frame::of_answer(&response)).await?;
        if waiting.is_empty() || fate.is_err() {
            writer.flush().await?;
        }
        fate?;
    }
    writer.flush().await?;
    Ok(())
}

fn exception(error: String) -> Response {
    Response { value: Some(Said::Exception(ResponseException { error })) }
}

fn panicked() -> Answered {
    (exception(AppError::Panicked.to_string()), Err(AppError::Panicked))
}
