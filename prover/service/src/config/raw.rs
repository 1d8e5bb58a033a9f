//! The configuration as it is read.
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::sources::{self, RawSource};
use super::upstreams::{self, RawUpstream};
use super::{Access, Config, ConfigError, LedgerChoice, Limits, PaymentMode, Retention, Tee, Tls, positive, refused};
use crate::attester::Format;

/// Fields as they stand in the file. All may be missing.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawConfig {
    /// The folder of everything that is kept.
    pub data: Option<PathBuf>,
    /// `ADDRESS:PORT`.
    pub listen: Option<String>,
    /// File of the certificate chain, PEM.
    pub tls_certificate: Option<PathBuf>,
    /// File of its key, PEM.
    pub tls_key: Option<PathBuf>,
    /// `open` or `keys`.
    pub access: Option<String>,
    /// `embedded`, or `http://HOST:PORT` of a node of CometBFT.
    pub ledger: Option<String>,
    /// What the chain of such a node begins with.
    pub trust: Option<PathBuf>,
    /// Id of a new embedded chain.
    pub chain_id: Option<String>,
    /// Balances of a new embedded chain.
    #[serde(default)]
    pub accounts: BTreeMap<String, u64>,
    /// Time between blocks of the embedded chain.
    pub block_interval_ms: Option<u64>,
    /// `free` or `x402`.
    pub payment: Option<String>,
    /// Workers in this process.
    pub workers: Option<usize>,
    /// Whether workers elsewhere are told secrets.
    pub workers_may_know_secrets: Option<bool>,
    /// File of a reference string.
    pub srs: Option<PathBuf>,
    /// `none`, `software`, or the path of a program that makes evidence of the enclave.
    pub tee: Option<String>,
    /// The software attester's secret seed.
    pub tee_attester: Option<PathBuf>,
    /// The format of its documents: `nitro` or `tdx`.
    pub tee_format: Option<String>,
    /// Bytes of a request's body.
    pub body_bytes_max: Option<usize>,
    /// Bytes of an uploaded blob.
    pub blob_bytes_max: Option<usize>,
    /// Items of a batch.
    pub batch_items_max: Option<usize>,
    /// Proofs that wait.
    pub queue_jobs_max: Option<usize>,
    /// Predicted seconds until a new proof would be ready.
    pub backlog_max_s: Option<u64>,
    /// Answers that are computed at once.
    pub executions_max: Option<usize>,
    /// Requests in work at once.
    pub requests_max: Option<usize>,
    /// Whose models requests are forwarded to.
    #[serde(default)]
    pub upstreams: Vec<RawUpstream>,
    /// What may be fetched.
    #[serde(default)]
    pub sources: Vec<RawSource>,
    /// Requests that are forwarded at once.
    pub forwarded_max: Option<usize>,
    /// Longest wait for a proof, in seconds.
    pub wait_max_s: Option<u64>,
    /// Bytes of loaded circuits.
    pub cache_bytes_max: Option<u64>,
    /// How long finished jobs that were not settled are kept.
    pub keep_days: Option<u64>,
    /// How many bytes of blobs are kept.
    pub keep_bytes: Option<u64>,
}

