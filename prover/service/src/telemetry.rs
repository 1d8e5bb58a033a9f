//! The log, on standard error. `RUST_LOG` chooses what is in it. Bodies, headers, keys and inputs are never logged.
use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

/// Starts logging. A second start changes nothing.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(stderr().is_terminal());
    let _ = log.try_init();
}
