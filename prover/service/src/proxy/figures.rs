//! Figures of what was forwarded.
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What became of a request.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    upstream: String,
    outcome: &'static str,
}

/// The figures. Clones count together.
#[derive(Clone, Default)]
pub struct Figures {
    outcomes: Family<Outcome, Counter>,
    bytes: Counter,
    open: Gauge,
}

/// A request that is being forwarded. It counts until it is dropped.
pub struct Open(Figures);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.dec();
    }
}

impl Figures {
    /// Makes them known.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Requests that were forwarded, by upstream, and whether their answers were complete, truncated or none (failed)";
        registry.register("forwarded", help, self.outcomes.clone());
        registry.register(
            "forwarded_answer_bytes",
            "Bytes of upstreams' answers that were passed on",
            self.bytes.clone(),
        );
        registry.register("forwarding", "Requests that are being forwarded", self.open.clone());
    }

    /// One more is being forwarded.
    pub fn open(&self) -> Open {
        self.open.inc();
        Open(self.clone())
    }

    /// One is over: `complete`, `truncated` or `failed`.
    pub fn over(&self, upstream: &str, outcome: &'static str, bytes: u64) {
        self.outcomes.get_or_create(&Outcome { upstream: upstream.into(), outcome }).inc();
        self.bytes.inc_by(bytes);
    }
}
