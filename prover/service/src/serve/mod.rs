//! The service put together: stores, ledger, threads, and what handlers of requests need of them.
mod commit;
mod metrics;
mod node;
mod open;
mod run;
mod sweep;

use std::sync::Arc;

use assay_verifier::audit::{Bundle, Evidence, Exchange};
use assay_verifier::receipt::SignedReceipt;
use assay_verifier::signature::SigningKey;
use assay_verifier::wire;
use tokio::sync::Semaphore;

pub use metrics::Metrics;
pub use node::node_key;
pub use open::OpenError;
pub use run::{RunError, run};

use crate::access::Door;
use crate::attester::Enclave;
use crate::clock::now_ms;
use crate::config::Config;
use crate::data::{Fetcher, Records};
use crate::inference::{Assurance, Inference, Outputs, Resumer, answer, outputs};
use crate::jobs::{Job, Jobs, Ticker};
use crate::ledger::{Ledger, Presence, Sender};
use crate::models::{Circuits, Floats, ModelRecord, Models, Publisher};
use crate::proxy::Proxy;
use crate::routes::Problem;
use crate::routes::job::{JobOut, ProgressOut};
use crate::settle::bundle::{BundleError, Show, kept};
use crate::settle::{Settler, of_node};
use crate::storage::FileBlobs;
use crate::values::Values;
use crate::workers::{Desk, Place, Pool, signed};

/// A running service. Threads end when it is dropped, in the order of the fields: first those that use the others.
pub struct Service {
    /// Workers in this process.
    pub workers: Option<Pool>,
    /// Lets leases run out.
    pub ticker: Ticker,
    /// Takes up what was not answered.
    pub resumer: Resumer,
    /// Publishes models.
    pub publisher: Publisher,
    /// Settles.
    pub settler: Settler,
    /// Removes what is too old.
    pub sweeper: sweep::Sweeper,
    /// Keeps the node registered.
    pub presence: Presence,
    /// What makes evidence of the enclave, if there is one.
    pub enclave: Option<Arc<Enclave>>,
    /// The node's account on the ledger.
    pub sender: Arc<Sender>,
    /// Answers.
    pub inference: Arc<Inference>,
    /// Gives tasks to workers and takes their proofs.
    pub desk: Arc<Desk>,
    /// Requests of workers that were seen.
    pub seen: signed::Seen,
    /// Jobs.
    pub jobs: Arc<Jobs>,
    /// Models.
    pub models: Arc<Models>,
    /// Loaded circuits.
    pub circuits: Arc<Circuits>,
    /// Loaded models that are evaluated in floating point.
    pub floats: Arc<Floats>,
    /// Forwards to upstreams.
    pub proxy: Arc<Proxy>,
    /// Fetches data.
    pub fetcher: Fetcher,
    /// Records of what was fetched.
    pub records: Arc<Records>,
    /// Files.
    pub blobs: Arc<FileBlobs>,
    /// The ledger.
    pub ledger: Arc<dyn Ledger>,
    /// This node's key.
    pub node: SigningKey,
    /// Who may call.
    pub door: Door,
    /// Figures.
    pub metrics: Metrics,
    /// The configuration.
    pub config: Config,
    /// Requests that are in work at once.
    pub requests: Arc<Semaphore>,
    /// Requests whose bodies are on their way at once.
    pub arrivals: Arc<Semaphore>,
    /// Compilations and verifications that callers ask for, at once.
    pub slow: Semaphore,
}

impl Service {
    /// Where workers are that ask over HTTP.
    pub fn place(&self) -> Place {
        if self.config.workers_may_know_secrets { Place::Trusted } else { Place::Elsewhere }
    }

    /// Whether requests can be answered.
    ///
    /// # Errors
    /// Why not.
    pub fn ready(&self) -> Result<(), String> {
        self.ledger.height().map_err(|error| error.to_string())?;
        match self.presence.record() {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err("the node is not registered on the ledger".into()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// A job as answers show it.
    ///
    /// # Errors
    /// Its circuit cannot be read.
    pub fn show(&self, job: Job) -> Result<JobOut, Problem> {
        let mut out = JobOut::of(&job);
        let model = self.models.get(job.model);
        if let (Some(answer), Some(model)) = (&job.outputs, &model) {
            out.outputs = self.outputs(model, answer)?;
        }
        let key = job.proving.and_then(|proving| self.models.key(proving.key));
        out.assurance = job.answered.as_ref().map(|signed| Assurance::of(&signed.receipt, key.as_ref()));
        if let Some(waiting) = self.jobs.waiting(job.id, now_ms()) {
            out.queue_position = Some(waiting.position as u64);
            out.eta_ms = Some(waiting.eta_ms);
            if waiting.progress.percent > 0 {
                let (stage, percent) = (waiting.progress.stage.name().into(), waiting.progress.percent);
                out.progress = Some(ProgressOut { stage, percent });
            }
        }
        Ok(out)
    }

    fn outputs(&self, model: &ModelRecord, answered: &Values) -> Result<Option<Outputs>, Problem> {
        match (answered, model.circuit, model.onnx()) {
            (Values::Integers(integers), Some((digest, blob)), _) => {
                let file = self.circuits.get(digest, blob).map_err(|error| Problem::internal(&error))?;
                Ok(Some(outputs(&file.circuit().circuit().outputs, integers)))
            }
            (Values::Reals(reals), _, Some((file, batch))) => {
                let float = self.floats.get(file, batch).map_err(|error| Problem::internal(&error))?;
                Ok(Some(answer(float.outputs(), reals)))
            }
            _ => Ok(None),
        }
    }

    /// A job's bundle, with the bytes of the request unless inputs are private or the caller does not want them.
    ///
    /// # Errors
    /// Something that was kept cannot be read.
    pub fn bundle(&self, job: &Job, request: Option<bool>) -> Result<Vec<u8>, Problem> {
        let show = match request {
            None => Show::Public,
            Some(true) => Show::All,
            Some(false) => Show::Nothing,
        };
        match kept(&self.jobs, &self.models, &*self.blobs, job, show) {
            Ok(bundle) => Ok(wire::encode(&bundle)),
            Err(BundleError::NoAnswer) => Err(Problem::missing("receipt")),
            Err(error) => Err(Problem::internal(&error)),
        }
    }

    /// The bundle of an answer of an upstream's. The node keeps neither request nor answer: whoever asked has them.
    ///
    /// # Errors
    /// The ledger does not answer.
    pub fn forwarded_bundle(&self, signed: SignedReceipt) -> Result<Vec<u8>, Problem> {
        let ledger = of_node(&*self.ledger, &signed.receipt).map_err(|error| Problem::internal(&error))?;
        let evidence = Evidence::Exchange(Exchange { forwarded: None, response: None });
        let bundle = Bundle { receipt: signed, request: None, records: Vec::new(), evidence, ledger: Some(ledger) };
        Ok(wire::encode(&bundle))
    }

    /// What auditors begin with.
    pub fn trust(&self) -> serde_json::Value {
        serde_json::from_str(&assay_auditor::trust::write(self.ledger.trust())).unwrap_or_default()
    }
}
