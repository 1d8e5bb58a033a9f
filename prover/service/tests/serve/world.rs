//! A service of this process in a folder of its own, served on loopback.
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use assay_service::config::RawConfig;
use assay_service::serve::{Service, run};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::client::Client;

/// A service that is served.
pub struct World {
    pub client: Client,
    pub service: Option<Arc<Service>>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    folder: TempDir,
}

impl World {
    /// One that is free and open, with one worker.
    pub fn free() -> Self {
        Self::start(|_| {})
    }

    pub fn start(change: impl FnOnce(&mut RawConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut raw = RawConfig {
            data: Some(folder.path().join("data")),
            listen: Some(listener.local_addr().unwrap().to_string()),
            block_interval_ms: Some(100),
            ..RawConfig::default()
        };
        change(&mut raw);
        let service = Service::open(raw.check().unwrap()).unwrap();
        let client = Client::new(&service.config.url(), None);
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = Arc::clone(&service);
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(run(serving, listener, async { drop(stopped.await) })).unwrap();
        };
        Self { client, service: Some(service), running: Some((stop, std::thread::spawn(serve))), folder }
    }

    pub fn folder(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    pub fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.service = None;
        if let Some((stop, thread)) = self.running.take() {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}
