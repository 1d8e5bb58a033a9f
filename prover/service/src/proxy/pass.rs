//! A stream that passes: each piece goes to the caller as it comes, is hashed and looked at, and is gone. A caller who reads slowly slows the
//! upstream down; one who does not read at all is cut off.
use std::io;
use std::time::Duration;

use assay_verifier::proxied::{Delivery, Ending};
use axum::body::{Body, Bytes};
use futures_util::stream;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::RECEIPT_COMMENT;
use super::closing::Closing;
use super::forward::{Way, encoded};

/// Pieces between the upstream and the caller.
const PIECES: usize = 4;

/// A stream on its way.
pub struct Passing {
    /// The upstream's.
    pub body: Incoming,
    /// Looks for its end.
    pub closing: Closing,
    /// What is known of the request.
    pub way: Way,
    /// How long it may pause, and its reader.
    pub idle: Duration,
    /// Bytes of all.
    pub bytes_max: usize,
}

/// What the caller's connection is given.
enum Piece {
    Bytes(Bytes),
    /// The answer is complete. A stream that ends without this one was cut, whatever ended it.
    End,
}

impl Passing {
    /// Begins; what comes back is the caller's body. It breaks off where the answer is cut.
    pub fn start(self) -> Body {
        let (to, from) = mpsc::channel(PIECES);
        tokio::spawn(self.run(to));
        let next = |from: Option<mpsc::Receiver<Piece>>| async move {
            let mut from = from?;
            match from.recv().await {
                Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(from))),
                Some(Piece::End) => None,
                None => Some((Err(io::Error::other("the answer was cut")), None)),
            }
        };
        Body::from_stream(stream::unfold(Some(from), next))
    }

    async fn run(mut self, to: mpsc::Sender<Piece>) {
        let mut delivery = Delivery::default();
        let ending = self.pass(&to, &mut delivery).await;
        let Way { draft, owner, receipt_wanted, receipts, figures, held: _held, .. } = self.way;
        let outcome = match ending {
            Ending::Complete => "complete",
            Ending::Truncated => "truncated",
        };
        figures.over(draft.upstream(), outcome, delivery.size());
        let signed = draft.sign(delivery, ending);
        let comment = receipt_wanted.then(|| format!("{RECEIPT_COMMENT}{}\n\n", encoded(&signed)));
        let durable = match receipts.keep(owner, signed).await {
            Ok(durable) => durable,
            // Whoever is told nothing of an end takes the stream for cut.
            Err(error) => return tracing::error!(%error, "a receipt is not kept"),
        };
        if ending == Ending::Truncated {
            return;
        }
        if let Some(comment) = comment {
            // It is durable before it is told.
            if durable.wait().await.is_err() || to.send(Piece::Bytes(comment.into())).await.is_err() {
                return;
            }
        }
        let _ = to.send(Piece::End).await;
    }

    /// Passes pieces on until the last one, or until something breaks.
    async fn pass(&mut self, to: &mpsc::Sender<Piece>, delivery: &mut Delivery) -> Ending {
        loop {
            let until = self.way.deadline.min(Instant::now() + self.idle);
            let frame = tokio::select! {
                frame = timeout_at(until, self.body.frame()) => frame,
                () = to.closed() => return Ending::Truncated,
            };
            let piece = match frame {
                Ok(None) if self.closing.is_complete() => return Ending::Complete,
                Ok(Some(Ok(frame))) => match frame.into_data() {
                    Ok(piece) => piece,
                    Err(_) => continue,
                },
                _ => return Ending::Truncated,
            };
            let left = (self.bytes_max as u64).saturating_sub(delivery.size());
            if piece.len() as u64 > left {
                return Ending::Truncated;
            }
            if !matches!(timeout(self.idle, to.send(Piece::Bytes(piece.clone()))).await, Ok(Ok(()))) {
                return Ending::Truncated;
            }
            delivery.pass(&piece);
            self.closing.pass(&piece);
        }
    }
}
