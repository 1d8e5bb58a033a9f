//! What is not fetched, and that nobody is even asked.
use assay_service::config::RawSource;

use crate::Node;
use crate::source::{Server, tls};

#[test]
fn what_is_off_the_list_is_refused() {
    let node = Node::start();
    let other = Server::plain();
    let port = node.server.url.rsplit(':').next().unwrap();
    for url in [
        format!("{}/other", node.server.url),
        format!("{}/", node.server.url),
        format!("{}/json/", node.server.url),
        format!("{}/json/a/b", node.server.url),
        format!("{}/JSON", node.server.url),
        format!("{}/json?b=1", node.server.url),
        format!("{}/json?a=1&b=1", node.server.url),
        format!("{}/json?a=1;b", node.server.url),
        format!("{}/json", other.url),
        format!("http://localhost:{port}/json"),
        format!("http://127.0.0.2:{port}/json"),
        format!("http://[::ffff:127.0.0.1]:{port}/json"),
        format!("https://127.0.0.1:{port}/json"),
        "http://169.254.169.254/latest/meta-data".into(),
        "https://example.com/json".into(),
    ] {
        assert_eq!(node.fetch_url(&url, None).problem(), (403, "source".into()), "{url}");
    }
    for url in [
        format!("{}/json/../other", node.server.url),
        format!("{}/json/%2e%2e", node.server.url),
        format!("{}/json/a%2fb", node.server.url),
        format!("http://me@127.0.0.1:{port}/json"),
        "file:///etc/passwd".into(),
        "json".into(),
        String::new(),
    ] {
        assert_eq!(node.fetch_url(&url, None).problem(), (400, "url".into()), "{url}");
    }
    let client = &node.world.client;
    assert_eq!(client.send("/v1/data/fetch", &serde_json::json!({ "url": 1 })).problem(), (400, "json".into()));
    assert_eq!((node.server.count(), other.count()), (0, 0));
}

#[test]
fn a_redirection_off_the_list_is_refused() {
    let node = Node::start();
    let other = Server::plain();
    let to = |address: &str| node.fetch(&format!("/to/x?where={address}"), None).problem();
    let refused = (502, "source_redirect".to_owned());
    assert_eq!(to(&format!("{}/json", other.url)), refused);
    for address in ["/other", "json", "//127.0.0.1/json", "ftp://x/", "http://169.254.169.254/latest", "/json/../other"]
    {
        assert_eq!(to(address), refused, "{address}");
    }
    assert_eq!(other.count(), 0);
    // A redirection to itself, for ever.
    let before = node.server.count();
    assert_eq!(node.fetch("/to/loop", None).problem(), refused);
    assert_eq!(node.server.count() - before, 4);
    let strict = Node::with(|source, _| source.redirects_max = Some(0));
    assert_eq!(strict.fetch("/to/json", None).problem(), refused);
}

/// A source that is on the list, whose name leads to this machine though nothing allows it: nobody connects to it, asked for or led there.
#[test]
fn a_private_address_is_refused_also_through_a_redirection() {
    let inner = Server::secure();
    let port = inner.url.rsplit(':').next().unwrap().to_owned();
    let listed = |name: &str, origin: String| RawSource {
        name: name.into(),
        origin,
        paths: vec!["/json".into()],
        roots: Some(tls("root.pem")),
        ..RawSource::default()
    };
    let origins = [
        format!("https://localhost:{port}"),
        format!("https://127.0.0.1:{port}"),
        format!("https://[::1]:{port}"),
        format!("https://[::ffff:127.0.0.1]:{port}"),
        format!("https://10.0.0.1:{port}"),
        format!("https://169.254.169.254:{port}"),
        format!("https://100.64.0.1:{port}"),
        format!("https://[fd00::1]:{port}"),
        format!("https://[fe80::1]:{port}"),
    ];
    let node = Node::with(|_, raw| {
        raw.sources
            .extend(origins.iter().enumerate().map(|(number, origin)| listed(&number.to_string(), origin.clone())));
    });
    for origin in &origins {
        let refused = (502, "source_private".to_owned());
        assert_eq!(node.fetch_url(&format!("{origin}/json"), None).problem(), refused, "{origin}");
        assert_eq!(node.fetch(&format!("/to/x?where={origin}/json"), None).problem(), refused, "{origin}");
    }
    assert_eq!(inner.count(), 0);
}

#[test]
fn certificates_are_checked() {
    let server = Server::secure();
    let source = |roots: bool, origin: &str| {
        let (roots, origin) = (roots.then(|| tls("root.pem")), origin.to_owned());
        Node::with(|source, _| (source.roots, source.origin) = (roots, origin))
    };
    let fetch = |node: &Node, origin: &str| node.fetch_url(&format!("{origin}/json"), Some("$.now.temperature"));
    let node = source(true, &server.url);
    assert_eq!(fetch(&node, &server.url).good().json()["extracted"]["values"][0], "1.5");
    assert_eq!(server.count(), 1);
    // Nobody of the web vouches for it; and it is for another name.
    let refused = (502, "source_certificate".to_owned());
    assert_eq!(fetch(&source(false, &server.url), &server.url).problem(), refused);
    let by_number = server.url.replace("localhost", "127.0.0.1");
    assert_eq!(fetch(&source(true, &by_number), &by_number).problem(), refused);
    assert_eq!(server.count(), 1);
}

#[test]
fn answers_have_bounds() {
    let node = Node::start();
    for (path, status, code) in [
        ("/large", 502, "source_answer"),
        ("/compressed", 502, "source_answer"),
        ("/cut", 502, "source_cut"),
        ("/silent", 504, "source_timeout"),
    ] {
        assert_eq!(node.fetch(path, None).problem(), (status, code.into()), "{path}");
    }
    let gone = Node::with(|source, _| source.origin = "http://127.0.0.1:1".into());
    assert_eq!(gone.fetch_url("http://127.0.0.1:1/json", None).problem(), (502, "source_unreachable".into()));
    for (path, extract, status) in
        [("/text", "$", 422), ("/json", "$.nothing", 422), ("/json", "$..now", 400), ("/json", "now", 400)]
    {
        assert_eq!(node.fetch(path, Some(extract)).problem(), (status, "extract".into()), "{path} {extract}");
    }
}
