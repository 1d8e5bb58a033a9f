//! Whether an event stream lacks its closing event: the node said how it ended, and the bytes say so too.

/// How lines of event streams begin. JSON begins otherwise.
const FIELDS: [&[u8]; 5] = [b"data:", b"event:", b"id:", b"retry:", b":"];

/// Whether a body is an event stream whose last event closes it in neither of the two dialects that are forwarded: OpenAI's ends with the data
/// `[DONE]`, Anthropic's with the event `message_stop`.
pub(super) fn is_open(body: &[u8]) -> bool {
    FIELDS.iter().any(|field| body.starts_with(field)) && !is_closed(body)
}

/// Whether the last event was dispatched, by an empty line, and is a closing one.
fn is_closed(mut rest: &[u8]) -> bool {
    let (mut begun, mut closing, mut closed) = (false, false, false);
    while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        let (line, after) = rest.split_at_checked(end).unwrap_or_default();
        rest = after.strip_prefix(b"\r\n").or(after.get(1..)).unwrap_or_default();
        if line.is_empty() {
            closed = if begun { closing } else { closed };
            (begun, closing) = (false, false);
        } else if !line.starts_with(b":") {
            begun = true;
            closing |= is(line, b"data:", b"[DONE]") || is(line, b"event:", b"message_stop");
        }
    }
    // What no line end ends is not dispatched.
    closed && !begun && rest.is_empty()
}

fn is(line: &[u8], field: &[u8], value: &[u8]) -> bool {
    let found = line.strip_prefix(field).map(|found| found.strip_prefix(b" ").unwrap_or(found));
    found == Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_end_with_their_closing_event() {
        for whole in [
            "data: {}\n\ndata: [DONE]\n\n",
            "data:[DONE]\r\n\r\n",
            "event: ping\ndata: {}\n\nevent: message_stop\ndata: {}\n\n",
            "event: message_stop\r\ndata: {}\r\n\r\n",
            "data: [DONE]\n\n: ping\n\n",
            "data: [DONE]\r\r",
            "{\"choices\": []}",
            "",
        ] {
            assert!(!is_open(whole.as_bytes()), "{whole:?}");
        }
        for cut in [
            "data: {}\n\n",
            "data: [DONE]",
            "data: [DONE]\r\n",
            "data: [DONE]\n\ndata: {",
            "data: [DONE]\n\ndata: {}\n\n",
            ": ping\n\n",
            "event: a\n\n",
        ] {
            assert!(is_open(cut.as_bytes()), "{cut:?}");
        }
    }
}
