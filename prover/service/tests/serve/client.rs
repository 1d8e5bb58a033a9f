//! Whoever calls the service over HTTP, and what it is told.
use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{HeaderMap, Request};

/// How long anything may take here.
pub const LONG: Duration = Duration::from_secs(150);
const JSON: (&str, &str) = ("content-type", "application/json");

/// A caller.
#[derive(Clone)]
pub struct Client {
    pub url: String,
    key: Option<String>,
    agent: Agent,
}

/// What it is told.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Client {
    pub fn new(url: &str, key: Option<&str>) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).timeout_global(Some(LONG));
        Self { url: url.into(), key: key.map(str::to_owned), agent: config.build().new_agent() }
    }

    /// Calls; nothing comes back if the connection breaks.
    pub fn attempt(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Answer> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = self.agent.run(request.body(body.to_vec()).unwrap()).ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.body_mut().with_config().limit(1 << 30).read_to_vec().ok()?;
        Some(Answer { status, headers, body })
    }

    pub fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let answer = self.attempt(method, path, headers, body);
        answer.unwrap_or_else(|| panic!("{method} {path}: no answer"))
    }

    pub fn read(&self, path: &str) -> Answer {
        self.call("GET", path, &[], b"")
    }

    pub fn get(&self, path: &str) -> Value {
        self.read(path).good().json()
    }

    pub fn send(&self, path: &str, body: &Value) -> Answer {
        self.send_with(path, &[], body)
    }

    pub fn send_with(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.call("POST", path, &[headers, &[JSON]].concat(), body.to_string().as_bytes())
    }

    /// Uploads a file, and gives its hash.
    pub fn upload(&self, bytes: &[u8]) -> String {
        let hash = assay_service::storage::id_of(bytes).to_string();
        assert_eq!(self.call("PUT", &format!("/v1/blobs/{hash}"), &[], bytes).status, 204);
        hash
    }

    /// Uploads and publishes a model, and waits until it serves.
    pub fn publish(&self, model: &Model) -> Value {
        let file = |name: &str| std::fs::read(format!("{}/../../fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let mut upload = json!({
            "name": model.name, "version": "1", "price": model.price,
            "onnx": self.upload(&file(&format!("{}.onnx", model.fixture))), "keys": model.keys,
        });
        if let Some(samples) = model.samples {
            upload["calibration"] = self.upload(&file(samples)).into();
        }
        let accepted = self.send("/v1/models", &upload);
        assert_eq!(accepted.status, 202, "{accepted:?}");
        let path = format!("/v1/models/{}", accepted.json()["reference"].as_str().unwrap());
        self.until(&path, |model| {
            assert!(model["failure"].is_null() || model["failure"]["retryable"] == true, "{model}");
            model["serves"] == true
        })
    }

    /// Looks until it is so.
    pub fn until(&self, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let begun = std::time::Instant::now();
        loop {
            let found = self.get(path);
            if holds(&found) {
                return found;
            }
            assert!(begun.elapsed() < LONG, "{path}: {found}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until nothing happens to a job any more.
    pub fn over(&self, id: &str) -> Value {
        self.until(&format!("/v1/jobs/{id}"), |job| job["states"]["over"] == true)
    }
}

impl Answer {
    /// It went well.
    pub fn good(self) -> Self {
        assert!((200..300).contains(&self.status), "{} {}", self.status, String::from_utf8_lossy(&self.body));
        self
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Status and code of a refusal, which must be a problem document.
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let (problem, status) = (self.json(), self.status);
        let code = problem["code"].as_str().unwrap().to_owned();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("urn:assay:problem:{code}"));
        assert!(!problem["title"].as_str().unwrap().is_empty() && !problem["detail"].as_str().unwrap().is_empty());
        assert_eq!(problem["retryable"] == true, problem["retry_after_s"].is_u64(), "{problem}");
        assert_eq!(problem["retryable"] == true, !self.header("retry-after").is_empty());
        assert!(!self.header("x-request-id").is_empty());
        (status, code)
    }
}

/// A model of the fixtures.
pub struct Model {
    pub name: &'static str,
    pub fixture: &'static str,
    pub samples: Option<&'static str>,
    pub price: u64,
    pub keys: Value,
}

impl Model {
    /// The digits, for the engine sumcheck.
    pub fn digits(price: u64) -> Self {
        let samples = Some("digits_mlp_calibration.npz");
        Self { name: "digits", fixture: "digits_mlp", samples, price, keys: json!([]) }
    }
}

/// Values of the numbered input of a model.
pub fn values(model: &Value, number: u64) -> Vec<f32> {
    let shape = model["inputs"][0]["shape"].as_array().unwrap();
    let count: u64 = shape.iter().map(|dim| dim.as_u64().unwrap()).product();
    (0..count).map(|cell| ((cell * (number + 3) + number) % 9) as f32 / 8.0).collect()
}

/// A request for the numbered input of a model.
pub fn request(model: &Value, number: u64) -> Value {
    let port = &model["inputs"][0];
    let input = json!({ "name": port["name"], "dtype": "f32", "shape": port["shape"], "data": values(model, number) });
    json!({ "model": model["reference"], "inputs": [input] })
}

/// Outputs as the proof speaks of them.
pub fn integers(job: &Value) -> Value {
    job["outputs"]
        .as_array()
        .unwrap_or_else(|| panic!("{job}"))
        .iter()
        .map(|tensor| tensor["integers"].clone())
        .collect()
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}
