//! An upstream of both kinds. What it does is the first word of what it is told.
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

type All = Arc<Mutex<Vec<Seen>>>;

/// The upstream.
pub struct Upstream {
    pub url: String,
    seen: All,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Upstream {
    pub fn start() -> Self {
        let seen = All::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&seen));
        let (url, running) = serve(router);
        Self { url, seen, running: Some(running) }
    }

    /// The last request.
    pub fn last(&self) -> Seen {
        self.seen.lock().unwrap().last().unwrap().clone()
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            let _ = stop.send(());
            thread.join().unwrap();
        }
    }
}

/// Serves on loopback until told to stop.
pub fn serve(router: Router) -> (String, (oneshot::Sender<()>, JoinHandle<()>)) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let serve = move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            tokio::select! {
                served = axum::serve(listener, router) => served.unwrap(),
                _ = stopped => {}
            }
        });
        runtime.shutdown_background();
    };
    (url, (stop, std::thread::spawn(serve)))
}

async fn answer(State(seen): State<All>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let path = uri.path().to_owned();
    seen.lock().unwrap().push(Seen { path: path.clone(), headers, body: body.clone() });
    let asked: Value = serde_json::from_slice(&body).unwrap();
    let said = asked["prompt"].as_str().or_else(|| asked["messages"][0]["content"].as_str()).unwrap_or_default();
    let (word, number) = said.split_once(' ').unwrap_or((said, ""));
    let stream = asked["stream"] == true;
    let anthropic = path.ends_with("/messages");
    match word {
        "status" => return refused(number.parse().unwrap(), anthropic),
        "silent" => std::future::pending().await,
        "redirect" => return (StatusCode::FOUND, [(header::LOCATION, "http://127.0.0.1:1/")]).into_response(),
        "compressed" => return ([(header::CONTENT_ENCODING, "gzip")], "\x1f").into_response(),
        "huge" if !stream => return json_of(&json!({ "text": "x".repeat(300_000) })),
        // As a connection that is closed where a length was not announced: half of an object.
        "cut" if !stream => return ([(header::CONTENT_TYPE, "application/json")], "{\"id\":").into_response(),
        "broken" if !stream => {
            let pieces: [Result<&str, std::io::Error>; 2] = [Ok("{"), Err(std::io::Error::other("broken"))];
            return ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(stream::iter(pieces)))
                .into_response();
        }
        _ => {}
    }
    let tools = asked["tools"].is_array();
    match (stream, path.as_str()) {
        (false, "/v1/chat/completions") => json_of(&chat(tools)),
        (false, "/v1/completions") => json_of(&completion()),
        (false, _) => json_of(&message(tools)),
        (true, path) => streamed(events(path, tools), word),
    }
}

fn json_of(value: &Value) -> Response {
    // With spaces that nobody would write again.
    ([(header::CONTENT_TYPE, "application/json")], serde_json::to_string_pretty(value).unwrap()).into_response()
}

