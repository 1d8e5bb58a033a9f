//! Are requests forwarded as they should be, and is every answer refused that is not the one of its receipt? A service is asked over HTTP, with
//! an upstream of this test behind it that speaks both protocols and misbehaves when it is told to.
#[allow(dead_code)] // shared with the tests of the service
#[path = "../serve/client.rs"]
mod client;
mod clients;
mod command;
mod local;
mod middle;
mod passing;
mod refusals;
mod slow;
mod upstream;
#[allow(dead_code)]
#[path = "../serve/world.rs"]
mod world;

use assay_service::config::{RawConfig, RawUpstream};
use tempfile::TempDir;

use upstream::Upstream;
use world::World;

/// The keys that the node has for its upstreams.
const KEYS: [&str; 2] = ["sk-openai-of-the-node", "sk-ant-of-the-node"];
/// What everybody may take here for an answer, and to pause, in seconds.
const TIMEOUTS_S: (u64, u64) = (4, 2);
/// Bytes of an answer.
const ANSWER_BYTES: usize = 200_000;

/// A service that forwards to the upstream of the test.
struct Proxied {
    world: World,
    upstream: Upstream,
    keys: TempDir,
}

impl Proxied {
    fn start() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut RawConfig)) -> Self {
        let upstream = Upstream::start();
        let keys = tempfile::tempdir().unwrap();
        let url = upstream.url.clone();
        let one = |name: &str, key: &str, models: &[&str]| {
            let file = keys.path().join(name);
            std::fs::write(&file, format!("{key}\n")).unwrap();
            RawUpstream {
                name: name.into(),
                kind: name.into(),
                url: url.clone(),
                key_file: Some(file),
                models: models.iter().map(|model| (*model).into()).collect(),
                timeout_s: Some(TIMEOUTS_S.0),
                idle_timeout_s: Some(TIMEOUTS_S.1),
                answer_bytes_max: Some(ANSWER_BYTES),
                ..RawUpstream::default()
            }
        };
        let upstreams = vec![one("openai", KEYS[0], &["small"]), one("anthropic", KEYS[1], &["claude"])];
        let world = World::start(|raw| {
            raw.upstreams = upstreams;
            raw.workers = Some(0);
            change(raw);
        });
        Self { world, upstream, keys }
    }
}
