//! Random legal sequences of calls, crashes among them: whatever happens between, the same blocks give the same app hashes.
use proptest::prelude::*;
use tendermint_proto::v0_38::abci::response_process_proposal::ProposalStatus;

use super::client::{Served, socket};
use super::conversations::transfer;

/// What happens around one block, in CometBFT's grammar: proposals in any number of rounds, then the decision, then the commit. A crash may come
/// after each; the block is then decided again, as replay does.
#[derive(Clone, Debug)]
struct Height {
    rounds: Vec<Round>,
    transactions: u64,
    crashes: [bool; 3],
}

#[derive(Clone, Debug)]
enum Round {
    Prepare,
    Process,
    Check,
    Forged,
    Info,
}

fn heights() -> impl Strategy<Value = Vec<Height>> {
    let round = prop_oneof![
        Just(Round::Prepare),
        Just(Round::Process),
        Just(Round::Check),
        Just(Round::Forged),
        Just(Round::Info)
    ];
    let height = (prop::collection::vec(round, 0..4), 0..4u64, any::<[bool; 3]>());
    let height = height.prop_map(|(rounds, transactions, crashes)| Height { rounds, transactions, crashes });
    prop::collection::vec(height, 1..5)
}

async fn replay(heights: &[Height], disturbed: bool) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let start = || async { Served::start(folder.path(), &socket(folder.path())).await };
    let mut served = start().await;
    let mut client = served.connect().await;
    let (mut hashes, mut nonce) = (Vec::new(), 0);
    for (height, Height { rounds, transactions, crashes }) in (1..).zip(heights) {
        let block: Vec<Vec<u8>> = (nonce..nonce + transactions).map(transfer).collect();
        nonce += transactions;
        let accept = i32::from(ProposalStatus::Accept);
        for round in rounds.iter().filter(|_| disturbed) {
            match round {
                Round::Prepare => assert_eq!(client.prepare(height, &block, 1 << 20).await, block),
                Round::Process => assert_eq!(client.process(height, &block).await, accept),
                Round::Forged => {
                    let mut forged = [block.clone(), vec![transfer(nonce)]].concat();
                    let last = forged.last_mut().unwrap();
                    let end = last.len() - 1;
                    last[end] ^= 1;
                    assert_ne!(client.process(height, &forged).await, accept);
                }
                Round::Check => {
                    for transaction in &block {
                        assert_eq!(client.check(transaction).await.code, 0);
                    }
                }
                Round::Info => assert_eq!(client.info().await.last_block_height, height - 1),
            }
        }
        let [before, between, after] = crashes.map(|crash| crash && disturbed);
        for crash in [before, between] {
            if crash {
                // The connection breaks in the middle of things, and the process with it.
                drop(client);
                served.stop().await.unwrap();
                served = start().await;
                client = served.connect().await;
                assert_eq!(client.info().await.last_block_height, height - 1);
            }
            client.finalize(height, &block).await;
        }
        client.commit().await;
        if after {
            drop(client);
            served.stop().await.unwrap();
            served = start().await;
            client = served.connect().await;
        }
        let info = client.info().await;
        assert_eq!(info.last_block_height, height);
        hashes.push(info.last_block_app_hash.to_vec());
    }
    served.stop().await.unwrap();
    hashes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_same_blocks_give_the_same_state(heights in heights()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (disturbed, straight) =
            runtime.block_on(async { (replay(&heights, true).await, replay(&heights, false).await) });
        prop_assert_eq!(disturbed, straight);
    }
}
