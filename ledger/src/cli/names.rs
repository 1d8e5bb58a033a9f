//! Names on the command line, and the node that is asked.
use std::time::Duration;

use anyhow::{Context, Result};
use assay_verifier::receipt::{Backend, ModelId};
use assay_verifier::settlement::node::Platform;
use assay_verifier::signature::PublicKey;
use clap::Args;

use crate::client::Client;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The node that is asked, and who reads the answer.
#[derive(Args)]
pub struct Endpoint {
    /// The node's RPC address
    #[arg(long, global = true, value_name = "URL", default_value = "http://127.0.0.1:26601")]
    rpc: String,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

impl Endpoint {
    /// A client of the node.
    pub fn client(&self) -> Result<Client> {
        Client::with_timeout(&self.rpc, TIMEOUT).context("--rpc")
    }
}

/// Backends by name.
const BACKENDS: [(&str, Backend); 3] = [("zkml", Backend::Zkml), ("tee", Backend::Tee), ("vanilla", Backend::Vanilla)];

/// Reads a backend.
pub fn backend(text: &str) -> Result<Backend, String> {
    let found = BACKENDS.iter().find(|(name, _)| *name == text);
    found.map(|(_, backend)| *backend).ok_or_else(|| "one of zkml, tee, vanilla".into())
}

/// The name of a backend.
pub fn backend_name(backend: Backend) -> &'static str {
    BACKENDS.iter().find(|(_, named)| *named == backend).map_or("", |(name, _)| name)
}

/// Reads a platform of enclaves, by the name that it has in a genesis.
pub fn platform(text: &str) -> Result<Platform, String> {
    let name = serde_json::Value::String(text.into());
    serde_json::from_value(name).map_err(|_| "a platform of enclaves, as a genesis names it".into())
}

/// A register of a measurement.
#[derive(Clone)]
pub struct Register(pub Vec<u8>);

/// Reads a register.
pub fn register(text: &str) -> Result<Register, String> {
    hex::decode(text).map(Register).map_err(|_| "a register is hexadecimal digits, two for each byte".into())
}

/// Reads a model's version: its id, or what the id is made of.
pub fn model(text: &str) -> Result<ModelId, String> {
    let form = "a model is 64 hexadecimal digits, or PUBLISHER/NAME/VERSION";
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [id] => id.parse().map_err(|_| form.to_string()),
        [publisher, name, version] => {
            let publisher: PublicKey = publisher.parse().map_err(|_| form.to_string())?;
            Ok(ModelId::new(publisher, name, version))
        }
        _ => Err(form.into()),
    }
}
