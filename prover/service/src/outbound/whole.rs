//! A body that is read as a whole, within bounds of time and size.
use axum::body::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

/// Why there is no whole body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Broken {
    /// It took too long.
    #[error("it took too long")]
    Timeout,
    /// It is too large.
    #[error("it is too large")]
    TooLarge,
    /// It ended early.
    #[error("it ended early")]
    Cut,
}

/// Reads a body until a time, of at most so many bytes.
///
/// # Errors
/// It is not whole by then, or larger.
pub async fn read(mut body: Incoming, deadline: Instant, bytes_max: usize) -> Result<Bytes, Broken> {
    let mut whole = Vec::new();
    while let Some(frame) = timeout_at(deadline, body.frame()).await.map_err(|_| Broken::Timeout)? {
        let frame = frame.map_err(|_| Broken::Cut)?;
        let Ok(piece) = frame.into_data() else { continue };
        if piece.len() > bytes_max.saturating_sub(whole.len()) {
            return Err(Broken::TooLarge);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.into())
}
