//! What CometBFT would not say. Nothing of it stops others, unless state and consensus have parted.
use assay_ledger::abci::ServeError;
use assay_ledger::genesis::RawGenesis;
use tendermint_proto::v0_38::abci::request::Value as Asked;
use tendermint_proto::v0_38::abci::response::Value as Said;
use tendermint_proto::v0_38::abci::{RequestCommit, RequestEcho, RequestFinalizeBlock};

use super::client::{finalize, fresh};
use super::common::genesis;

/// A request of a later version, or of none.
#[tokio::test]
async fn unknown_requests() {
    let (_folder, served) = fresh().await;
    let mut client = served.connect().await;
    for bytes in [vec![0], vec![4, 0xf2, 0x07, 1, 0]] {
        client.bytes(&bytes).await;
        assert!(matches!(client.next().await, Some(Said::Exception(_))));
    }
    let echo = Asked::Echo(RequestEcho { message: "still here".into() });
    assert!(matches!(client.ask(echo).await, Said::Echo(_)));
    served.stop().await.unwrap();
}

/// Where no frame can be read any more, the connection is closed, after saying so; others go on.
#[tokio::test]
async fn broken_frames() {
    let (_folder, served) = fresh().await;
    let mut other = served.connect().await;
    let frames: [&[u8]; 5] = [
        &[0xff, 0xff, 0xff, 0xff, 0xff, 1],
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0x80, 0],
        &[3, 0xff, 0xff, 0xff],
        &[2, 0x0a, 5],
    ];
    for frame in frames {
        let mut client = served.connect().await;
        client.bytes(frame).await;
        assert!(matches!(client.next().await, Some(Said::Exception(_))), "{frame:?}");
        assert_eq!(client.next().await, None, "{frame:?}");
    }
    // Half a frame, and gone.
    served.connect().await.bytes(&[200, 1, 2]).await;
    assert_eq!(other.info().await.last_block_height, 0);
    served.stop().await.unwrap();
}

/// CometBFT's genesis must have the very state that the database began with.
#[tokio::test]
async fn another_genesis() {
    let (_folder, served) = fresh().await;
    let mut client = served.connect().await;
    let change = |change: fn(&mut RawGenesis)| {
        let mut raw = genesis();
        change(&mut raw);
        raw
    };
    for other in [change(|raw| raw.stake_min += 1), change(|raw| raw.chain_id = "another".into())] {
        assert!(matches!(client.init_chain(&other).await, Said::Exception(_)));
    }
    assert!(matches!(client.init_chain(&change(|raw| raw.governance = "x".into())).await, Said::Exception(_)));
    assert!(matches!(client.init_chain(&genesis()).await, Said::InitChain(_)));
    client.finalize(1, &[]).await;
    client.commit().await;
    assert!(matches!(client.init_chain(&genesis()).await, Said::Exception(_)), "the chain has begun");
    served.stop().await.unwrap();
}

/// Blocks out of order, and commits of nothing: consensus is elsewhere than the state, so the node stops.
#[tokio::test]
async fn parted() {
    for asked in [finalize(2, &[]), Asked::Commit(RequestCommit {})] {
        let (_folder, served) = fresh().await;
        let mut client = served.connect().await;
        client.exception(asked).await;
        assert!(matches!(served.ended().await, Err(ServeError::App(_))));
    }
    let (_folder, served) = fresh().await;
    let without_time = RequestFinalizeBlock { height: 1, ..Default::default() };
    served.connect().await.exception(Asked::FinalizeBlock(without_time)).await;
    served.stop().await.unwrap();
}
