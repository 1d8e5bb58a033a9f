//! A malicious proposer: what CometBFT proposes for its application is not what the application chose.
//!
//! It sits between the two, on the socket, and passes everything on but for answers to `PrepareProposal`. So the application is the real one, and
//! judges proposals as those of the other validators do.
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use prost::Message;
use tendermint_proto::v0_38::abci::response::Value;
use tendermint_proto::v0_38::abci::{Response, ResponsePrepareProposal};

/// What is proposed, and how often it was.
#[derive(Default)]
struct Plan {
    forged: Mutex<Option<Vec<u8>>>,
    proposals: AtomicUsize,
}

pub struct Proposer(Arc<Plan>);

impl Proposer {
    /// Listens where CometBFT looks for its application, which listens at another port.
    pub fn start(port: u16, application: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        let plan = Arc::new(Plan::default());
        let shared = Arc::clone(&plan);
        thread::spawn(move || {
            for comet in listener.incoming() {
                let plan = Arc::clone(&shared);
                // Where one side is gone, the other is told by the end of its connection.
                thread::spawn(move || converse(&comet?, &TcpStream::connect(("127.0.0.1", application))?, &plan));
            }
        });
        Self(plan)
    }

    /// From now on each proposal is this transaction and nothing else; or what the application chose.
    pub fn propose(&self, forged: Option<Vec<u8>>) {
        *self.0.forged.lock().expect("nobody panicked") = forged;
    }

    /// How often something was proposed that the application did not choose.
    pub fn proposals(&self) -> usize {
        self.0.proposals.load(Ordering::Relaxed)
    }
}

fn converse(comet: &TcpStream, application: &TcpStream, plan: &Plan) -> io::Result<()> {
    let close = || [comet, application].map(|stream| stream.shutdown(Shutdown::Both));
    thread::scope(|scope| {
        scope.spawn(|| {
            let ended = io::copy(&mut &*comet, &mut &*application);
            let _ = close();
            ended
        });
        let ended = answers(application, comet, plan);
        let _ = close();
        ended
    })
}

/// Passes answers on.
fn answers(mut application: &TcpStream, mut comet: &TcpStream, plan: &Plan) -> io::Result<()> {
    loop {
        let mut bytes = vec![0; length(application)?];
        application.read_exact(&mut bytes)?;
        let mut answer = Response::decode(bytes.as_slice()).expect("the application answers");
        if let (Some(Value::PrepareProposal(proposal)), Some(forged)) =
            (&mut answer.value, &*plan.forged.lock().expect("nobody panicked"))
        {
            *proposal = ResponsePrepareProposal { txs: vec![forged.clone().into()] };
            plan.proposals.fetch_add(1, Ordering::Relaxed);
        }
        comet.write_all(&answer.encode_length_delimited_to_vec())?;
    }
}

/// The length of a frame, as an unsigned varint.
fn length(mut stream: &TcpStream) -> io::Result<usize> {
    let mut encoded = Vec::new();
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        encoded.extend(byte);
        if byte[0] < 0x80 {
            return Ok(prost::decode_length_delimiter(encoded.as_slice())?);
        }
    }
}
