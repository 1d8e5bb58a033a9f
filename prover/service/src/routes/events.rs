//! `GET /v1/jobs/{id}/events`: what happens to a job, as server-sent events. A listener that comes back with `Last-Event-ID` misses nothing.
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use assay_verifier::receipt::RequestId;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{self, KeepAlive};
use serde::Serialize;
use tokio::sync::watch::Receiver;

use super::blocking;
use super::caller::{Allowed, Reads};
use super::job::{identity, visible};
use super::models::FailureOut;
use super::problem::Problem;
use crate::jobs::{Event, Progress, Seen};
use crate::serve::Service;

/// Events that are read at once.
const EVENTS_AT_ONCE: usize = 100;
/// How often a silent connection is kept alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[derive(Serialize)]
struct EventOut {
    job: String,
    state: &'static str,
    value: &'static str,
    time_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureOut>,
}

/// A listener.
struct Listener {
    service: Arc<Service>,
    id: RequestId,
    last: u64,
    told: Receiver<Seen>,
    progress: Progress,
    ready: VecDeque<Event>,
    over: bool,
}

/// Follow a job
#[utoipa::path(get, path = "/v1/jobs/{id}/events", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, description = "Server-sent events; each has a number as its id", content_type = "text/event-stream"),
        (status = 404, body = Problem)))]
pub async fn follow(
    State(service): State<Arc<Service>>,
    Allowed(caller, ..): Allowed<Reads>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Sse<impl futures_core::Stream<Item = Result<sse::Event, Infallible>>>, Problem> {
    let id = identity(&id)?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()).map_or(Ok(0), str::parse);
    let last = last.map_err(|_| Problem::malformed("last_event_id", "Last-Event-ID: not a number"))?;
    let looking = Arc::clone(&service);
    // Told from before the first look at events, so that nothing falls between.
    let told = blocking(move || {
        visible(&looking, &caller, id)?;
        looking.jobs.watch(id).map_err(|error| Problem::internal(&error))
    })
    .await?;
    let ready = VecDeque::new();
    let listener = Listener { service, id, last, told, progress: Progress::default(), ready, over: false };
    let stream = futures_util::stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

impl Listener {
    async fn next(&mut self) -> Option<sse::Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.last = event.number;
                return Some(self.shown(&event));
            }
            if self.over {
                return None;
            }
            self.look().await.ok()?;
            if !self.ready.is_empty() || self.over {
                continue;
            }
            self.told.changed().await.ok()?;
            let seen = *self.told.borrow_and_update();
            if seen.progress != self.progress {
                self.progress = seen.progress;
                let data =
                    format!("{{\"stage\":{:?},\"percent\":{}}}", seen.progress.stage.name(), seen.progress.percent);
                return Some(sse::Event::default().event("progress").data(data));
            }
        }
    }

    /// Reads what is new.
    async fn look(&mut self) -> Result<(), Problem> {
        let (service, id, last) = (Arc::clone(&self.service), self.id, self.last);
        let (events, over) = blocking(move || {
            let job = service.jobs.get(id).map_err(|error| Problem::internal(&error))?;
            let events = service.jobs.events(id, last, EVENTS_AT_ONCE).map_err(|error| Problem::internal(&error))?;
            let all = events.len() < EVENTS_AT_ONCE;
            Ok((events, all && job.is_none_or(|job| job.states.over())))
        })
        .await?;
        self.ready.extend(events);
        self.over = over;
        Ok(())
    }

    fn shown(&self, event: &Event) -> sse::Event {
        let (state, value) = event.change.names();
        let failure = event.failure.as_ref().map(FailureOut::from);
        let out = EventOut { job: self.id.to_string(), state, value, time_ms: event.time_ms, failure };
        let data = serde_json::to_string(&out).unwrap_or_default();
        sse::Event::default().id(event.number.to_string()).event("state").data(data)
    }
}
