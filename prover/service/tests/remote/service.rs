//! A service of this process, with a small model and no workers of its own.
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use assay_circuits::onnx::NoExternalData;
use assay_circuits::{CompileOptions, Compiled, Model, compile};
use assay_prover::file::CircuitFile;
use assay_service::access::{KeyFile, Scope};
use assay_service::config::{Config, RawConfig};
use assay_service::serve::{Service, run};
use assay_service::storage::id_of;
use assay_verifier::wire;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use ureq::Agent;

use super::LONG;

/// A service that is served.
pub struct Served {
    /// Where.
    pub url: String,
    /// An API key for workers.
    pub worker_key: String,
    /// An API key for everything but work.
    pub key: String,
    /// The service.
    pub service: Option<Arc<Service>>,
    config: Config,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    shape: (Vec<u32>, String),
    _folder: TempDir,
}

fn circuit() -> CircuitFile {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/operators/gemm.onnx");
    let model = Model::from_bytes(&std::fs::read(path).unwrap(), &NoExternalData).unwrap();
    let Compiled { circuit, weights, report } = compile(&model, &CompileOptions::default(), &|_, _| {}).unwrap();
    CircuitFile::new(circuit, weights, report).unwrap()
}

/// An agent that gives every answer as it is.
pub fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).timeout_global(Some(LONG)).build().new_agent()
}

impl Served {
    /// Starts one.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut keys = KeyFile::default();
        let scopes = vec![Scope::Read, Scope::Infer, Scope::Publish];
        let key = keys.add("user", scopes, 1_000_000).unwrap().0;
        let worker_key = keys.add("worker", vec![Scope::Worker], 1_000_000).unwrap().0;
        assay_service::storage::private::folder(folder.path()).unwrap();
        keys.write(&folder.path().join("access.json")).unwrap();
        let raw = RawConfig {
            data: Some(folder.path().to_owned()),
            listen: Some("127.0.0.1:0".into()),
            access: Some("keys".into()),
            workers: Some(0),
            block_interval_ms: Some(50),
            ..RawConfig::default()
        };
        let config = raw.check().unwrap();
        let file = circuit();
        let port = &file.circuit.inputs[0];
        let shape = (port.dims.clone(), port.name.clone());
        let (url, service, running) = (String::new(), None, None);
        let mut served = Self { url, worker_key, key, service, config, running, shape, _folder: folder };
        served.again();
        served.publish(&wire::encode(&file));
        served
    }

    /// Serves again, at the same address.
    pub fn again(&mut self) {
        let listener = TcpListener::bind(self.config.listen).unwrap();
        self.config.listen = listener.local_addr().unwrap();
        let service = Service::open(self.config.clone()).unwrap();
        self.url = service.config.url();
        self.service = Some(Arc::clone(&service));
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            let shutdown = async { drop(stopped.await) };
            runtime.block_on(run(service, listener, shutdown)).unwrap();
        };
        self.running = Some((stop, std::thread::spawn(serve)));
    }

    /// Stops serving.
    pub fn stop(&mut self) {
        self.service = None;
        if let Some((stop, thread)) = self.running.take() {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }

    /// Asks with the user's key, and expects success.
    pub fn call(&self, method: &str, path: &str, body: Vec<u8>) -> Value {
        let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        let request = request.header("authorization", format!("Bearer {}", self.key));
        let request = request.header("content-type", "application/json").body(body).unwrap();
        let mut answer = agent().run(request).unwrap();
        let (status, text) = (answer.status(), answer.body_mut().read_to_string().unwrap());
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn publish(&self, circuit: &[u8]) {
        let hash = id_of(circuit).to_string();
        self.call("PUT", &format!("/v1/blobs/{hash}"), circuit.to_vec());
        let model = json!({ "name": "gemm", "version": "1", "circuit": hash });
        let model = self.call("POST", "/v1/models", model.to_string().into_bytes());
        let path = format!("/v1/models/{}", model["reference"].as_str().unwrap());
        let begun = Instant::now();
        while self.call("GET", &path, vec![])["serves"] != true {
            assert!(begun.elapsed() < LONG, "{}", self.call("GET", &path, vec![]));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks for an inference, and gives the job.
    pub fn ask(&self, number: u32) -> String {
        let (dims, name) = &self.shape;
        let count: u32 = dims.iter().product();
        let data: Vec<f32> = (0..count).map(|cell| ((cell + number) % 5) as f32 / 8.0).collect();
        let input = json!({ "name": name, "dtype": "f32", "shape": dims, "data": data });
        let request = json!({ "model": "gemm", "inputs": [input] });
        let job = self.call("POST", "/v1/inference", request.to_string().into_bytes());
        job["id"].as_str().unwrap().to_owned()
    }

    /// Waits until a job's proof is ready, and gives the job.
    pub fn ready(&self, job: &str) -> Value {
        let begun = Instant::now();
        loop {
            let found = self.call("GET", &format!("/v1/jobs/{job}"), vec![]);
            if found["states"]["proof"] == "ready" {
                return found;
            }
            assert!(begun.elapsed() < LONG, "{found}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}
