//! A server on a socket of its own, and a connection that CometBFT could have opened.
use std::path::Path;
use std::sync::Arc;

use assay_ledger::abci::{Address, Answers, Listener, ServeError, serve};
use assay_ledger::genesis::{Genesis, RawGenesis};
use assay_ledger::verdicts::Pool;
use assay_ledger::{App, Options};
use prost::Message;
use tempfile::TempDir;
use tendermint_proto::google::protobuf::Timestamp;
use tendermint_proto::v0_38::abci::request::Value as Asked;
use tendermint_proto::v0_38::abci::response::Value as Said;
use tendermint_proto::v0_38::abci::{self, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::common;

/// Seconds of the first block.
pub const START: i64 = 1_000;

/// A server, and what it serves.
pub struct Served {
    pub address: Address,
    stop: oneshot::Sender<()>,
    end: JoinHandle<Result<(), ServeError>>,
}

pub fn options(folder: &Path) -> Options {
    Options { threads: 2, ..Options::usual(&folder.join("state")) }
}

impl Served {
    /// Opens the database in a folder and serves it.
    pub async fn start(folder: &Path, address: &Address) -> Self {
        Self::start_with(folder, address, |answers| answers).await
    }

    /// With more than what every application has.
    pub async fn start_with(folder: &Path, address: &Address, more: impl FnOnce(Answers) -> Answers) -> Self {
        let genesis: Genesis = common::genesis().check().unwrap();
        let app = App::open(&genesis, &options(folder)).unwrap();
        let pool = Pool::new(1, 16, app.reader().verdicts(), app.reader().store()).unwrap();
        let listener = Listener::bind(address).await.unwrap();
        let address = listener.address().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let answers = Arc::new(more(Answers::new(app, pool, genesis)));
        let end = tokio::spawn(serve(listener, answers, async {
            let _ = stopped.await;
        }));
        Self { address, stop, end }
    }

    /// Asks it to stop, and waits.
    pub async fn stop(self) -> Result<(), ServeError> {
        drop(self.stop);
        self.end.await.unwrap()
    }

    /// Waits until it stops by itself.
    pub async fn ended(self) -> Result<(), ServeError> {
        self.end.await.unwrap()
    }

    pub async fn connect(&self) -> Client {
        let Address::Unix(path) = &self.address else { panic!("a Unix socket") };
        Client(UnixStream::connect(path).await.unwrap())
    }
}

/// A folder with a chain at height 0, served.
pub async fn fresh() -> (TempDir, Served) {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path(), &socket(folder.path())).await;
    (folder, served)
}

pub fn socket(folder: &Path) -> Address {
    Address::Unix(folder.join("abci.sock"))
}

/// A connection.
pub struct Client(UnixStream);

impl Client {
    pub async fn send(&mut self, asked: Asked) {
        let request = Request { value: Some(asked) };
        self.bytes(&request.encode_length_delimited_to_vec()).await;
    }

    pub async fn bytes(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// The next answer, or nothing if the connection is closed.
    pub async fn next(&mut self) -> Option<Said> {
        let mut length = 0usize;
        for shift in (0..).step_by(7) {
            let byte = self.0.read_u8().await.ok()?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).await.unwrap();
        Response::decode(bytes.as_slice()).unwrap().value
    }

    pub async fn ask(&mut self, asked: Asked) -> Said {
        self.send(asked).await;
        self.next().await.unwrap()
    }

    pub async fn exception(&mut self, asked: Asked) -> String {
        match self.ask(asked).await {
            Said::Exception(exception) => exception.error,
            other => panic!("{other:?}"),
        }
    }

    pub async fn info(&mut self) -> abci::ResponseInfo {
        let Said::Info(info) = self.ask(Asked::Info(abci::RequestInfo::default())).await else { panic!("info") };
        info
    }

    pub async fn init_chain(&mut self, genesis: &RawGenesis) -> Said {
        let app_state_bytes = genesis.to_json().unwrap().into_bytes().into();
        let chain_id = genesis.chain_id.clone();
        let asked = abci::RequestInitChain { app_state_bytes, chain_id, initial_height: 1, ..Default::default() };
        self.ask(Asked::InitChain(asked)).await
    }

    pub async fn check(&mut self, transaction: &[u8]) -> abci::ResponseCheckTx {
        self.check_as(abci::CheckTxType::New, transaction).await
    }

    /// What is asked after each block of what waits.
    pub async fn recheck(&mut self, transaction: &[u8]) -> u32 {
        self.check_as(abci::CheckTxType::Recheck, transaction).await.code
    }

    async fn check_as(&mut self, kind: abci::CheckTxType, transaction: &[u8]) -> abci::ResponseCheckTx {
        let asked = abci::RequestCheckTx { tx: transaction.to_vec().into(), r#type: kind.into() };
        let Said::CheckTx(answer) = self.ask(Asked::CheckTx(asked)).await else { panic!("check") };
        answer
    }

    pub async fn prepare(&mut self, height: i64, transactions: &[Vec<u8>], bytes_max: i64) -> Vec<Vec<u8>> {
        let asked = abci::RequestPrepareProposal {
            max_tx_bytes: bytes_max,
            txs: all(transactions),
            height,
            time: time(height),
            ..Default::default()
        };
        let Said::PrepareProposal(answer) = self.ask(Asked::PrepareProposal(asked)).await else { panic!("prepare") };
        answer.txs.into_iter().map(Into::into).collect()
    }

    pub async fn process(&mut self, height: i64, transactions: &[Vec<u8>]) -> i32 {
        let asked =
            abci::RequestProcessProposal { txs: all(transactions), height, time: time(height), ..Default::default() };
        let Said::ProcessProposal(answer) = self.ask(Asked::ProcessProposal(asked)).await else { panic!("process") };
        answer.status
    }

    pub async fn finalize(&mut self, height: i64, transactions: &[Vec<u8>]) -> abci::ResponseFinalizeBlock {
        let Said::FinalizeBlock(answer) = self.ask(finalize(height, transactions)).await else { panic!("finalize") };
        answer
    }

    pub async fn commit(&mut self) {
        let Said::Commit(_) = self.ask(Asked::Commit(abci::RequestCommit {})).await else { panic!("commit") };
    }
}

pub fn finalize(height: i64, transactions: &[Vec<u8>]) -> Asked {
    let (txs, time) = (all(transactions), time(height));
    Asked::FinalizeBlock(abci::RequestFinalizeBlock {
        txs,
        height,
        time,
        hash: vec![height as u8; 32].into(),
        ..Default::default()
    })
}

fn all(transactions: &[Vec<u8>]) -> Vec<prost::bytes::Bytes> {
    transactions.iter().cloned().map(Into::into).collect()
}

/// Blocks are a second apart.
pub fn time(height: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds: START + height, nanos: 0 })
}
