//! Does the library believe only what is proven, and say what went wrong by codes?
use std::sync::Arc;
use std::time::Duration;

use assay_ledger::Rejection;
use assay_ledger::client::{Client, ClientError, Root, Signer};
use assay_ledger::tx::{Payload, Transfer, TxHash};
use assay_verifier::settlement::keys;
use assay_verifier::settlement::payment::Account;
use serde_json::{Value, json};

use crate::common::{FEE, NODE, PAYER, STRANGER, SUPPLY, key, secret};
use crate::node::Node;

const SHORT: Duration = Duration::from_millis(300);

fn client(node: &Node) -> Client {
    Client::with_timeout(&node.address, Duration::from_secs(10)).unwrap()
}

fn signer(client: &Client, who: u8) -> Signer {
    Signer::new(client, secret(who), &client.last().unwrap()).unwrap()
}

fn transfer(amount: u64) -> Payload {
    Payload::Transfer(Transfer { to: key(NODE), amount })
}

#[test]
fn transactions_reach_blocks_and_records_are_proven() {
    let node = Node::honest();
    let client = client(&node);
    let mut signer = signer(&client, PAYER);
    let hash = client.submit(&signer.sign(transfer(5), Some(FEE))).unwrap();
    let included = client.wait(hash, SHORT).unwrap();
    assert_eq!((included.height, included.index, &included.outcome.refused), (2, 0, &None));
    assert_eq!(included.outcome.events[0].get("amount"), Some("5"));
    // The next nonce is known without asking, and the least fee is enough.
    let hash = client.submit(&signer.sign(transfer(6), None)).unwrap();
    assert_eq!(client.wait(hash, SHORT).unwrap().height, 3);

    node.empty_block();
    let header = client.header(Some(4)).unwrap();
    for root in [client.last().unwrap(), header.root()] {
        let account: Account = client.record(&keys::account(key(NODE)), &root).unwrap().unwrap();
        assert_eq!((root.height > 2, account.balance), (true, SUPPLY / 4 + 11));
        assert_eq!(client.record::<Account>(&keys::account(key(STRANGER)), &root).unwrap(), None);
    }
    let block = client.block(Some(3)).unwrap();
    assert_eq!(block.transactions.iter().map(|bytes| TxHash::of(bytes)).collect::<Vec<_>>(), [hash]);
    assert_eq!(client.status().unwrap().height, 4);
}

#[test]
fn refusals_have_their_codes() {
    let node = Node::honest();
    let client = client(&node);
    let refused = |result: Result<(), ClientError>| match result {
        Err(ClientError::Refused(refused)) => refused.rejection().unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(client.submit(&[1, 2, 3]).map(drop)), Rejection::UnknownVersion);
    let mut poor = signer(&client, STRANGER);
    assert_eq!(refused(client.submit(&poor.sign(transfer(1), None)).map(drop)), Rejection::InsufficientBalance);
    // Admission does not look at payloads and proposers leave out what is refused, so nothing would be heard of this: a trial says why.
    let mut payer = signer(&client, PAYER);
    let too_much = payer.sign(transfer(SUPPLY), None);
    assert_eq!(refused(client.attempt(&too_much)), Rejection::InsufficientBalance);
    let hash = client.submit(&too_much).unwrap();
    let waited = client.wait(hash, SHORT);
    assert!(matches!(waited, Err(ClientError::NotIncluded { hash: missing, .. }) if missing == hash));
    let ahead = payer.sign(transfer(1), None);
    assert_eq!(refused(client.attempt(&ahead)), Rejection::NonceAhead);
    assert!(client.attempt(&signer(&client, PAYER).sign(transfer(1), None)).is_ok());
}

#[test]
fn a_node_that_lies_is_not_believed() {
    type Lie = fn(&mut Value);
    let lies: [(Lie, &str); 6] = [
        (|response| response["value"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "app hash"),
        (|response| response["index"] = json!("0"), "other kind"),
        (|response| response["proofOps"] = Value::Null, "malformed"),
        (|response| response["proofOps"]["ops"][0]["data"] = json!("AAAA"), "malformed"),
        (|response| response["height"] = json!("7"), "answered for height 7"),
        (|response| *response = json!({ "code": 3, "log": "not kept" }), "not kept"),
    ];
    for (lie, says) in lies {
        let change = move |method: &str, mut answer: Value| {
            if method == "abci_query" {
                lie(&mut answer["result"]["response"]);
            }
            answer
        };
        let node = Node::changed(Arc::new(change));
        let client = client(&node);
        let root = client.last().unwrap();
        let error = client.record::<Account>(&keys::account(key(PAYER)), &root).unwrap_err();
        assert!(error.to_string().contains(says), "{error} does not say {says:?}");
    }
    // An honest answer about another state than the trusted one.
    let node = Node::honest();
    let client = client(&node);
    let root = Root { app_hash: [7; 32], ..client.last().unwrap() };
    let error = client.record::<Account>(&keys::account(key(PAYER)), &root).unwrap_err();
    assert!(matches!(error, ClientError::NotProven(_)));
}

#[test]
fn events_are_followed_from_a_height_on() {
    let node = Node::honest();
    let client = client(&node);
    let mut signer = signer(&client, PAYER);
    let mut watch = client.watch(0);
    let first = watch.poll().unwrap().unwrap();
    assert_eq!((first.height, first.transactions.len()), (1, 0));
    assert_eq!(watch.poll().unwrap(), None);
    client.submit(&signer.sign(transfer(5), None)).unwrap();
    client.submit(&signer.sign(transfer(6), None)).unwrap();
    // A reader that comes back goes on where it was.
    let mut later = client.watch(watch.position());
    for (height, amount) in [(2, "5"), (3, "6")] {
        for watch in [&mut watch, &mut later] {
            let block = watch.poll().unwrap().unwrap();
            assert_eq!((block.height, block.transactions[0].events[0].get("amount")), (height, Some(amount)));
        }
    }
    assert_eq!(later.poll().unwrap(), None);
}

#[test]
fn faults_are_told_apart() {
    for address in ["127.0.0.1:26657", "tcp://127.0.0.1:26657", "https://node.example", "http://", "http://a/b"] {
        assert!(matches!(Client::new(address), Err(ClientError::Address(_))), "{address}");
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone = Client::new(&format!("http://{nobody}")).unwrap();
    assert!(matches!(gone.last(), Err(ClientError::Unreachable { .. })));

    let answers = [
        (json!({ "error": { "code": -32603, "message": "Internal error", "data": "mempool is full: 9" } }), "Full"),
        (json!({ "error": { "code": -32603, "message": "Internal error" } }), "Node"),
        (json!({ "result": { "code": "x" } }), "Malformed"),
        (json!({}), "Malformed"),
        (json!("cometbft"), "Malformed"),
    ];
    for (answer, kind) in answers {
        let node = Node::changed(Arc::new(move |_, _| answer.clone()));
        let error = client(&node).submit(&[0]).unwrap_err();
        assert!(format!("{error:?}").starts_with(kind), "{error:?} is not {kind}");
    }
    // A transaction that the node has already is on its way.
    let data = "tx already exists in cache";
    let node = Node::changed(Arc::new(move |_, _| json!({ "error": { "message": "Internal error", "data": data } })));
    assert_eq!(client(&node).submit(&[0]).unwrap(), TxHash::of(&[0]));
}
