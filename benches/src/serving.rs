//! A service in this process with a model of its own, and a client that asks it over HTTP.
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use assay_ledger::tx::{Body, Deposit, Payload};
use assay_service::config::RawConfig;
use assay_service::payments::{Offer, PAYMENT_REQUIRED, PAYMENT_SIGNATURE, Payment};
use assay_service::routes::accounts::AccountOut;
use assay_service::routes::job::JobOut;
use assay_service::routes::models::ModelOut;
use assay_service::serve::{RunError, Service, run};
use assay_service::storage::id_of;
use assay_verifier::settlement::parameters::Fees;
use assay_verifier::signature::SigningKey;
use serde::de::DeserializeOwned;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::oneshot;
use ureq::Agent;

use crate::subject::fixtures;

/// What the payer has, and puts into escrow.
const MONEY: u64 = 1 << 40;
/// What a request costs, where it costs something.
pub const PRICE: u64 = 20;
/// From one look to the next.
const INTERVAL: Duration = Duration::from_millis(10);

/// A running service.
pub struct Serving {
    /// The service itself.
    pub service: Arc<Service>,
    /// Who pays.
    pub payer: SigningKey,
    url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), RunError>>>,
    _folder: TempDir,
}

/// One connection to it.
pub struct Caller {
    agent: Agent,
    url: String,
}

impl Serving {
    /// Starts a service, free or paid for, and publishes a model.
    ///
    /// # Errors
    /// Any part does not start, or the model is not published.
    pub fn start(model: &str, workers: usize, paid: bool) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let payer = SigningKey::from_seed([7; 32]);
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let raw = RawConfig {
            data: Some(folder.path().join("data")),
            listen: Some(listener.local_addr()?.to_string()),
            payment: Some(if paid { "x402" } else { "free" }.into()),
            workers: Some(workers),
            // One account may have half of it.
            queue_jobs_max: Some(50_000),
            accounts: [(payer.public().to_string(), MONEY)].into(),
            ..RawConfig::default()
        };
        let service = Service::open(raw.check()?)?;
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let served = Arc::clone(&service);
        let work = move || runtime.block_on(run(served, listener, async { drop(stopped.await) }));
        let thread = std::thread::Builder::new().name("service".into()).spawn(work)?;
        let url = service.config.url();
        let serving = Self { service, payer, url, stop: Some(stop), thread: Some(thread), _folder: folder };
        serving.publish(model)?;
        if paid {
            serving.deposit()?;
        }
        Ok(serving)
    }

    /// A connection.
    pub fn caller(&self) -> Caller {
        let config = Agent::config_builder().http_status_as_error(false).build();
        Caller { agent: config.new_agent(), url: self.url.clone() }
    }

    fn publish(&self, name: &str) -> Result<()> {
        let caller = self.caller();
        let upload = |file: String| -> Result<String> {
            let bytes = std::fs::read(fixtures().join(file))?;
            let id = id_of(&bytes);
            let answer = caller.agent.put(format!("{}/v1/blobs/{id}", self.url)).send(&bytes[..])?;
            ensure!(answer.status().is_success(), "a file is refused: {}", answer.status());
            Ok(id.to_string())
        };
        let (onnx, calibration) = (upload(format!("{name}.onnx"))?, upload(format!("{name}_calibration.npz"))?);
        let body = json!({ "name": name, "version": "1", "price": PRICE, "onnx": onnx, "calibration": calibration });
        let mut model: ModelOut = caller.post("/v1/models", &serde_json::to_vec(&body)?, None)?.1?;
        while !model.serves {
            ensure!(model.failure.is_none(), "the model is not published: {:?}", model.failure);
            sleep(INTERVAL);
            model = caller.get(&format!("/v1/models/{}", model.reference))?;
        }
        Ok(())
    }

    fn deposit(&self) -> Result<()> {
        let caller = self.caller();
        let account: AccountOut = caller.get(&format!("/v1/accounts/{}", self.payer.public()))?;
        let fee = Fees { base: account.fee_base, per_kib: account.fee_per_kib }.least(1024);
        let payload = Payload::Deposit(Deposit { amount: MONEY / 2 });
        let (chain_id, nonce) = (account.chain_id, account.nonce);
        let body = Body { chain_id, signer: self.payer.public(), nonce, fee, payload };
        let transaction = body.sign(&self.payer).encode();
        let answer = caller.agent.post(format!("{}/v1/transactions", self.url)).send(&transaction[..])?;
        ensure!(answer.status().as_u16() == 200, "the deposit is refused: {}", answer.status());
        Ok(())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Caller {
    /// Reads JSON.
    ///
    /// # Errors
    /// No answer, or none of that form.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let mut answer = self.agent.get(format!("{}{path}", self.url)).call()?;
        Ok(serde_json::from_slice(&answer.body_mut().read_to_vec()?)?)
    }

    /// Posts JSON; gives the price that is asked for if the answer is 402, and what the answer is read as.
    fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &[u8],
        payment: Option<&str>,
    ) -> Result<(Option<String>, Result<T>)> {
        let mut request = self.agent.post(format!("{}{path}", self.url)).content_type("application/json");
        if let Some(payment) = payment {
            request = request.header(PAYMENT_SIGNATURE, payment);
        }
        let mut answer = request.send(body)?;
        let price = answer.headers().get(PAYMENT_REQUIRED).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let bytes = answer.body_mut().read_to_vec()?;
        let read = || anyhow!("status {}: {}", answer.status(), String::from_utf8_lossy(&bytes));
        Ok((price, serde_json::from_slice(&bytes).with_context(read)))
    }

    /// Asks for what is free; gives the job and how long the answer took.
    ///
    /// # Errors
    /// It is refused.
    pub fn ask(&self, body: &[u8]) -> Result<(JobOut, Duration)> {
        let start = Instant::now();
        let (_, job) = self.post("/v1/inference", body, None)?;
        Ok((job?, start.elapsed()))
    }

    /// Asks, and pays.
    ///
    /// # Errors
    /// It is refused.
    pub fn pay(&self, body: &[u8], payer: &SigningKey) -> Result<JobOut> {
        let (price, _) = self.post::<serde_json::Value>("/v1/inference", body, None)?;
        let offer = Offer::read(&price.context("the service asks for no payment")?)?;
        let authorisation = offer.quote().authorisation(payer.public());
        let payment = Payment::sign(authorisation, offer.chain_id(), payer);
        self.post("/v1/inference", body, Some(&offer.accept(payment)))?.1
    }

    /// Looks at a job until it is over.
    ///
    /// # Errors
    /// No answer.
    pub fn over(&self, id: &str) -> Result<JobOut> {
        loop {
            let job: JobOut = self.get(&format!("/v1/jobs/{id}"))?;
            if job.states.over {
                return Ok(job);
            }
            sleep(INTERVAL);
        }
    }
}
