//! Events: what happened in a block, for those who watch it. They are a function of block and state like everything else.

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub kind: &'static str,
    /// Names and values; keys and digests in hexadecimal digits.
    pub attributes: Vec<(&'static str, String)>,
}

impl Event {
    /// An event without attributes.
    pub fn new(kind: &'static str) -> Self {
        Self { kind, attributes: Vec::new() }
    }

    /// Adds an attribute.
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.attributes.push((name, value.to_string()));
        self
    }
}
