//! Figures for whoever runs the service, in the text format of Prometheus. This is the list of them.
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::Service;
use crate::clock::now_ms;
use crate::jobs::Job;
use crate::proxy::Figures;

/// What a request was.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Endpoint {
    method: String,
    path: String,
    status: u16,
}

/// How an answer came about.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Kind {
    mode: &'static str,
}

/// A state that jobs are in.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct State {
    axis: &'static str,
    state: &'static str,
}

/// The figures.
pub struct Metrics {
    registry: Registry,
    requests: Family<Endpoint, Counter>,
    latency: Histogram,
    answers: Family<Kind, Counter>,
    jobs: Family<State, Gauge>,
    queued: Gauge,
    leased: Gauge,
    backlog_ms: Gauge,
    workers: Gauge,
    quarantined: Gauge,
    height: Gauge,
    blob_bytes: Gauge,
    /// Of what is forwarded.
    pub forwarding: Figures,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("assay");
        let requests = Family::default();
        registry.register("http_requests", "Requests, by endpoint and status", requests.clone());
        let latency = Histogram::new(exponential_buckets(0.000_5, 2.0, 16));
        registry.register_with_unit("http_duration", "Time until the answer", Unit::Seconds, latency.clone());
        let answers = Family::default();
        registry.register("answers", "Answers, by mode", answers.clone());
        let jobs = Family::default();
        registry.register("jobs", "Jobs that are not over, by state", jobs.clone());
        let gauge = |registry: &mut Registry, name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let queued = gauge(&mut registry, "proofs_queued", "Proofs that wait for a worker");
        let leased = gauge(&mut registry, "proofs_leased", "Proofs that a worker has");
        let backlog_ms =
            gauge(&mut registry, "backlog_milliseconds", "Predicted time of all proofs that are to be made");
        let workers = gauge(&mut registry, "workers", "Workers that asked lately");
        let quarantined = gauge(&mut registry, "workers_quarantined", "Workers that get nothing any more");
        let height = gauge(&mut registry, "ledger_height", "Height of the ledger");
        let blob_bytes = gauge(&mut registry, "blob_bytes", "Bytes of all blobs");
        let forwarding = Figures::default();
        forwarding.register(&mut registry);
        Self {
            registry,
            requests,
            latency,
            answers,
            jobs,
            queued,
            leased,
            backlog_ms,
            workers,
            quarantined,
            height,
            blob_bytes,
            forwarding,
        }
    }
}

fn count(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

impl Metrics {
    /// Counts a request. Its path is that of the endpoint, so that callers do not make up labels.
    pub fn served(&self, method: &Method, path: &str, status: StatusCode, elapsed: Duration) {
        let endpoint = Endpoint { method: method.to_string(), path: path.into(), status: status.as_u16() };
        self.requests.get_or_create(&endpoint).inc();
        self.latency.observe(elapsed.as_secs_f64());
    }

    /// Counts an answer.
    pub fn answered(&self, job: &Job) {
        self.answers.get_or_create(&Kind { mode: crate::inference::mode(job.backend) }).inc();
    }

    /// All figures as they are now.
    pub fn text(&self, service: &Service) -> String {
        let counts = service.jobs.counts(now_ms());
        self.queued.set(count(counts.queued));
        self.leased.set(count(counts.leased));
        self.backlog_ms.set(count(counts.to_prove_us / 1_000));
        self.workers.set(count(counts.workers));
        self.quarantined.set(count(counts.quarantined));
        self.blob_bytes.set(count(service.blobs.bytes()));
        if let Ok(height) = service.ledger.height() {
            self.height.set(count(height));
        }
        self.jobs.clear();
        for ((axis, state), number) in counts.states {
            self.jobs.get_or_create(&State { axis, state }).set(count(number));
        }
        let mut text = String::new();
        // Writing to a text does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