fn refused(status: u16, anthropic: bool) -> Response {
    let error =
        json!({ "type": "rate_limit_error", "message": "said by the upstream", "code": "limit", "param": null });
    let body = if anthropic { json!({ "type": "error", "error": error }) } else { json!({ "error": error }) };
    let mut response = json_of(&body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response.headers_mut().insert("retry-after", "7".parse().unwrap());
    response.headers_mut().insert("set-cookie", "who=you".parse().unwrap());
    response.headers_mut().insert("x-organization", "of the node".parse().unwrap());
    response
}

fn chat(tools: bool) -> Value {
    let message = if tools {
        let function = json!({ "name": "weather", "arguments": "{\"city\":\"Bern\"}" });
        json!({ "role": "assistant", "content": null, "tool_calls": [{ "id": "call_1", "type": "function", "function": function }] })
    } else {
        json!({ "role": "assistant", "content": "Hello there" })
    };
    let finish = if tools { "tool_calls" } else { "stop" };
    json!({ "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "small",
        "choices": [{ "index": 0, "message": message, "finish_reason": finish, "logprobs": null }],
        "usage": { "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3 } })
}

fn completion() -> Value {
    json!({ "id": "cmpl-1", "object": "text_completion", "created": 1, "model": "small",
        "choices": [{ "index": 0, "text": "Hello there", "finish_reason": "stop", "logprobs": null }],
        "usage": { "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3 } })
}

fn message(tools: bool) -> Value {
    let block = if tools {
        json!({ "type": "tool_use", "id": "toolu_1", "name": "weather", "input": { "city": "Bern" } })
    } else {
        json!({ "type": "text", "text": "Hello there" })
    };
    json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [block],
        "stop_reason": if tools { "tool_use" } else { "end_turn" }, "stop_sequence": null,
        "usage": { "input_tokens": 1, "output_tokens": 2 } })
}

/// The events of a stream, the closing one last.
pub fn events(path: &str, tools: bool) -> Vec<String> {
    let data = |value: Value| format!("data: {value}\n\n");
    let chunk = |delta: Value, finish: Value| {
        data(json!({ "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "small",
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish, "logprobs": null }] }))
    };
    match path {
        "/v1/chat/completions" if tools => {
            let call = |function: Value| json!({ "tool_calls": [{ "index": 0, "id": "call_1", "type": "function", "function": function }] });
            vec![
                chunk(call(json!({ "name": "weather", "arguments": "{\"city\":" })), Value::Null),
                chunk(json!({ "tool_calls": [{ "index": 0, "function": { "arguments": "\"Bern\"}" } }] }), Value::Null),
                chunk(json!({}), "tool_calls".into()),
                "data: [DONE]\n\n".into(),
            ]
        }
        "/v1/chat/completions" => vec![
            chunk(json!({ "role": "assistant", "content": "" }), Value::Null),
            ": keep-alive\n\n".into(),
            chunk(json!({ "content": "Hello" }), Value::Null),
            chunk(json!({ "content": " there" }), Value::Null),
            chunk(json!({}), "stop".into()),
            "data: [DONE]\n\n".into(),
        ],
        "/v1/completions" => {
            let chunk = |text: &str, finish: Value| {
                data(json!({ "id": "cmpl-1", "object": "text_completion", "created": 1, "model": "small",
                    "choices": [{ "index": 0, "text": text, "finish_reason": finish, "logprobs": null }] }))
            };
            vec![chunk("Hello", Value::Null), chunk(" there", "stop".into()), "data: [DONE]\n\n".into()]
        }
        _ => message_events(tools),
    }
}

fn message_events(tools: bool) -> Vec<String> {
    let event = |name: &str, mut value: Value| {
        value["type"] = name.into();
        format!("event: {name}\ndata: {value}\n\n")
    };
    let mut begun = message(tools);
    (begun["content"], begun["stop_reason"]) = (json!([]), Value::Null);
    let (block, deltas) = if tools {
        let delta = |text: &str| json!({ "type": "input_json_delta", "partial_json": text });
        let block = json!({ "type": "tool_use", "id": "toolu_1", "name": "weather", "input": {} });
        (block, [delta("{\"city\":"), delta("\"Bern\"}")])
    } else {
        let delta = |text: &str| json!({ "type": "text_delta", "text": text });
        (json!({ "type": "text", "text": "" }), [delta("Hello"), delta(" there")])
    };
    let [first, second] = deltas.map(|delta| event("content_block_delta", json!({ "index": 0, "delta": delta })));
    let stop = if tools { "tool_use" } else { "end_turn" };
    vec![
        event("message_start", json!({ "message": begun })),
        event("content_block_start", json!({ "index": 0, "content_block": block })),
        event("ping", json!({})),
        first,
        second,
        event("content_block_stop", json!({ "index": 0 })),
        event(
            "message_delta",
            json!({ "delta": { "stop_reason": stop, "stop_sequence": null }, "usage": { "output_tokens": 2 } }),
        ),
        event("message_stop", json!({})),
    ]
}

/// A stream, as the word says: `cut` breaks the connection, `end` ends it cleanly and early, `pause` waits, `endless` and `huge` go on.
fn streamed(events: Vec<String>, word: &str) -> Response {
    let count = if matches!(word, "cut" | "end" | "pause") { events.len() / 2 } else { events.len() };
    let pieces: Vec<Bytes> = events.into_iter().take(count).map(Bytes::from).collect();
    let word = word.to_owned();
    let next = |(mut pieces, word): (std::vec::IntoIter<Bytes>, String)| async move {
        if let Some(piece) = pieces.next() {
            return Some((Ok(piece), (pieces, word)));
        }
        match word.as_str() {
            "cut" => {
                // What was said before is on its way then.
                tokio::task::yield_now().await;
                Some((Err(std::io::Error::other("cut")), (pieces, "end".into())))
            }
            "pause" => std::future::pending().await,
            "endless" | "huge" => {
                tokio::time::sleep(Duration::from_millis(1)).await;
                Some((Ok(Bytes::from(format!("data: {}\n\n", "x".repeat(10_000)))), (pieces, word)))
            }
            _ => None,
        }
    };
    let body = Body::from_stream(stream::unfold((pieces.into_iter(), word), next));
    ([(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")], body).into_response()
}
