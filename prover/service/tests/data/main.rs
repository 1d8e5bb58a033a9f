//! Is only fetched what may be, from where it may be, and does the record say what came? Sources are servers of this test.
#[allow(dead_code)] // shared with the tests of the service
#[path = "../serve/client.rs"]
mod client;
mod fetching;
mod inputs;
mod refusals;
mod source;
#[allow(dead_code)]
#[path = "../serve/world.rs"]
mod world;

use assay_service::config::{RawConfig, RawSource};
use serde_json::{Value, json};

use client::Answer;
use source::Server;
use world::World;

/// A service with a source without TLS on this machine, which is said to be private.
struct Node {
    world: World,
    server: Server,
}

impl Node {
    fn start() -> Self {
        Self::with(|_, _| {})
    }

    /// Changes the one source, and what else there is.
    fn with(change: impl FnOnce(&mut RawSource, &mut RawConfig)) -> Self {
        let server = Server::plain();
        let mut source = RawSource {
            name: "plain".into(),
            origin: server.url.clone(),
            paths: ["/json", "/json/*", "/to/*", "/text", "/large", "/silent", "/cut", "/compressed", "/status/*"]
                .map(Into::into)
                .into(),
            parameters: ["a", "where"].map(Into::into).into(),
            headers: [("x-key".to_owned(), "of the node".to_owned())].into(),
            keep_headers: vec!["etag".into(), "x-missing".into()],
            body_bytes_max: Some(10_000),
            timeout_s: Some(1),
            private: true,
            ..RawSource::default()
        };
        let world = World::start(|raw| {
            change(&mut source, raw);
            raw.sources.insert(0, source);
        });
        Self { world, server }
    }

    fn fetch(&self, path: &str, extract: Option<&str>) -> Answer {
        self.fetch_url(&format!("{}{path}", self.server.url), extract)
    }

    fn fetch_url(&self, url: &str, extract: Option<&str>) -> Answer {
        self.world.client.send("/v1/data/fetch", &asked(url, extract))
    }
}

fn asked(url: &str, extract: Option<&str>) -> Value {
    let mut body = json!({ "url": url });
    if let Some(extract) = extract {
        body["extract"] = extract.into();
    }
    body
}
