//! Many streams at once, and readers who do not read.
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::passing::{PATHS, saying};
use crate::upstream::events;
use crate::{Proxied, TIMEOUTS_S};

const STREAMS: usize = 500;

fn send(url: &str, what: &str) -> TcpStream {
    let body = saying(PATHS[0], what, true).to_string();
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let length = body.len();
    let head =
        format!("POST {} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n", PATHS[0]);
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    stream
}

#[test]
fn five_hundred_streams_are_open_at_once() {
    // Each test in one process; sockets of client, node and upstream are all its own.
    let proxied = Proxied::with(|raw| {
        raw.requests_max = Some(32);
        raw.upstreams
            .iter_mut()
            .for_each(|upstream| (upstream.timeout_s, upstream.idle_timeout_s) = (Some(60), Some(30)));
    });
    let url = &proxied.world.client.url;
    // Those that pause are all open while one more is answered.
    let waiting: Vec<TcpStream> = (0..STREAMS)
        .map(|_| {
            let mut stream = send(url, "pause");
            let mut first = [0; 12];
            stream.read_exact(&mut first).unwrap();
            assert_eq!(&first, b"HTTP/1.1 200");
            stream
        })
        .collect();
    let figures = String::from_utf8(proxied.world.client.read("/metrics").body).unwrap();
    assert!(figures.contains(&format!("assay_forwarding {STREAMS}")), "{figures}");
    let mut answer = String::new();
    send(url, "hello").read_to_string(&mut answer).unwrap();
    assert!(answer.contains(events(PATHS[0], false).last().unwrap()));
    drop(waiting);
    until(|| proxied.world.client.read("/metrics").body, "assay_forwarding 0");
}

#[test]
fn more_than_are_allowed_are_turned_away() {
    let proxied = Proxied::with(|raw| raw.forwarded_max = Some(1));
    let mut waiting = send(&proxied.world.client.url, "pause");
    waiting.read_exact(&mut [0; 12]).unwrap();
    let refused = proxied.world.client.send(PATHS[0], &saying(PATHS[0], "hello", true));
    assert_eq!((refused.status, refused.json()["error"]["code"].as_str()), (503, Some("overloaded")));
    drop(waiting);
    until(|| proxied.world.client.read("/metrics").body, "assay_forwarding 0");
    assert_eq!(proxied.world.client.send(PATHS[0], &saying(PATHS[0], "hello", true)).status, 200);
}

#[test]
fn a_reader_who_does_not_read_is_cut_off_and_takes_no_memory() {
    let proxied = Proxied::with(|raw| {
        raw.upstreams
            .iter_mut()
            .for_each(|upstream| (upstream.timeout_s, upstream.answer_bytes_max) = (Some(60), Some(1 << 30)));
    });
    let begun = Instant::now();
    let mut deaf = send(&proxied.world.client.url, "endless");
    deaf.read_exact(&mut [0; 12]).unwrap();
    until(|| proxied.world.client.read("/metrics").body, "assay_forwarding 0");
    // Cut off by the pause that is allowed, not by anything else.
    assert!(begun.elapsed() >= Duration::from_secs(TIMEOUTS_S.1));
    let figures = String::from_utf8(proxied.world.client.read("/metrics").body).unwrap();
    let line = figures.lines().find_map(|line| line.strip_prefix("assay_forwarded_answer_bytes_total ")).unwrap();
    // What the sockets hold, not what the upstream would have sent in that time.
    assert!(line.parse::<u64>().unwrap() < 16 << 20, "{line}");
    // The connection ends without the end of a body.
    let mut rest = Vec::new();
    let _ = deaf.read_to_end(&mut rest);
    assert!(!rest.ends_with(b"0\r\n\r\n"));
}

fn until(mut look: impl FnMut() -> Vec<u8>, words: &str) {
    let begun = Instant::now();
    loop {
        let text = String::from_utf8(look()).unwrap();
        if text.lines().any(|line| line == words) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{text}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
