//! A node: HTTP on a port of its own, and behind it a chain that makes a block of each transaction that it admits.
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use assay_ledger::app::TxResult;
use serde_json::Value;

use crate::answers::answer;
use crate::common::Chain;

/// What a node does to its answers.
pub type Change = Arc<dyn Fn(&str, Value) -> Value + Send + Sync>;

/// Blocks and the chain that made them.
pub struct Ledger {
    pub chain: Chain,
    /// Transactions of each block from the first on, with what became of them.
    pub blocks: Vec<Vec<(Vec<u8>, TxResult)>>,
}

pub struct Node {
    pub address: String,
    pub ledger: Arc<Mutex<Ledger>>,
}

impl Node {
    /// A node that answers as it should.
    pub fn honest() -> Self {
        Self::changed(Arc::new(|_, answer| answer))
    }

    /// A node that changes its answers by method.
    pub fn changed(change: Change) -> Self {
        Self::of(Chain::new(), change)
    }

    /// A node of a chain that has made no blocks yet.
    pub fn of(chain: Chain, change: Change) -> Self {
        let ledger = Arc::new(Mutex::new(Ledger { chain, blocks: Vec::new() }));
        // There is a state that queries can name, and it is as late there as it is here.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let mut first = ledger.lock().unwrap();
        first.chain.wait(now.try_into().unwrap());
        first.blocks.push(Vec::new());
        drop(first);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::clone(&ledger);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (ledger, change) = (Arc::clone(&shared), Arc::clone(&change));
                thread::spawn(move || converse(stream.unwrap(), &ledger, &change));
            }
        });
        Self { address, ledger }
    }

    /// Makes a block with nothing in it.
    pub fn empty_block(&self) {
        self.ledger.lock().unwrap().block(Vec::new());
    }
}

impl Ledger {
    /// Makes a block.
    pub fn block(&mut self, transactions: Vec<Vec<u8>>) {
        let results = self.chain.block(&transactions);
        self.blocks.push(transactions.into_iter().zip(results).collect());
    }
}

/// Answers the requests of a connection.
fn converse(mut stream: TcpStream, ledger: &Mutex<Ledger>, change: &Change) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or_default() == 0 {
                return;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let call: Value = serde_json::from_slice(&body).unwrap();
        let method = call["method"].as_str().unwrap();
        let answer = change(method, answer(&mut ledger.lock().unwrap(), method, &call["params"])).to_string();
        let status = if answer.contains("\"error\"") { "500 Internal Server Error" } else { "200 OK" };
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", answer.len());
        if stream.write_all(format!("{head}{answer}").as_bytes()).is_err() {
            return;
        }
    }
}
