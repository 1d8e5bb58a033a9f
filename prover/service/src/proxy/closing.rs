//! Whether an event stream ended as its protocol ends: with its closing event, dispatched, and nothing begun behind it.
//!
//! A connection that ends cleanly says nothing of that: an upstream that dies behind a balancer ends so too. The lines are looked at as they
//! pass; of each only its beginning is kept, so memory is bounded whatever comes.
use super::dialect::Dialect;

/// The longest line that means something here, and one byte more.
const LINE_MAX: usize = "event: message_stop".len() + 1;

/// What has been seen of a stream.
#[derive(Clone, Debug)]
pub struct Closing {
    dialect: Dialect,
    /// The beginning of the line that is coming.
    line: [u8; LINE_MAX],
    /// Its length so far, as far as it is of interest.
    length: usize,
    /// Whether the last byte was a carriage return, which a line feed may complete.
    returned: bool,
    /// What the event has that is coming.
    event: Event,
    /// Whether the last event that was dispatched is the closing one.
    closed: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Event {
    begun: bool,
    closing: bool,
    other_data: bool,
}

impl Closing {
    /// Nothing has been seen.
    pub fn new(dialect: Dialect) -> Self {
        let event = Event::default();
        Self { dialect, line: [0; LINE_MAX], length: 0, returned: false, event, closed: false }
    }

    /// Takes the next bytes.
    pub fn pass(&mut self, mut bytes: &[u8]) {
        while let Some((&first, rest)) = bytes.split_first() {
            if std::mem::take(&mut self.returned) && first == b'\n' {
                bytes = rest;
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let text = &bytes[..end.unwrap_or(bytes.len())];
            let kept = text.len().min(LINE_MAX - self.length);
            self.line[self.length..self.length + kept].copy_from_slice(&text[..kept]);
            self.length += kept;
            let Some(end) = end else { return };
            self.returned = bytes[end] == b'\r';
            self.end_line();
            bytes = &bytes[end + 1..];
        }
    }

    /// Whether the stream may end here.
    pub fn is_complete(&self) -> bool {
        self.closed && self.length == 0 && !self.event.begun
    }

    fn end_line(&mut self) {
        let line = &self.line[..std::mem::take(&mut self.length)];
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            if event.begun {
                self.closed = event.closing && !event.other_data;
            }
            return;
        }
        // A comment belongs to no event.
        if line[0] == b':' {
            return;
        }
        self.event.begun = true;
        let value = |name: &[u8]| line.strip_prefix(name).map(|value| value.strip_prefix(b" ").unwrap_or(value));
        match self.dialect {
            Dialect::OpenAi => match value(b"data:") {
                Some(b"[DONE]") => self.event.closing = true,
                Some(_) => self.event.other_data = true,
                None => {}
            },
            // The last name of an event counts.
            Dialect::Anthropic => {
                if let Some(name) = value(b"event:") {
                    self.event.closing = name == b"message_stop";
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn complete(dialect: Dialect, stream: &str) -> bool {
        let mut closing = Closing::new(dialect);
        closing.pass(stream.as_bytes());
        closing.is_complete()
    }

    #[test]
    fn a_stream_is_complete_with_its_closing_event_and_nothing_behind_it() {
        let openai = |stream| complete(Dialect::OpenAi, stream);
        assert!(openai("data: {}\n\ndata: [DONE]\n\n"));
        assert!(openai("data:[DONE]\r\n\r\n") && openai("data: [DONE]\r\r") && openai("data: [DONE]\n\n: ping\n\n"));
        assert!(openai("data: [DONE]\n: ping\n\n"));
        for cut in [
            "",
            "data: {}\n\n",
            "data: [DONE]",
            "data: [DONE]\n",
            "data: [DONE]\n\ndata: {}\n\n",
            "data: [DONE]\n\ndata: {",
            "data: [DONE]\ndata: {}\n\n",
            "data: [DONE]]\n\n",
            "data: [DONE] \n\n",
            ": data: [DONE]\n\n",
            "event: message_stop\ndata: {}\n\n",
        ] {
            assert!(!openai(cut), "{cut:?}");
        }
        let anthropic = |stream| complete(Dialect::Anthropic, stream);
        assert!(anthropic("event: ping\ndata: {}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"));
        for cut in [
            "event: message_stop\ndata: {}\n",
            "event: message_stop\ndata: {}",
            "event: message_stop\n\nevent: error\ndata: {}\n\n",
            "event: message_stop\nevent: error\ndata: {}\n\n",
            "event: message_stopped\ndata: {}\n\n",
            "data: [DONE]\n\n",
        ] {
            assert!(!anthropic(cut), "{cut:?}");
        }
    }

    /// The same, slowly: all lines of the whole stream.
    fn slow(dialect: Dialect, stream: &[u8]) -> bool {
        let text: String = stream.iter().map(|&byte| char::from(byte)).collect();
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let Some((events, rest)) = text.rsplit_once("\n").filter(|(_, rest)| rest.is_empty()) else { return false };
        let mut lines: Vec<&str> = events.split('\n').collect();
        lines.retain(|line| !line.starts_with(':'));
        if !rest.is_empty() || lines.last().is_none_or(|line| !line.is_empty()) {
            // The last line that is no comment must end an event.
            return false;
        }
        let last = lines.split(|line| line.is_empty()).rfind(|event| !event.is_empty());
        let Some(last) = last else { return false };
        let fields = |name: &str| -> Vec<String> {
            let value =
                |line: &&str| line.strip_prefix(name).map(|value| value.strip_prefix(' ').unwrap_or(value).to_owned());
            last.iter().filter_map(value).collect()
        };
        match dialect {
            Dialect::OpenAi => {
                let data = fields("data:");
                !data.is_empty() && data.iter().all(|data| data == "[DONE]")
            }
            Dialect::Anthropic => fields("event:").last().is_some_and(|name| name == "message_stop"),
        }
    }

    proptest! {
        #[test]
        fn cuts_between_pieces_change_nothing(
            parts in proptest::collection::vec(
                prop_oneof![
                    Just("data: [DONE]"), Just("data: x"), Just("event: message_stop"), Just("event: a"), Just("\n"), Just("\r\n"),
                    Just("\r"), Just("\n\n"), Just(": c"), Just("data:"), Just("[DONE]"), Just(" "),
                ],
                0..14,
            ),
            cuts in proptest::collection::vec(0usize..100, 0..6),
        ) {
            let stream = parts.concat().into_bytes();
            for dialect in [Dialect::OpenAi, Dialect::Anthropic] {
                let mut closing = Closing::new(dialect);
                let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (stream.len() + 1)).collect();
                cuts.sort_unstable();
                let mut from = 0;
                for cut in cuts.into_iter().chain([stream.len()]) {
                    closing.pass(&stream[from..cut]);
                    from = cut;
                }
                prop_assert_eq!(closing.is_complete(), slow(dialect, &stream), "{:?}", String::from_utf8_lossy(&stream));
            }
        }

        #[test]
        fn any_bytes_pass(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            Closing::new(Dialect::OpenAi).pass(&bytes);
        }
    }
}
