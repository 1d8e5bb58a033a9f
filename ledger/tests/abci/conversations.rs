//! What CometBFT says in the usual course of things.
use assay_ledger::Rejection;
use assay_ledger::abci::{Address, QUERY_PATH};
use assay_ledger::tx::{Body, Payload, Transfer};
use assay_verifier::settlement::payment::Account;
use assay_verifier::settlement::{inclusion, keys};
use assay_verifier::wire;
use tendermint_proto::v0_38::abci::request::Value as Asked;
use tendermint_proto::v0_38::abci::response::Value as Said;
use tendermint_proto::v0_38::abci::response_process_proposal::ProposalStatus;
use tendermint_proto::v0_38::abci::{RequestEcho, RequestFlush, RequestQuery};
use tokio::net::TcpStream;

use super::client::{Served, fresh, socket};
use super::common::{CHAIN, FEE, NODE, PAYER, SUPPLY, genesis, key, secret};

/// A transfer of one unit.
pub fn transfer(nonce: u64) -> Vec<u8> {
    let payload = Payload::Transfer(Transfer { to: key(NODE), amount: 1 });
    Body { chain_id: CHAIN.into(), signer: key(PAYER), nonce, fee: FEE, payload }.sign(&secret(PAYER)).encode()
}

fn echo(number: usize) -> Asked {
    Asked::Echo(RequestEcho { message: number.to_string() })
}

