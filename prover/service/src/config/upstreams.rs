//! Upstreams: whose models requests are forwarded to. Their keys are read here, once, and stay in the node.
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::{HeaderValue, Uri};
use serde::Deserialize;

use super::{ConfigError, positive, refused};
use crate::proxy::Dialect;

const FIELD: &str = "upstreams";

/// An upstream as it stands in the file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawUpstream {
    /// What receipts and figures call it.
    pub name: String,
    /// `openai` or `anthropic`: what it speaks.
    pub kind: String,
    /// `https://HOST`, with what comes before `/v1/`.
    pub url: String,
    /// The variable of the environment that has its key.
    pub key_variable: Option<String>,
    /// The file that has its key.
    pub key_file: Option<PathBuf>,
    /// The models that are asked of it, by their own names.
    #[serde(default)]
    pub models: Vec<String>,
    /// Certificates that its own is checked against, PEM; without it those of the web.
    pub roots: Option<PathBuf>,
    /// How long a whole answer may take.
    pub timeout_s: Option<u64>,
    /// How long a stream may pause, and its reader.
    pub idle_timeout_s: Option<u64>,
    /// Bytes of an answer.
    pub answer_bytes_max: Option<usize>,
}

/// A checked upstream.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Its name.
    pub name: String,
    /// What it speaks.
    pub dialect: Dialect,
    /// Scheme, host and port.
    pub origin: String,
    /// What comes before `/v1/`, without a slash at its end.
    pub prefix: String,
    /// The header's value that has the key.
    pub key: HeaderValue,
    /// The models.
    pub models: Vec<String>,
    /// Certificates instead of those of the web.
    pub roots: Option<PathBuf>,
    /// For a whole answer.
    pub timeout: Duration,
    /// For a pause.
    pub idle_timeout: Duration,
    /// Bytes of an answer.
    pub answer_bytes: usize,
}

/// Checks all of them.
///
/// # Errors
/// The first that cannot be right.
pub(super) fn check(raw: Vec<RawUpstream>) -> Result<Vec<Upstream>, ConfigError> {
    let checked = raw.into_iter().map(RawUpstream::check).collect::<Result<Vec<_>, _>>()?;
    let (mut names, mut models) = (BTreeMap::new(), BTreeMap::new());
    for upstream in &checked {
        if names.insert(&upstream.name, ()).is_some() {
            return Err(refused(FIELD, format!("two have the name {:?}", upstream.name)));
        }
        for model in &upstream.models {
            if let Some(other) = models.insert(model, &upstream.name) {
                return Err(refused(FIELD, format!("{other:?} and {:?} both have the model {model:?}", upstream.name)));
            }
        }
    }
    Ok(checked)
}

impl RawUpstream {
    fn check(self) -> Result<Upstream, ConfigError> {
        let fail = |reason: String| refused(FIELD, format!("{:?}: {reason}", self.name));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !(1..=64).contains(&self.name.len()) || !self.name.bytes().all(plain) {
            return Err(fail("name: 1 to 64 letters, digits, and - _ .".into()));
        }
        let dialect = match self.kind.as_str() {
            "openai" => Dialect::OpenAi,
            "anthropic" => Dialect::Anthropic,
            other => return Err(fail(format!("kind: {other:?} is neither openai nor anthropic"))),
        };
        let (origin, prefix) = address(&self.url).map_err(|reason| fail(format!("url: {reason}")))?;
        if self.models.is_empty() || self.models.iter().any(|model| !(1..=256).contains(&model.len())) {
            return Err(fail("models: name at least one, each of 1 to 256 bytes".into()));
        }
        let key = self.key().map_err(fail)?;
        Ok(Upstream {
            dialect,
            origin,
            prefix,
            key,
            timeout: Duration::from_secs(positive("timeout_s", self.timeout_s, 600)?),
            idle_timeout: Duration::from_secs(positive("idle_timeout_s", self.idle_timeout_s, 60)?),
            answer_bytes: positive("answer_bytes_max", self.answer_bytes_max, 16 << 20)?,
            name: self.name,
            models: self.models,
            roots: self.roots,
        })
    }

