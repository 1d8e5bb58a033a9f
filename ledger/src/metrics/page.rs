//! The page that Prometheus reads: HTTP with one answer. It is for a port that only those can reach who may read it.
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::Metrics;

/// Longest head of a request in bytes.
const HEAD_LEN_MAX: usize = 1 << 13;
/// How long a request and its answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most readers at once.
const READERS_MAX: usize = 16;

/// Answers readers for ever.
pub async fn serve(listener: TcpListener, metrics: Arc<Metrics>) {
    let readers = Arc::new(Semaphore::new(READERS_MAX));
    while let Ok(reader) = Arc::clone(&readers).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let metrics = Arc::clone(&metrics);
                tokio::spawn(async move {
                    // A reader that is slow or gone is its own loss.
                    let _ = timeout(PATIENCE, answer(stream, &metrics)).await;
                    drop(reader);
                });
            }
            // A connection that broke before it was accepted; or there are too many files, which passes.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn answer(mut stream: TcpStream, metrics: &Metrics) -> io::Result<()> {
    let mut head = Vec::new();
    let mut reader = BufReader::new((&mut stream).take(HEAD_LEN_MAX as u64));
    while !head.ends_with(b"\r\n\r\n") {
        head.push(reader.read_u8().await?);
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let (status, body) = match line {
        b"GET /metrics HTTP/1.1" | b"GET /metrics HTTP/1.0" => ("200 OK", metrics.text()),
        _ => ("404 Not Found", "the page is /metrics\n".into()),
    };
    let length = body.len();
    let kind = "text/plain; version=0.0.4";
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await?;
    stream.shutdown().await
}
