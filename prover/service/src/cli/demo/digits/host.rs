//! The service of the demo: its own process would be `assay serve`; here it is a thread beside the one who asks, reached over HTTP all the same.
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use assay_ledger::tx::{Deposit, Payload};
use assay_verifier::key::Engine;
use assay_verifier::signature::SigningKey;
use rand_core::{OsRng, RngCore};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::super::super::client::{Server, account};
use crate::config::RawConfig;
use crate::routes::models::{ModelOut, Upload, WantedKey};
use crate::serve::{RunError, Service, run};

const MODEL: &[u8] = include_bytes!("../../../../../../fixtures/digits_cnn.onnx");
const CALIBRATION: &[u8] = include_bytes!("../../../../../../fixtures/digits_cnn_calibration.npz");

/// What the payer has at the chain's beginning.
const BALANCE: u64 = 1_000_000;
/// How long anything may take that the service does by itself.
const PATIENCE: Duration = Duration::from_secs(120);
/// From one look to the next.
pub const INTERVAL: Duration = Duration::from_millis(20);

/// The running service, and who pays.
pub struct Host {
    /// Where it is reached.
    pub server: Server,
    /// Who pays.
    pub payer: SigningKey,
    /// Where it listens.
    pub url: String,
    /// Where everything lies.
    pub folder: TempDir,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), RunError>>>,
}

impl Host {
    /// Starts everything in a temporary folder.
    pub fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut seed = [0; 32];
        OsRng.fill_bytes(&mut seed);
        let payer = SigningKey::from_seed(seed);
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let raw = RawConfig {
            data: Some(folder.path().join("data")),
            listen: Some(listener.local_addr()?.to_string()),
            payment: Some("x402".into()),
            chain_id: Some("assay-demo".into()),
            accounts: [(payer.public().to_string(), BALANCE)].into(),
            ..RawConfig::default()
        };
        let service = Service::open(raw.check()?)?;
        let url = service.config.url();
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let serve = move || {
            let ended = runtime.block_on(run(Arc::clone(&service), listener, async { drop(stopped.await) }));
            // Stores are closed before the folder is removed.
            drop(runtime);
            drop(service);
            ended
        };
        let thread = std::thread::Builder::new().name("service".into()).spawn(serve)?;
        Ok(Self { server: Server::new(&url, None)?, payer, url, folder, stop: Some(stop), thread: Some(thread) })
    }

    /// Uploads and publishes the model; the service compiles it and makes its key.
    pub fn publish(&self, engine: Engine, price: u64) -> Result<ModelOut> {
        let onnx = self.server.upload(MODEL.to_vec())?;
        let calibration = self.server.upload(CALIBRATION.to_vec())?;
        let hides = engine == Engine::Halo2;
        let upload = Upload {
            name: "digits".into(),
            version: "1".into(),
            price,
            onnx: Some(onnx.to_string()),
            calibration: Some(calibration.to_string()),
            calibration_encoding: Some("npz".into()),
            bits: None,
            batch: None,
            execution: None,
            circuit: None,
            keys: vec![WantedKey { engine: engine.to_string(), private_input: false, private_weights: hides }],
            signed: None,
        };
        let mut model: ModelOut = self.server.post("/v1/models", &upload)?;
        let end = Instant::now() + PATIENCE;
        while !model.serves {
            if let Some(failure) = model.failure {
                return Err(anyhow!("the model is not published: {}", failure.text));
            }
            if Instant::now() > end {
                return Err(anyhow!("the model is not published in time"));
            }
            std::thread::sleep(INTERVAL);
            model = self.server.get(&format!("/v1/models/{}", model.reference))?;
        }
        self.server.get(&format!("/v1/models/{}", model.reference))
    }

    /// Puts money into escrow; gives what is there then.
    pub fn deposit(&self, amount: u64) -> Result<u64> {
        account::send(&self.server, &self.payer, Payload::Deposit(Deposit { amount }))?;
        self.escrow()
    }

    /// What is in the payer's escrow.
    pub fn escrow(&self) -> Result<u64> {
        Ok(account::account(&self.server, &self.payer)?.escrow)
    }

    /// A file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Stops the service, and waits until everything is closed.
    pub fn stop(mut self) -> Result<()> {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().map_err(|_| anyhow!("the service panicked"))??;
        }
        Ok(())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // On the way of an error: that one is told.
            let _ = thread.join();
        }
    }
}
