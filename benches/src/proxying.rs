//! A node that forwards, an upstream behind it, and a client of either, all in this process: what the node adds is the difference.
//!
//! Upstream and client write and read HTTP by hand, so that little of what is measured is theirs. Each event has the time at which it was sent.
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use assay_service::config::{RawConfig, RawUpstream};
use assay_service::serve::{RunError, Service, run};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// The answer to what is no stream.
const ANSWER: &str = r#"{"id":"1","object":"chat.completion","created":1,"model":"small","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"It is a fine day, and the answer goes on for as long as usual answers do."}}]}"#;
/// What the node asks for its upstream with.
const KEY: &str = "none";

/// A node and its upstream.
pub struct Proxying {
    /// Where the upstream is.
    pub upstream: String,
    /// Where the node is.
    pub node: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), RunError>>>,
    _upstream: Runtime,
    _folder: TempDir,
}

impl Proxying {
    /// Starts both.
    ///
    /// # Errors
    /// Any part does not start.
    pub fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let upstream = listener.local_addr()?.to_string();
        listener.set_nonblocking(true)?;
        runtime.spawn(serve(listener));
        let folder = tempfile::tempdir()?;
        let key = folder.path().join("key");
        std::fs::write(&key, KEY)?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let raw = RawConfig {
            data: Some(folder.path().join("data")),
            listen: Some(listener.local_addr()?.to_string()),
            workers: Some(0),
            upstreams: vec![RawUpstream {
                name: "upstream".into(),
                kind: "openai".into(),
                url: format!("http://{upstream}"),
                key_file: Some(key),
                models: vec!["small".into()],
                ..RawUpstream::default()
            }],
            ..RawConfig::default()
        };
        let service = Service::open(raw.check()?)?;
        let node = service.config.listen.to_string();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let served = Arc::clone(&service);
        let work = move || serving.block_on(run(served, listener, async { drop(stopped.await) }));
        let thread = std::thread::Builder::new().name("service".into()).spawn(work)?;
        Ok(Self { upstream, node, stop: Some(stop), thread: Some(thread), _upstream: runtime, _folder: folder })
    }
}

impl Drop for Proxying {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The time since this process began to measure, in nanoseconds.
fn now_ns() -> u128 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos()
}

async fn serve(listener: TcpListener) -> Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(answer_all(stream));
    }
}

/// Answers requests of one connection. A prompt of two numbers asks for a stream: how many events, and how many microseconds apart.
async fn answer_all(stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some((_, length)) = head(&mut stream).await? {
        let mut body = vec![0; length.unwrap_or_default()];
        stream.read_exact(&mut body).await?;
        let asked: serde_json::Value = serde_json::from_slice(&body)?;
        let to = stream.get_mut();
        let Some((count, gap)) = asked["prompt"].as_str().and_then(|prompt| prompt.split_once(' ')) else {
            let length = ANSWER.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{ANSWER}"
            );
            to.write_all(head.as_bytes()).await?;
            continue;
        };
        to.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            .await?;
        let (count, gap): (u32, u64) = (count.parse()?, gap.parse()?);
        let mut due = tokio::time::Instant::now();
        for _ in 0..count {
            due += Duration::from_micros(gap);
            tokio::time::sleep_until(due).await;
            chunk(to, &format!("data: {{\"sent\":{},\"delta\":\"a word of an answer\"}}\n\n", now_ns())).await?;
        }
        chunk(to, "data: [DONE]\n\n").await?;
        to.write_all(b"0\r\n\r\n").await?;
    }
    Ok(())
}

async fn chunk(to: &mut TcpStream, text: &str) -> Result<()> {
    Ok(to.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes()).await?)
}

/// The first line of a head, and the length that it announces; nothing at the end of a connection.
async fn head(stream: &mut BufReader<TcpStream>) -> Result<Option<(String, Option<usize>)>> {
    let (mut first, mut length) = (String::new(), None);
    if stream.read_line(&mut first).await? == 0 {
        return Ok(None);
    }
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            return Ok(Some((first, length)));
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = Some(value.trim().parse()?);
        }
    }
}

/// A connection of a client.
pub struct Caller {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Caller {
    /// Connects.
    ///
    /// # Errors
    /// Nobody is there.
    pub async fn connect(host: &str) -> Result<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), host: host.into() })
    }

    async fn send(&mut self, prompt: &str, more: &str) -> Result<Option<usize>> {
        let body = format!(r#"{{"model":"small","stream":true,"prompt":"{prompt}"}}"#);
        let (host, length) = (&self.host, body.len());
        let head =
            format!("POST /v1/completions HTTP/1.1\r\nhost: {host}\r\n{more}content-length: {length}\r\n\r\n{body}");
        self.stream.get_mut().write_all(head.as_bytes()).await?;
        let (first, length) = self::head(&mut self.stream).await?.context("the connection is closed")?;
        ensure!(first.starts_with("HTTP/1.1 200"), "the answer is {first}");
        Ok(length)
    }

    /// Asks for what is no stream; gives the time until all of it was there.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn ask(&mut self, more: &str) -> Result<Duration> {
        let begun = Instant::now();
        let length = self.send("hello", more).await?.context("no length is announced")?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        ensure!(body == ANSWER.as_bytes(), "another answer came");
        Ok(begun.elapsed())
    }

    /// Asks for a stream; gives the time of each event on its way.
    ///
    /// # Errors
    /// It is not all there.
    pub async fn stream(&mut self, events: u32, gap: Duration) -> Result<Vec<Duration>> {
        self.send(&format!("{events} {}", gap.as_micros()), "").await?;
        let (mut times, mut pending) = (Vec::new(), Vec::new());
        loop {
            let mut size = String::new();
            self.stream.read_line(&mut size).await?;
            let size = usize::from_str_radix(size.trim(), 16)?;
            let mut piece = vec![0; size + 2];
            self.stream.read_exact(&mut piece).await?;
            let arrived = now_ns();
            if size == 0 {
                ensure!(times.len() == events as usize, "{} events of {events}", times.len());
                return Ok(times);
            }
            pending.extend_from_slice(&piece[..size]);
            while let Some(end) = pending.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = pending.drain(..end + 2).collect();
                let Ok(event) = serde_json::from_slice::<serde_json::Value>(&event["data: ".len()..]) else { continue };
                let sent = event["sent"].as_u64().context("an event without its time")?;
                times.push(Duration::from_nanos(u64::try_from(arrived.saturating_sub(u128::from(sent)))?));
            }
        }
    }
}
