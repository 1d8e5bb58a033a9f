//! Is a secret ever in the log, or in a file that others can read?
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use assay_service::access::{KeyFile, Scope};
use serde_json::json;

use crate::child::Home;
use crate::client::*;

#[test]
fn secrets_are_in_no_log_and_in_no_open_file() {
    let home = Home::new("access = \"keys\"\n");
    let mut file = KeyFile::default();
    let scopes = vec![Scope::Read, Scope::Infer, Scope::Publish];
    let key = file.add("user", scopes, 1_000_000).unwrap_or_else(|error| panic!("{error}")).0;
    assay_service::storage::private::folder(&home.data()).unwrap();
    file.write(&home.data().join("access.json")).unwrap();
    let mut server = home.serve("trace");
    home.ready();
    let client = Client::new(&home.client.url, Some(&key));
    let keys = json!([{ "engine": "halo2", "private_input": true }]);
    let model = client.publish(&Model { name: "private", fixture: "operators/gemm", samples: None, price: 0, keys });
    let secret = 0.123_456_789_012_345_67_f64;
    let mut body = request(&model, 1);
    body["inputs"][0]["dtype"] = "f64".into();
    body["inputs"][0]["data"][0] = secret.into();
    body["engine"] = "halo2".into();
    let name = [("idempotency-key", "aSecretName"), ("prefer", "wait=proof")];
    let job = client.send_with("/v1/inference", &name, &body).good().json();
    assert_eq!(job["states"]["proof"], "ready", "{job}");
    // Refused ones are not quoted either.
    body["inputs"][0]["shape"] = json!([1]);
    assert_eq!(client.send("/v1/inference", &body).problem().0, 422);
    Client::new(&home.client.url, Some("assay_wrong_key")).read("/v1/jobs").problem();
    // Nor shown to whoever lists.
    let listed = client.get("/v1/jobs").to_string();
    assert!(!listed.contains("0.1234567"), "{listed}");
    server.kill();

    let log = home.log();
    assert!(log.contains("/v1/inference"), "nothing is logged");
    let seed = std::fs::read_to_string(home.data().join("node.seed")).unwrap();
    for secret in ["0.1234567", key.as_str(), "assay_wrong_key", "aSecretName", seed.trim()] {
        assert!(!log.contains(secret), "{secret:.8} is in the log");
    }
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut folders = vec![home.data()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
                files += 1;
            }
        }
    }
    assert!(files > 8, "only {files} files");
}
