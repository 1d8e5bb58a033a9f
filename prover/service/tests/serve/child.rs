//! `assay serve` and `assay worker` as processes, on one folder and one port.
use std::fmt::Write;
use std::fs::OpenOptions;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::client::{Client, LONG};

/// A process that is killed when it is dropped.
pub struct Process(Child);

/// A folder with all that is needed to start the processes again and again.
pub struct Home {
    pub client: Client,
    pub folder: TempDir,
}

impl Home {
    /// Writes a configuration: the usual one, and these lines.
    pub fn new(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Free now, and nobody else's as long as the system gives others.
        let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut config =
            format!("data = {:?}\nlisten = \"{listen}\"\nblock_interval_ms = 100\n", folder.path().join("data"));
        writeln!(config, "{lines}").unwrap();
        std::fs::write(folder.path().join("assay.toml"), config).unwrap();
        Self { client: Client::new(&format!("http://{listen}"), None), folder }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What processes wrote to standard error.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.path().join("log")).unwrap()).into_owned()
    }

    /// `assay` in the folder.
    pub fn assay(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("XDG_CACHE_HOME", self.folder.path().join("cache"));
        command
    }

    fn run(&self, arguments: &[&str], level: &str) -> Process {
        let log = OpenOptions::new().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let child = self.assay(arguments).env("RUST_LOG", level).stdout(Stdio::null()).stderr(log).spawn();
        Process(child.unwrap())
    }

    pub fn serve(&self, level: &str) -> Process {
        self.run(&["serve", "--config", "assay.toml"], level)
    }

    pub fn worker(&self) -> Process {
        self.run(&["worker", "--server", &self.client.url, "--key", "worker.seed"], "warn")
    }

    /// Waits until requests are accepted.
    pub fn ready(&self) {
        let begun = Instant::now();
        while self.client.attempt("GET", "/readyz", &[], b"").is_none_or(|answer| answer.status != 200) {
            assert!(begun.elapsed() < LONG, "it does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Process {
    /// `kill -9`.
    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
