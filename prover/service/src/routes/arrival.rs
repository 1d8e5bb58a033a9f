//! How requests arrive. A body comes at a least pace, and a request counts as in work only once its body is there: slow senders keep nobody out.
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::StatusCode;
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::problem::Problem;
use crate::serve::Service;

/// How long any body may take.
const GRACE: Duration = Duration::from_secs(10);
/// Each second more must have brought so many bytes.
const BYTES_PER_S: u64 = 64 << 10;

/// A request that has arrived, or is about to.
#[derive(Clone, Default)]
pub struct Arrival(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Held until the answer is there.
    in_work: Option<OwnedSemaphorePermit>,
    fault: Option<Problem>,
}

/// A body on its way.
struct Coming {
    stream: BodyDataStream,
    bytes: u64,
    begun: Instant,
    requests: Arc<Semaphore>,
    arrival: Arrival,
    _place: OwnedSemaphorePermit,
}

fn overloaded() -> Problem {
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "too many requests are in work");
    problem.retry_after(Duration::from_secs(1))
}

/// The request with its body watched.
///
/// # Errors
/// Too many requests are in work, or on their way.
pub fn watched(service: &Service, request: Request) -> Result<(Request, Arrival), Problem> {
    let arrival = Arrival::default();
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(arrival.clone());
    if body.is_end_stream() {
        arrival.enter(&service.requests)?;
        return Ok((Request::from_parts(parts, body), arrival));
    }
    let place = Arc::clone(&service.arrivals).try_acquire_owned().map_err(|_| overloaded())?;
    let coming = Coming {
        stream: body.into_data_stream(),
        bytes: 0,
        begun: Instant::now(),
        requests: Arc::clone(&service.requests),
        arrival: arrival.clone(),
        _place: place,
    };
    let body = futures_util::stream::unfold(Some(coming), |coming| async move { coming?.next().await });
    Ok((Request::from_parts(parts, Body::from_stream(body)), arrival))
}

impl Arrival {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, requests: &Arc<Semaphore>) -> Result<(), Problem> {
        let permit = Arc::clone(requests).try_acquire_owned().map_err(|_| overloaded())?;
        self.state().in_work = Some(permit);
        Ok(())
    }

    /// The request is not in work any more, though its answer is still to come: it waits for somebody else.
    pub fn release(&self) {
        self.state().in_work = None;
    }

    /// What was wrong with how the body came, whatever the endpoint makes of it.
    pub fn fault(&self) -> Option<Problem> {
        self.state().fault.take()
    }
}

impl Coming {
    /// The next piece, with what is still to come. At the end the request is in work.
    async fn next(mut self) -> Option<(io::Result<Bytes>, Option<Self>)> {
        let end = self.begun + GRACE + Duration::from_secs(self.bytes / BYTES_PER_S);
        match timeout_at(end, self.stream.next()).await {
            Ok(Some(Ok(piece))) => {
                self.bytes = self.bytes.saturating_add(piece.len() as u64);
                Some((Ok(piece), Some(self)))
            }
            Ok(Some(Err(error))) => Some((Err(io::Error::other(error)), None)),
            Ok(None) => self.arrival.enter(&self.requests).err().map(|problem| self.fault(problem)),
            Err(_) => {
                let detail = format!("the body took longer than {} s", GRACE.as_secs());
                Some(self.fault(Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail)))
            }
        }
    }

    fn fault(&self, problem: Problem) -> (io::Result<Bytes>, Option<Self>) {
        let error = io::Error::other(problem.code.clone());
        self.arrival.state().fault = Some(problem);
        (Err(error), None)
    }
}
