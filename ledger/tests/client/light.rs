//! Are blocks of a node read so that a light client can follow them, and is what cannot be a block refused?
use std::sync::Arc;
use std::time::Duration;

use assay_ledger::client::{Client, ClientError};
use assay_verifier::settlement::light::{Clock, LightError, Root, Trusted};
use serde_json::{Value, json};

use crate::answers::COMET_CHAIN;
use crate::node::Node;

fn client(node: &Node) -> Client {
    Client::with_timeout(&node.address, Duration::from_secs(10)).unwrap()
}

#[test]
fn blocks_of_a_node_are_followed() {
    let node = Node::honest();
    let client = client(&node);
    let block = |height| client.light_bytes(height).unwrap().decode().unwrap();
    let clock = Clock { now_ms: block(6).time_ms(), trusting_ms: 86_400_000, drift_ms: 10_000 };
    let root = Root::Header(block(2).hash().as_bytes().try_into().unwrap());
    let trusted = Trusted::begin(COMET_CHAIN, root, block(2)).unwrap();
    let trusted = trusted.advance(block(5), &clock).unwrap().advance(block(6), &clock).unwrap();
    assert_eq!(trusted.block().height(), 6);
    assert!(matches!(client.light_bytes(7), Err(ClientError::Node { .. })));
}

#[test]
fn what_is_no_block_is_refused() {
    type Lie = fn(&str, &mut Value);
    let lies: [Lie; 8] = [
        |method, result| {
            if method == "commit" {
                result["signed_header"]["header"]["height"] = json!("6");
            }
        },
        |method, result| {
            if method == "commit" {
                result["signed_header"]["commit"]["height"] = json!("6");
                result["signed_header"]["header"]["height"] = json!("6");
            }
        },
        |_, result| result["block_height"] = json!("9"),
        |_, result| result["validators"] = Value::Null,
        |_, result| result["total"] = json!("5"),
        |_, result| result["total"] = json!("2"),
        |_, result| {
            let power = (i64::MAX / 4).to_string();
            for validator in result["validators"].as_array_mut().into_iter().flatten() {
                validator["voting_power"] = json!(power);
            }
        },
        |method, result| {
            if method == "commit" {
                result["signed_header"]["header"] = json!({});
            }
        },
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let change = move |method: &str, mut answer: Value| {
            lie(method, &mut answer["result"]);
            answer
        };
        let node = Node::changed(Arc::new(change));
        let refused = client(&node).light_bytes(5);
        assert!(
            matches!(refused, Err(ClientError::NotABlock(5 | 6) | ClientError::Malformed { .. })),
            "{number}: {refused:?}"
        );
    }
    let node = Node::changed(Arc::new(|method, mut answer| {
        if method == "commit" {
            answer["result"]["signed_header"] = Value::Null;
        }
        answer
    }));
    assert!(matches!(client(&node).light_bytes(5), Err(ClientError::NoBlock(5))));
}

/// What reads like a block is for a light client to judge.
#[test]
fn a_node_that_lies_convinces_no_light_client() {
    let node = Node::honest();
    let trusted = client(&node).light_bytes(2).unwrap().decode().unwrap();
    let clock = Clock { now_ms: trusted.time_ms() + 60_000, trusting_ms: 86_400_000, drift_ms: 10_000 };
    let root = Root::Header(trusted.hash().as_bytes().try_into().unwrap());
    let trusted = Trusted::begin(COMET_CHAIN, root, trusted).unwrap();
    let node = Node::changed(Arc::new(|method, mut answer| {
        if method == "commit" {
            answer["result"]["signed_header"]["header"]["app_hash"] = json!("07".repeat(32));
        }
        answer
    }));
    let forged = client(&node).light_bytes(5).unwrap().decode().unwrap();
    assert_eq!(trusted.advance(forged, &clock), Err(LightError::Commit));
    let node = Node::changed(Arc::new(|_, mut answer| {
        for validator in answer["result"]["validators"].as_array_mut().into_iter().flatten() {
            validator["voting_power"] = json!("11");
        }
        answer
    }));
    let forged = client(&node).light_bytes(5).unwrap().decode().unwrap();
    assert_eq!(trusted.advance(forged, &clock), Err(LightError::Validators));
}
