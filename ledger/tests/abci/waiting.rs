//! What waits is asked for again after each block: does it go when no block will have it, and is it counted?
use std::sync::Arc;

use assay_ledger::Rejection;
use assay_ledger::abci::BLOCKS_MAX;
use assay_ledger::metrics::{self, Metrics};
use assay_ledger::tx::{Body, Payload, Transfer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::client::{Served, socket};
use super::common::{CHAIN, FEE, NODE, PAYER, SUPPLY, genesis, key, secret};
use super::conversations::transfer;

/// A transfer of more than there is.
fn too_much(nonce: u64) -> Vec<u8> {
    let payload = Payload::Transfer(Transfer { to: key(NODE), amount: SUPPLY });
    Body { chain_id: CHAIN.into(), signer: key(PAYER), nonce, fee: FEE, payload }.sign(&secret(PAYER)).encode()
}

#[tokio::test]
async fn what_blocks_leave_out_goes() {
    let folder = tempfile::tempdir().unwrap();
    let mut metrics = Arc::new(Metrics::default());
    let address = socket(folder.path());
    let served = Served::start_with(folder.path(), &address, |answers| {
        metrics = Arc::clone(answers.metrics());
        answers
    });
    let served = served.await;
    let mut client = served.connect().await;
    client.init_chain(&genesis()).await;
    let (good, refused, ahead) = (transfer(0), too_much(1), transfer(5));
    for transaction in [&good, &refused, &ahead] {
        assert_eq!(client.check(transaction).await.code, 0);
    }
    assert_eq!(client.check(&[1, 2, 3]).await.code, Rejection::UnknownVersion.code());
    let chosen = client.prepare(1, &[good.clone(), refused.clone(), ahead.clone()], 1 << 20).await;
    assert_eq!(chosen, std::slice::from_ref(&good));
    client.process(1, &chosen).await;
    client.process(1, &[vec![1, 2, 3]]).await;
    client.finalize(1, &chosen).await;
    client.commit().await;

    assert_eq!(client.recheck(&good).await, Rejection::NonceUsed.code());
    assert_eq!(client.recheck(&[1, 2, 3]).await, Rejection::Malformed.code());
    for _ in 1..BLOCKS_MAX {
        assert_eq!([client.recheck(&refused).await, client.recheck(&ahead).await], [0, 0]);
    }
    assert_eq!(client.recheck(&refused).await, Rejection::InsufficientBalance.code());
    assert_eq!(client.recheck(&ahead).await, Rejection::NonceAhead.code());

    let page = page(Arc::clone(&metrics), "/metrics").await;
    for line in [
        "HTTP/1.1 200 OK".to_owned(),
        "assay_ledger_height 1".into(),
        "assay_ledger_checks_total{outcome=\"good\"} 3".into(),
        "assay_ledger_checks_total{outcome=\"refused\"} 1".into(),
        format!("assay_ledger_rechecks_total{{outcome=\"good\"}} {}", 2 * (BLOCKS_MAX - 1)),
        "assay_ledger_rechecks_total{outcome=\"refused\"} 4".into(),
        "assay_ledger_proposals_total{outcome=\"good\"} 1".into(),
        "assay_ledger_proposals_total{outcome=\"refused\"} 1".into(),
        "assay_ledger_transactions_total{outcome=\"good\"} 1".into(),
        "assay_ledger_check_seconds_count 4".into(),
        "assay_ledger_finalize_seconds_count 1".into(),
    ] {
        assert!(page.lines().any(|found| found == line), "{line:?} is not in\n{page}");
    }
    served.stop().await.unwrap();
}

/// What a reader of the page gets.
async fn page(metrics: Arc<Metrics>, path: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(metrics::serve(listener, metrics));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: node\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    serving.abort();
    answer
}

#[tokio::test]
async fn there_is_one_page() {
    let metrics = Arc::new(Metrics::default());
    for path in ["/", "/metrics/", "/metrics HTTP/1.1\r\nX: "] {
        let answer = page(Arc::clone(&metrics), path).await;
        assert_eq!(answer.starts_with("HTTP/1.1 404"), !path.starts_with("/metrics HTTP"), "{path}: {answer}");
    }
    // A head that does not end is not waited for, nor kept.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(metrics::serve(listener, metrics));
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The connection may be closed before all of it is written.
    let _ = stream.write_all(&vec![b'x'; 1 << 20]).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert_eq!(answer, b"");
    serving.abort();
}
