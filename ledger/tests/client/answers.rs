//! Answers in the form of CometBFT v0.38.
use std::path::Path;

use assay_ledger::abci::TRIAL_PATH;
use assay_ledger::app::{Proof, Query, TxResult};
use assay_ledger::tx::TxHash;
use assay_ledger::{Event, Rejection};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::common::CHAIN;
use crate::node::Ledger;

/// The chain whose blocks light clients get.
pub const COMET_CHAIN: &str = "assay-local";

/// A whole answer.
pub fn answer(ledger: &mut Ledger, method: &str, params: &Value) -> Value {
    match result(ledger, method, params) {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": 1, "result": result }),
        Err(data) => json!({
            "jsonrpc": "2.0",
            "id": 1,
            "error": { "code": -32603, "message": "Internal error", "data": data },
        }),
    }
}

fn result(ledger: &mut Ledger, method: &str, params: &Value) -> Result<Value, String> {
    let last = ledger.chain.app.last();
    let number = |name: &str| params[name].as_str().map(|text| text.parse::<u64>().unwrap());
    match method {
        "status" => Ok(json!({
            "node_info": { "network": CHAIN, "moniker": "node0", "version": "0.38.25" },
            "sync_info": { "latest_block_height": last.height.to_string(), "catching_up": false },
        })),
        "abci_info" => Ok(json!({
            "response": {
                "data": "assay-ledger",
                "last_block_height": last.height.to_string(),
                "last_block_app_hash": BASE64.encode(last.app_hash),
            },
        })),
        "header" => Ok(json!({ "header": header(ledger, number("height").unwrap_or(last.height)) })),
        "block" => {
            let height = number("height").unwrap_or(last.height);
            let transactions = &ledger.blocks[usize::try_from(height).unwrap() - 1];
            let bytes: Vec<String> = transactions.iter().map(|(bytes, _)| BASE64.encode(bytes)).collect();
            let block = json!({ "header": header(ledger, height), "data": { "txs": bytes } });
            Ok(json!({ "block_id": { "hash": "AB".repeat(32) }, "block": block }))
        }
        "block_results" => {
            let height = number("height").unwrap();
            let block = ledger.blocks.get(usize::try_from(height).unwrap() - 1).ok_or("could not find results")?;
            let results: Vec<Value> = block.iter().map(|(_, result)| outcome(result)).collect();
            // An empty list is left out.
            let results = if results.is_empty() { Value::Null } else { results.into() };
            Ok(json!({ "height": height.to_string(), "txs_results": results }))
        }
        "broadcast_tx_sync" => Ok(broadcast(ledger, &BASE64.decode(params["tx"].as_str().unwrap()).unwrap())),
        "tx" => {
            let hash = TxHash(BASE64.decode(params["hash"].as_str().unwrap()).unwrap().try_into().unwrap());
            let find = |(height, block): (usize, &Vec<(Vec<u8>, TxResult)>)| {
                let index = block.iter().position(|(bytes, _)| TxHash::of(bytes) == hash)?;
                let (height, result) = ((height + 1).to_string(), outcome(&block[index].1));
                Some(json!({ "hash": hash.to_string(), "height": height, "index": index, "tx_result": result }))
            };
            ledger.blocks.iter().enumerate().find_map(find).ok_or_else(|| format!("tx ({hash}) not found"))
        }
        "commit" => {
            let signed_header = golden(&format!("signed_header_{}.json", number("height").unwrap()))?;
            Ok(json!({ "signed_header": signed_header, "canonical": true }))
        }
        "validators" => Ok(validators(&golden("validators.json")?, params)),
        "abci_query" => Ok(json!({ "response": query(ledger, params, number("height").unwrap_or(0)) })),
        other => Err(format!("no method {other}")),
    }
}

/// What CometBFT answered once, on a chain of its own.
fn golden(name: &str) -> Result<Value, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/comet").join(name);
    let text = std::fs::read_to_string(path).map_err(|_| "height must be less than or equal to the current one")?;
    Ok(serde_json::from_str(&text).unwrap())
}

/// A page of validators. CometBFT gives at most a hundred of them, this node gives three.
fn validators(all: &Value, params: &Value) -> Value {
    let number = |name: &str| params[name].as_str().unwrap().parse::<usize>().unwrap();
    let (all, size) = (all.as_array().unwrap(), number("per_page").min(3));
    let page: Vec<&Value> = all.iter().skip((number("page") - 1) * size).take(size).collect();
    json!({
        "block_height": params["height"],
        "count": page.len().to_string(),
        "total": all.len().to_string(),
        "validators": page,
    })
}

fn header(ledger: &Ledger, height: u64) -> Value {
    let state = ledger.chain.app.reader().store().snapshot().unwrap();
    let before = hex::encode_upper(state.app_hash(height - 1).unwrap());
    json!({
        "chain_id": CHAIN,
        "height": height.to_string(),
        "time": "2026-01-01T00:00:00Z",
        "app_hash": before,
        "proposer_address": "00".repeat(20),
    })
}

/// CheckTx; what is admitted is in a block at once if a proposer would take it.
fn broadcast(ledger: &mut Ledger, transaction: &[u8]) -> Value {
    let app = &ledger.chain.app;
    let rejection = app.reader().check(transaction).unwrap().rejection;
    if rejection.is_none() {
        let chosen = app.prepare(&[transaction.to_vec()], u64::MAX, ledger.chain.next()).unwrap();
        ledger.block(chosen);
    }
    let mut answer = refusal(rejection);
    answer["hash"] = TxHash::of(transaction).to_string().into();
    answer
}

fn refusal(rejection: Option<Rejection>) -> Value {
    json!({
        "code": rejection.map_or(0, Rejection::code),
        "codespace": rejection.map_or("", Rejection::codespace),
        "log": rejection.map_or("", Rejection::text),
    })
}

fn outcome(result: &TxResult) -> Value {
    let event = |event: &Event| {
        let attributes = event.attributes.iter();
        let attributes: Vec<Value> =
            attributes.map(|(key, value)| json!({ "key": key, "value": value, "index": true })).collect();
        json!({ "type": event.kind, "attributes": attributes })
    };
    let mut answer = refusal(result.rejection);
    answer["data"] = if result.data.is_empty() { Value::Null } else { BASE64.encode(&result.data).into() };
    answer["gas_used"] = result.work.to_string().into();
    answer["events"] = result.events.iter().map(event).collect();
    answer
}

fn query(ledger: &Ledger, params: &Value, height: u64) -> Value {
    let data = hex::decode(params["data"].as_str().unwrap()).unwrap();
    let reader = ledger.chain.app.reader();
    if params["path"] == TRIAL_PATH {
        return refusal(reader.attempt(&data).unwrap());
    }
    let query = Query { key: data, height: (height != 0).then_some(height), proof: Proof::Wanted };
    let answer = match reader.query(&query) {
        Ok(answer) => answer,
        Err(error) => return json!({ "code": 3, "codespace": "query", "log": error.to_string() }),
    };
    json!({
        "code": 0,
        "index": usize::from(answer.value.is_some()).to_string(),
        "value": answer.value.map(|value| BASE64.encode(value)),
        "proofOps": { "ops": [{ "type": "ics23:jmt", "data": BASE64.encode(answer.proof.unwrap()) }] },
        "height": answer.height.to_string(),
    })
}
