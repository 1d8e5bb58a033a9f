//! Sources of data: what may be fetched, from where, and with what. Nothing else is.
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use super::{ConfigError, positive, refused};
use crate::data::{Address, PathPattern};

const FIELD: &str = "sources";

/// A source as it stands in the file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSource {
    /// What records call it.
    pub name: String,
    /// `https://HOST` or `https://HOST:PORT`.
    pub origin: String,
    /// Paths; `*` is any one part of a path, `**` at the end any rest of one.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Names of parameters that a query may have.
    #[serde(default)]
    pub parameters: Vec<String>,
    /// Headers that it is asked with.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Headers of its answers that records keep.
    #[serde(default)]
    pub keep_headers: Vec<String>,
    /// Bytes of an answer.
    pub body_bytes_max: Option<usize>,
    /// For all of a fetch.
    pub timeout_s: Option<u64>,
    /// Redirections that are followed, each to what is on this list too.
    pub redirects_max: Option<usize>,
    /// Certificates that its own is checked against, PEM; without it those of the web.
    pub roots: Option<PathBuf>,
    /// Whether it may be in a private network, or on this machine. Without TLS it must be.
    #[serde(default)]
    pub private: bool,
}

/// A checked source.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Scheme, host and port.
    pub origin: String,
    /// Paths.
    pub paths: Vec<PathPattern>,
    /// Names of parameters.
    pub parameters: BTreeSet<String>,
    /// Headers that it is asked with.
    pub headers: HeaderMap,
    /// Headers that are kept.
    pub keep_headers: Vec<HeaderName>,
    /// Bytes of an answer.
    pub body_bytes: usize,
    /// For all of a fetch.
    pub timeout: Duration,
    /// Redirections.
    pub redirects_max: usize,
    /// Certificates instead of those of the web.
    pub roots: Option<PathBuf>,
    /// Whether its address may be a private one.
    pub private: bool,
}

/// Checks all of them.
///
/// # Errors
/// The first that cannot be right.
pub(super) fn check(raw: Vec<RawSource>) -> Result<Vec<Source>, ConfigError> {
    let mut names = BTreeSet::new();
    for source in &raw {
        if !names.insert(&source.name) {
            return Err(refused(FIELD, format!("two have the name {:?}", source.name)));
        }
    }
    raw.iter().map(RawSource::check).collect()
}

impl RawSource {
    fn check(&self) -> Result<Source, ConfigError> {
        let fail = |reason: String| refused(FIELD, format!("{:?}: {reason}", self.name));
        if !(1..=64).contains(&self.name.len()) {
            return Err(fail("name: 1 to 64 bytes".into()));
        }
        let address: Address = self.origin.parse().map_err(|error| fail(format!("origin: {error}")))?;
        if address.path != "/" || address.query.is_some() {
            return Err(fail(format!("origin: {:?} is more than https://HOST", self.origin)));
        }
        if !address.is_secure() && !self.private {
            return Err(fail("origin: without TLS only what is private is asked".into()));
        }
        let paths: Result<Vec<PathPattern>, _> = self.paths.iter().map(|path| path.parse()).collect();
        let paths = paths.map_err(|error| fail(format!("paths: {error}")))?;
        if paths.is_empty() {
            return Err(fail("paths: name at least one".into()));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let wrong = |_| fail(format!("headers: {name:?} cannot be sent"));
            let parsed: HeaderName = name.parse().map_err(|_| fail(format!("headers: {name:?} is none")))?;
            if ["host", "connection", "content-length", "transfer-encoding", "accept-encoding"]
                .contains(&parsed.as_str())
            {
                return Err(fail(format!("headers: {name:?} is the node's to set")));
            }
            let mut value = HeaderValue::from_str(value).map_err(wrong)?;
            value.set_sensitive(true);
            headers.insert(parsed, value);
        }
        let kept: Result<Vec<HeaderName>, _> = self.keep_headers.iter().map(|name| name.parse()).collect();
        Ok(Source {
            name: self.name.clone(),
            origin: address.origin(),
            paths,
            parameters: self.parameters.iter().cloned().collect(),
            headers,
            keep_headers: kept.map_err(|_| fail("keep_headers: a name is none".into()))?,
            body_bytes: positive("body_bytes_max", self.body_bytes_max, 1 << 20)?,
            timeout: Duration::from_secs(positive("timeout_s", self.timeout_s, 10)?),
            redirects_max: self.redirects_max.unwrap_or(3),
            roots: self.roots.clone(),
            private: self.private,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw() -> RawSource {
        RawSource {
            name: "weather".into(),
            origin: "https://Weather.example".into(),
            paths: vec!["/now/*".into()],
            headers: [("x-api-key".to_owned(), "secret".to_owned())].into(),
            ..RawSource::default()
        }
    }

    #[test]
    fn a_source_is_checked_and_its_headers_are_not_shown() {
        let source = raw().check().unwrap();
        assert_eq!(source.origin, "https://weather.example");
        assert!(!format!("{source:?}").contains("secret"));
    }

    #[test]
    fn what_cannot_be_right_is_refused() {
        let refused = |change: fn(&mut RawSource), words: &str| {
            let mut raw = raw();
            change(&mut raw);
            let error = raw.check().unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains("secret"), "{error} does not say {words}");
        };
        refused(|raw| raw.name.clear(), "name");
        refused(|raw| raw.origin = "http://weather.example".into(), "without TLS");
        refused(|raw| raw.origin = "https://weather.example/now".into(), "more than");
        refused(|raw| raw.origin = "https://me@weather.example".into(), "origin");
        refused(|raw| raw.paths.clear(), "paths");
        refused(|raw| raw.paths = vec!["now".into()], "paths");
        refused(|raw| drop(raw.headers.insert("host".into(), "other.example".into())), "host");
        refused(|raw| drop(raw.headers.insert("a b".into(), "c".into())), "headers");
        refused(|raw| drop(raw.headers.insert("a".into(), "\n".into())), "headers");
        refused(|raw| raw.keep_headers = vec!["a b".into()], "keep_headers");
        refused(|raw| raw.timeout_s = Some(0), "timeout_s");
        assert!(check(vec![raw(), raw()]).unwrap_err().reason.contains("two have the name"));
    }
}
