//! What commands print: fields as a table for people, or as one JSON object for programs.
use serde_json::{Map, Value};

/// Fields in their order.
#[derive(Default)]
pub struct Card(Vec<(&'static str, Value)>);

impl Card {
    /// No fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field.
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// Adds a key, a digest or whatever else has a text.
    pub fn text(self, name: &'static str, value: impl ToString) -> Self {
        self.with(name, value.to_string())
    }

    /// Adds the fields of another card.
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The object.
    pub fn object(self) -> Value {
        Value::Object(self.0.into_iter().map(|(name, value)| (name.into(), value)).collect::<Map<_, _>>())
    }

    /// Prints the fields.
    pub fn print(self, json: bool) {
        if json {
            println!("{}", self.object());
            return;
        }
        let width = self.0.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        for (name, value) in &self.0 {
            let lines = lines(value);
            for (place, line) in lines.iter().enumerate() {
                let label = if place == 0 { name.replace('_', " ") } else { String::new() };
                println!("{}", format!("{label:width$}  {line}").trim_end());
            }
        }
    }
}

/// A value as lines of a table: members of a list one by one.
fn lines(value: &Value) -> Vec<String> {
    match value {
        Value::Array(members) if members.is_empty() => vec!["none".into()],
        Value::Array(members) => members.iter().map(line).collect(),
        value => vec![line(value)],
    }
}

fn line(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| format!("{} {}", name.replace('_', " "), line(value));
            fields.iter().map(field).collect::<Vec<_>>().join(", ")
        }
        Value::Array(members) => members.iter().map(line).collect::<Vec<_>>().join("; "),
        Value::Number(number) => number.to_string(),
    }
}