    /// The key, from where the configuration says that it is. No message has any of it.
    fn key(&self) -> Result<HeaderValue, String> {
        let text = match (&self.key_variable, &self.key_file) {
            (Some(name), None) => std::env::var(name).map_err(|_| format!("key_variable: {name} is not set"))?,
            (None, Some(path)) => {
                std::fs::read_to_string(path).map_err(|error| format!("key_file: {}: {error}", path.display()))?
            }
            _ => return Err("key_variable, key_file: name one of them".into()),
        };
        let text = match self.kind.as_str() {
            "anthropic" => text.trim().to_owned(),
            _ => format!("Bearer {}", text.trim()),
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| "the key is not visible ASCII".to_owned())?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// Origin and prefix of an address. Without TLS only this machine is asked.
pub(crate) fn address(url: &str) -> Result<(String, String), String> {
    let uri: Uri = url.parse().map_err(|_| format!("{url:?} is no address"))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(format!("{url:?} is not https://HOST"));
    };
    let host = authority.host();
    let loopback = host == "localhost"
        || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match scheme {
        "https" => {}
        "http" if loopback => {}
        _ => return Err(format!("{url:?} is not https, and not on loopback")),
    }
    if authority.as_str().contains('@') || uri.query().is_some() || host.is_empty() {
        return Err(format!("{url:?} has a user or a query, or no host"));
    }
    let prefix = uri.path().trim_end_matches('/').to_owned();
    Ok((format!("{scheme}://{}", authority.as_str().to_ascii_lowercase()), prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw() -> (tempfile::NamedTempFile, RawUpstream) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "sk-secret\n").unwrap();
        let raw = RawUpstream {
            name: "one".into(),
            kind: "openai".into(),
            url: "https://Upstream.example/base/".into(),
            key_file: Some(file.path().into()),
            models: vec!["small".into()],
            ..RawUpstream::default()
        };
        (file, raw)
    }

    #[test]
    fn an_upstream_is_checked_and_its_key_is_not_shown() {
        let (_file, raw) = raw();
        let upstream = raw.check().unwrap();
        assert_eq!((upstream.origin.as_str(), upstream.prefix.as_str()), ("https://upstream.example", "/base"));
        assert_eq!(upstream.key.as_bytes(), b"Bearer sk-secret");
        assert!(!format!("{upstream:?}").contains("secret"), "{upstream:?}");
    }

    #[test]
    fn what_cannot_be_right_is_refused() {
        let refused = |change: fn(&mut RawUpstream), words: &str| {
            let (_file, mut raw) = raw();
            change(&mut raw);
            let error = raw.check().unwrap_err();
            assert!(error.to_string().contains(words), "{error} does not say {words}");
            assert!(!error.to_string().contains("secret"), "{error}");
        };
        refused(|raw| raw.name = "a b".into(), "name");
        refused(|raw| raw.kind = "other".into(), "kind");
        refused(|raw| raw.url = "http://upstream.example".into(), "https");
        refused(|raw| raw.url = "https://me@upstream.example".into(), "user");
        refused(|raw| raw.url = "https://upstream.example/?a".into(), "query");
        refused(|raw| raw.url = "upstream".into(), "url");
        refused(|raw| raw.models.clear(), "models");
        refused(|raw| raw.key_file = None, "key_variable");
        refused(|raw| raw.key_variable = Some("A".into()), "key_variable");
        refused(|raw| raw.key_file = Some("nowhere/at/all".into()), "key_file");
        refused(|raw| raw.timeout_s = Some(0), "timeout_s");
        refused(|raw| raw.answer_bytes_max = Some(0), "answer_bytes_max");
    }

    #[test]
    fn names_and_models_are_of_one_upstream_each() {
        let (_file, raw) = raw();
        let other = RawUpstream { name: "other".into(), ..raw.clone() };
        assert!(check(vec![raw.clone(), other.clone()]).unwrap_err().reason.contains("both have the model"));
        let same = RawUpstream { models: vec!["large".into()], ..raw.clone() };
        assert!(check(vec![raw.clone(), same]).unwrap_err().reason.contains("two have the name"));
        assert_eq!(check(vec![raw, RawUpstream { models: vec!["large".into()], ..other }]).unwrap().len(), 2);
    }
}
