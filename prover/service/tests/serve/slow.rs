//! Do callers who take their time cost the others nothing?
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::client::*;
use crate::world::World;

/// Connections on which nothing is ever said.
const IDLE: usize = 1_000;
/// Requests that never end; more than may be in work at once.
const ENDLESS: usize = 300;
/// What the service allows, and as much again for a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

fn connection(url: &str, said: &str) -> TcpStream {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(2 * PATIENCE)).unwrap();
    stream.write_all(said.as_bytes()).unwrap();
    stream
}

/// What the service says before it closes the connection.
fn closed(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "it is not closed: {error}"),
    }
    String::from_utf8(answer).unwrap()
}

#[test]
fn slow_callers_are_let_go_and_keep_nobody_out() {
    let world = World::free();
    let client = &world.client;
    let model = client.publish(&Model::digits(0));
    let begun = Instant::now();
    let many = |count: usize, said: &str| (0..count).map(|_| connection(&client.url, said)).collect::<Vec<_>>();
    let idle = many(IDLE, "");
    let heads = many(20, "POST /v1/inference HTTP/1.1\r\nhost: x\r\ncontent-le");
    let bodies = many(ENDLESS, "POST /v1/inference HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{");
    let large =
        many(20, &format!("PUT /v1/blobs/{} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nx", "0".repeat(64)));
    // All of them are there, and others are served as ever.
    for number in 0..20 {
        let asked = Instant::now();
        let job = client.send("/v1/inference", &request(&model, number)).good().json();
        client.read(&format!("/v1/jobs/{}", text(&job["id"]))).good();
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    }
    for stream in idle.into_iter().chain(heads) {
        assert!(!closed(stream).starts_with("HTTP/1.1 200"));
    }
    for stream in bodies.into_iter().chain(large) {
        let answer = closed(stream);
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("\"too_slow\""), "{answer}");
    }
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    client.send("/v1/inference", &request(&model, 1)).good();
}