/// Checks run side by side and take longer than echoes; answers come in order all the same.
#[tokio::test]
async fn answers_are_in_order() {
    let (_folder, served) = fresh().await;
    let mut client = served.connect().await;
    let transactions: Vec<Vec<u8>> = (0..200).map(transfer).collect();
    for (number, transaction) in transactions.iter().enumerate() {
        let tx = if number % 3 == 0 { vec![0; number] } else { transaction.clone() };
        client.send(Asked::CheckTx(tendermint_proto::v0_38::abci::RequestCheckTx { tx: tx.into(), r#type: 0 })).await;
        client.send(echo(number)).await;
    }
    client.send(Asked::Flush(RequestFlush {})).await;
    for number in 0..transactions.len() {
        let Some(Said::CheckTx(checked)) = client.next().await else { panic!("{number}") };
        let expected = if number % 3 == 0 { Rejection::UnknownVersion.code() } else { 0 };
        assert_eq!((number, checked.code), (number, expected));
        let Some(Said::Echo(said)) = client.next().await else { panic!("{number}") };
        assert_eq!(said.message, number.to_string());
    }
    assert!(matches!(client.next().await, Some(Said::Flush(_))));
    served.stop().await.unwrap();
}

#[tokio::test]
async fn a_chain_begins_and_goes_on() {
    let (folder, served) = fresh().await;
    let mut client = served.connect().await;
    let first = client.info().await;
    assert_eq!((first.last_block_height, first.app_version), (0, 1));
    let Said::InitChain(begun) = client.init_chain(&genesis()).await else { panic!("the chain does not begin") };
    assert_eq!(begun.app_hash, first.last_block_app_hash);

    let waiting = [transfer(0), transfer(1), vec![1, 2, 3], transfer(5)];
    assert_eq!(client.check(&waiting[0]).await.code, 0);
    let chosen = client.prepare(1, &waiting, 1 << 20).await;
    assert_eq!(chosen, waiting[..2]);
    assert_eq!(client.prepare(1, &waiting, waiting[0].len() as i64).await, waiting[..1]);
    assert_eq!(client.process(1, &chosen).await, i32::from(ProposalStatus::Accept));
    assert_eq!(client.process(1, &waiting).await, i32::from(ProposalStatus::Reject));
    assert_eq!(client.process(7, &chosen).await, i32::from(ProposalStatus::Reject));

    let finalized = client.finalize(1, &chosen).await;
    assert!(finalized.tx_results.iter().all(|result| result.code == 0 && result.gas_used > 0));
    // Nothing is there before the commit.
    assert_eq!(client.info().await.last_block_height, 0);
    client.commit().await;
    let after = client.info().await;
    assert_eq!((after.last_block_height, after.last_block_app_hash), (1, finalized.app_hash.clone()));
    served.stop().await.unwrap();

    // What was committed is there after a restart; what was only finalized is not.
    let served = Served::start(folder.path(), &socket(folder.path())).await;
    let mut client = served.connect().await;
    assert_eq!(client.info().await.last_block_app_hash, finalized.app_hash);
    let second = client.finalize(2, &[transfer(2)]).await;
    served.stop().await.unwrap();
    let served = Served::start(folder.path(), &socket(folder.path())).await;
    let mut client = served.connect().await;
    assert_eq!(client.info().await.last_block_height, 1);
    assert_eq!(client.finalize(2, &[transfer(2)]).await.app_hash, second.app_hash);
    client.commit().await;
    served.stop().await.unwrap();
}

/// Answers to queries prove themselves against the app hash, of what is there and of what is not.
#[tokio::test]
async fn queries_are_proven() {
    let (_folder, served) = fresh().await;
    let mut client = served.connect().await;
    client.finalize(1, &[transfer(0)]).await;
    client.commit().await;
    client.finalize(2, &[transfer(1)]).await;
    client.commit().await;
    let app_hash: [u8; 32] = client.info().await.last_block_app_hash.to_vec().try_into().unwrap();
    let ask = |key: Vec<u8>, path: &str, height: i64, prove: bool| {
        Asked::Query(RequestQuery { data: key.into(), path: path.into(), height, prove })
    };
    for (who, there) in [(key(PAYER), true), (key(9), false)] {
        let name = keys::account(who);
        let Said::Query(answer) = client.ask(ask(name.clone(), QUERY_PATH, 0, true)).await else { panic!() };
        assert_eq!((answer.code, answer.height, answer.index), (0, 2, i64::from(there)));
        let proof = &answer.proof_ops.unwrap().ops[0].data;
        let value = there.then_some(&answer.value[..]);
        assert_eq!(inclusion::verify(&app_hash, &name, value, proof), Ok(()));
        assert_ne!(inclusion::verify(&[0; 32], &name, value, proof), Ok(()));
        if there {
            let expected = Account { balance: SUPPLY / 4 - 2 * (FEE + 1), nonce: 2, ..Account::default() };
            assert_eq!(answer.value, wire::bytes(&expected));
        }
    }
    let name = keys::account(key(PAYER));
    let refusals = [
        (ask(name.clone(), "/else", 0, false), 1),
        (ask(name.clone(), QUERY_PATH, -1, false), 2),
        (ask(name, QUERY_PATH, 3, false), 3),
        (ask(Vec::new(), QUERY_PATH, 0, false), 4),
    ];
    for (asked, code) in refusals {
        let Said::Query(answer) = client.ask(asked).await else { panic!() };
        assert_eq!((answer.code, answer.codespace.as_str()), (code, "query"));
    }
    served.stop().await.unwrap();
}

#[tokio::test]
async fn tcp_too() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path(), &"tcp://127.0.0.1:0".parse().unwrap()).await;
    let Address::Tcp(host) = &served.address else { panic!("TCP") };
    TcpStream::connect(host).await.unwrap();
    served.stop().await.unwrap();
    for text in ["127.0.0.1:1", "tcp://localhost", "unix://", "http://x:1"] {
        assert!(text.parse::<Address>().is_err(), "{text}");
    }
}

/// A socket that is in use is not taken away; one that was left behind is.
#[tokio::test]
async fn sockets_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let address = socket(folder.path());
    let Address::Unix(path) = &address else { panic!("a Unix socket") };
    drop(std::os::unix::net::UnixListener::bind(path).unwrap());
    let served = Served::start(folder.path(), &address).await;
    assert!(assay_ledger::abci::Listener::bind(&address).await.is_err());
    served.stop().await.unwrap();
    assert!(!path.exists());
}