impl RawConfig {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is not TOML of these fields.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|error| refused("config", format!("{}: {error}", path.display())))?;
        toml::from_str(&text).map_err(|error| refused("config", format!("{}: {error}", path.display())))
    }

    /// Takes what variables of the environment say.
    ///
    /// # Errors
    /// A variable is not what its field takes.
    pub fn with_environment(mut self, variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        fn parsed<T: std::str::FromStr>(field: &'static str, text: String) -> Result<Option<T>, ConfigError> {
            text.parse().map(Some).map_err(|_| refused(field, format!("{text:?} cannot be read")))
        }
        macro_rules! take {
            ($($field:ident),*) => { $(
                if let Some(text) = variable(concat!("ASSAY_", stringify!($field)).to_uppercase().as_str()) {
                    self.$field = parsed(stringify!($field), text)?;
                }
            )* };
        }
        take!(
            data,
            listen,
            tls_certificate,
            tls_key,
            access,
            ledger,
            trust,
            chain_id,
            block_interval_ms,
            payment,
            workers
        );
        take!(
            workers_may_know_secrets,
            srs,
            tee,
            tee_attester,
            tee_format,
            body_bytes_max,
            blob_bytes_max,
            batch_items_max,
            queue_jobs_max,
            backlog_max_s
        );
        take!(executions_max, requests_max, forwarded_max, wait_max_s, cache_bytes_max, keep_days, keep_bytes);
        Ok(self)
    }

    /// Checks all fields.
    ///
    /// # Errors
    /// The first field that cannot be right.
    pub fn check(self) -> Result<Config, ConfigError> {
        let listen = self.listen.as_deref().unwrap_or("127.0.0.1:8080");
        let listen: SocketAddr =
            listen.parse().map_err(|_| refused("listen", format!("{listen:?} is not ADDRESS:PORT")))?;
        let tls = match (self.tls_certificate.clone(), self.tls_key.clone()) {
            (Some(certificate), Some(key)) => Some(Tls { certificate, key }),
            (None, None) => None,
            (Some(_), None) => return Err(refused("tls_key", "a certificate needs its key")),
            (None, Some(_)) => return Err(refused("tls_certificate", "a key needs its certificate")),
        };
        let loopback = listen.ip().is_loopback();
        if tls.is_none() && !loopback {
            return Err(refused("tls_certificate", format!("{listen} is not on loopback: name certificate and key")));
        }
        let access = match self.access.as_deref() {
            None if loopback => Access::Open,
            Some("open") if loopback => Access::Open,
            Some("open") => return Err(refused("access", format!("{listen} is not on loopback: use keys"))),
            None | Some("keys") => Access::Keys,
            Some(other) => return Err(refused("access", format!("{other:?} is neither open nor keys"))),
        };
        let payment = match self.payment.as_deref() {
            None | Some("free") => PaymentMode::Free,
            Some("x402") => PaymentMode::X402,
            Some(other) => return Err(refused("payment", format!("{other:?} is neither free nor x402"))),
        };
        let data = self.data.clone().ok_or_else(|| refused("data", "name a folder"))?;
        Ok(Config {
            tee: self.tee(&data)?,
            data,
            listen,
            tls,
            access,
            ledger: self.ledger()?,
            payment,
            workers: self.workers.unwrap_or(1),
            workers_may_know_secrets: self.workers_may_know_secrets.unwrap_or(false),
            srs: self.srs.clone(),
            upstreams: upstreams::check(self.upstreams.clone())?,
            sources: sources::check(self.sources.clone())?,
            limits: self.limits()?,
            retention: Retention {
                age: Duration::from_secs(86_400 * positive("keep_days", self.keep_days, 30)?),
                bytes: positive("keep_bytes", self.keep_bytes, 20 << 30)?,
            },
        })
    }

    fn tee(&self, data: &Path) -> Result<Option<Tee>, ConfigError> {
        let format = match self.tee_format.as_deref() {
            None | Some("nitro") => Format::Nitro,
            Some("tdx") => Format::Tdx,
            Some(other) => return Err(refused("tee_format", format!("{other:?} is neither nitro nor tdx"))),
        };
        match self.tee.as_deref() {
            Some("software") => {
                let seed = self.tee_attester.clone().unwrap_or_else(|| data.join("attester.seed"));
                Ok(Some(Tee::Software { seed, format }))
            }
            _ if self.tee_attester.is_some() => Err(refused("tee_attester", "it goes with tee = software")),
            _ if self.tee_format.is_some() => Err(refused("tee_format", "it goes with tee = software")),
            None | Some("none") => Ok(None),
            Some(program) if Path::new(program).is_absolute() => Ok(Some(Tee::Program(program.into()))),
            Some(other) => {
                Err(refused("tee", format!("{other:?} is neither none, software nor the absolute path of a program")))
            }
        }
    }

    fn ledger(&self) -> Result<LedgerChoice, ConfigError> {
        match self.ledger.as_deref() {
            None | Some("embedded") => {
                let mut accounts = BTreeMap::new();
                for (key, balance) in &self.accounts {
                    let key = key.parse().map_err(|_| refused("accounts", format!("{key:?} is not a public key")))?;
                    accounts.insert(key, *balance);
                }
                Ok(LedgerChoice::Embedded {
                    chain_id: self.chain_id.clone().unwrap_or_else(|| "assay-local".into()),
                    accounts,
                    block_interval: Duration::from_millis(positive("block_interval_ms", self.block_interval_ms, 500)?),
                })
            }
            Some(address) if address.starts_with("http://") => {
                let missing =
                    || refused("trust", "a ledger elsewhere needs a file that says what its chain begins with");
                Ok(LedgerChoice::Remote { address: address.into(), trust: self.trust.clone().ok_or_else(missing)? })
            }
            Some(other) => Err(refused("ledger", format!("{other:?} is neither embedded nor http://HOST:PORT"))),
        }
    }

    fn limits(&self) -> Result<Limits, ConfigError> {
        Ok(Limits {
            body_bytes: positive("body_bytes_max", self.body_bytes_max, 8 << 20)?,
            blob_bytes: positive("blob_bytes_max", self.blob_bytes_max, 1 << 30)?,
            batch_items: positive("batch_items_max", self.batch_items_max, 256)?,
            queue_jobs: positive("queue_jobs_max", self.queue_jobs_max, 20_000)?,
            backlog: Duration::from_secs(positive("backlog_max_s", self.backlog_max_s, 3_600)?),
            executions: positive("executions_max", self.executions_max, 4)?,
            requests: positive("requests_max", self.requests_max, 256)?,
            forwarded: positive("forwarded_max", self.forwarded_max, 1_024)?,
            wait: Duration::from_secs(positive("wait_max_s", self.wait_max_s, 120)?),
            cache_bytes: positive("cache_bytes_max", self.cache_bytes_max, 2 << 30)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut RawConfig)) -> Result<Config, ConfigError> {
        let mut raw = RawConfig { data: Some("data".into()), ..RawConfig::default() };
        change(&mut raw);
        raw.check()
    }

    #[test]
    fn usual_values_are_for_one_machine() {
        let config = with(|_| {}).unwrap();
        assert_eq!((config.access, config.payment, config.tls), (Access::Open, PaymentMode::Free, None));
        assert!(config.listen.ip().is_loopback());
    }

    #[test]
    fn what_cannot_be_right_is_refused_by_its_field() {
        let field = |change: fn(&mut RawConfig)| with(change).err().map(|error| error.field);
        assert_eq!(field(|raw| raw.data = None), Some("data"));
        assert_eq!(field(|raw| raw.listen = Some("here".into())), Some("listen"));
        assert_eq!(field(|raw| raw.listen = Some("0.0.0.0:80".into())), Some("tls_certificate"));
        assert_eq!(field(|raw| raw.tls_key = Some("key.pem".into())), Some("tls_certificate"));
        assert_eq!(field(|raw| raw.tls_certificate = Some("chain.pem".into())), Some("tls_key"));
        assert_eq!(field(|raw| raw.access = Some("none".into())), Some("access"));
        assert_eq!(field(|raw| raw.payment = Some("card".into())), Some("payment"));
        assert_eq!(field(|raw| raw.ledger = Some("ftp://x".into())), Some("ledger"));
        assert_eq!(field(|raw| raw.ledger = Some("http://x:1".into())), Some("trust"));
        assert_eq!(field(|raw| raw.body_bytes_max = Some(0)), Some("body_bytes_max"));
        let accounts = |raw: &mut RawConfig| {
            raw.accounts.insert("me".into(), 1);
        };
        assert_eq!(field(accounts), Some("accounts"));
        let open = |raw: &mut RawConfig| {
            raw.listen = Some("10.0.0.1:443".into());
            (raw.tls_certificate, raw.tls_key) = (Some("a".into()), Some("b".into()));
            raw.access = Some("open".into());
        };
        assert_eq!(field(open), Some("access"));
    }

    #[test]
    fn the_environment_wins_over_the_file_and_is_checked() {
        let raw: RawConfig = toml::from_str("data = \"a\"\nworkers = 3").unwrap();
        let variables = |name: &str| (name == "ASSAY_WORKERS").then(|| "5".to_owned());
        assert_eq!(raw.clone().with_environment(variables).unwrap().workers, Some(5));
        let variables = |name: &str| (name == "ASSAY_WORKERS").then(|| "many".to_owned());
        assert_eq!(raw.with_environment(variables).unwrap_err().field, "workers");
        assert!(toml::from_str::<RawConfig>("unknown = 1").is_err());
    }
}
