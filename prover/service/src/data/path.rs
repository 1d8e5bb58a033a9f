//! The part of JSONPath (RFC 9535) that takes values out of a document: names, indexes and wildcards.
//!
//! What is left out (descendants, slices, filters, several selectors at once) can take time and memory that grow with the length of the path
//! as a power; here they are bounded by the document.
use std::str::FromStr;

use serde_json::Value;
use thiserror::Error;

/// Longest path.
const LENGTH_MAX: usize = 512;
/// Largest index, by RFC 9535 that of exact numbers.
const INDEX_MAX: i64 = (1 << 53) - 1;

/// A path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath {
    text: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(i64),
    All,
}

/// Why a text is no path.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadPath {
    /// It is too long.
    #[error("more than {LENGTH_MAX} bytes")]
    Length,
    /// Something else than what is taken stands somewhere.
    #[error("at byte {0}: $ must be followed by .name, ['name'], [index], .* or [*]")]
    At(usize),
}

impl FromStr for JsonPath {
    type Err = BadPath;

    fn from_str(text: &str) -> Result<Self, BadPath> {
        if text.len() > LENGTH_MAX {
            return Err(BadPath::Length);
        }
        let mut steps = Vec::new();
        let mut rest = text.strip_prefix('$').ok_or(BadPath::At(0))?;
        while !rest.is_empty() {
            let at = BadPath::At(text.len() - rest.len());
            let (step, after) = step(rest).ok_or(at)?;
            steps.push(step);
            rest = after;
        }
        Ok(Self { text: text.into(), steps })
    }
}

/// The first step, and what comes after it.
fn step(text: &str) -> Option<(Step, &str)> {
    if let Some(rest) = text.strip_prefix('.') {
        if let Some(rest) = rest.strip_prefix('*') {
            return Some((Step::All, rest));
        }
        let first = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
        let end = rest.find(|c: char| !first(c) && !c.is_ascii_digit()).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        return name.starts_with(first).then(|| (Step::Name(name.into()), rest));
    }
    let rest = text.strip_prefix('[')?;
    let (step, rest) = match rest.chars().next()? {
        '*' => (Step::All, &rest[1..]),
        quote @ ('\'' | '"') => quoted(&rest[1..], quote)?,
        _ => {
            let end = rest.find(']')?;
            (Step::Index(index(&rest[..end])?), &rest[end..])
        }
    };
    Some((step, rest.strip_prefix(']')?))
}

/// An index has no zeros before it and no sign of zero.
fn index(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = plain && (text == "0" || !digits.starts_with('0'));
    let index = canonical.then(|| text.parse::<i64>().ok()).flatten()?;
    (-INDEX_MAX..=INDEX_MAX).contains(&index).then_some(index)
}

/// A name in quotes, of which the first is read already. Within, a backslash stands before the quote or before a backslash.
fn quoted(text: &str, quote: char) -> Option<(Step, &str)> {
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                let (_, escaped) = chars.next()?;
                if escaped != quote && escaped != '\\' {
                    return None;
                }
                name.push(escaped);
            }
            c if c == quote => return Some((Step::Name(name), &text[at + c.len_utf8()..])),
            c if c < ' ' => return None,
            c => name.push(c),
        }
    }
    None
}

impl JsonPath {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The values that it leads to, in the document's order. There may be none.
    pub fn values<'a>(&self, document: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![document];
        for step in &self.steps {
            found = found.into_iter().flat_map(|value| step.of(value)).collect();
        }
        found
    }
}

impl Step {
    fn of<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match (self, value) {
            (Self::Name(name), Value::Object(members)) => members.get(name).into_iter().collect(),
            (Self::Index(index), Value::Array(items)) => {
                let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
                let index = if *index < 0 { index + length } else { *index };
                usize::try_from(index).ok().and_then(|index| items.get(index)).into_iter().collect()
            }
            (Self::All, Value::Array(items)) => items.iter().collect(),
            (Self::All, Value::Object(members)) => members.values().collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn values(path: &str, document: &Value) -> Vec<Value> {
        path.parse::<JsonPath>().unwrap().values(document).into_iter().cloned().collect()
    }

    #[test]
    fn steps_lead_to_values() {
        let document = json!({ "a": [{ "b": 1 }, { "b": 2 }, { "c": 3 }], "d e": { "é": null }, "q'\"\\": 4, "": 5 });
        assert_eq!(values("$", &document), std::slice::from_ref(&document));
        assert_eq!(values("$.a[0].b", &document), [json!(1)]);
        assert_eq!(values("$['a'][-1][\"c\"]", &document), [json!(3)]);
        assert_eq!(values("$.a[*].b", &document), [json!(1), json!(2)]);
        assert_eq!(values("$.a.*.b", &document), [json!(1), json!(2)]);
        assert_eq!(values("$['d e'].é", &document), [json!(null)]);
        assert_eq!(values(r#"$['q\'"\\']"#, &document), [json!(4)]);
        assert_eq!(values("$['']", &document), [json!(5)]);
        for nothing in ["$.x", "$.a.b", "$.a[3]", "$.a[-4]", "$[0]", "$.a[0].b[0]", "$.a[0].b.*"] {
            assert_eq!(values(nothing, &document), [] as [Value; 0], "{nothing}");
        }
    }

    #[test]
    fn what_is_not_taken_is_refused_by_its_place() {
        for (text, at) in [
            ("", 0),
            ("a", 0),
            (" $", 0),
            ("$a", 1),
            ("$.", 1),
            ("$..a", 1),
            ("$.a..b", 3),
            ("$[01]", 1),
            ("$[-0]", 1),
            ("$[+1]", 1),
            ("$[]", 1),
            ("$[1", 1),
            ("$[1,2]", 1),
            ("$[0:1]", 1),
            ("$[?@.a]", 1),
            ("$['a]", 1),
            ("$['a'", 1),
            ("$['\\n']", 1),
            ("$.1a", 1),
            ("$.a ", 3),
            ("$[9007199254740992]", 1),
            ("$.a-b", 3),
            ("$[**]", 1),
        ] {
            assert_eq!(text.parse::<JsonPath>(), Err(BadPath::At(at)), "{text:?}");
        }
        assert_eq!("$".repeat(600).parse::<JsonPath>(), Err(BadPath::Length));
    }

    proptest! {
        #[test]
        fn any_text_is_a_path_or_none(text in "\\PC{0,40}", tail in "[\\$.\\[\\]*'\"a0-9\\\\-]{0,30}") {
            for text in [text, format!("${tail}")] {
                if let Ok(path) = text.parse::<JsonPath>() {
                    path.values(&json!({ "a": [1, { "a": [2] }] }));
                }
            }
        }

        #[test]
        fn a_name_in_quotes_is_that_member(name in "[ -~é]{0,12}") {
            let document = json!({ name.clone(): 1, "other than that": 2 });
            for quote in ['\'', '"'] {
                let escaped = name.replace('\\', "\\\\").replace(quote, &format!("\\{quote}"));
                let found = values(&format!("$[{quote}{escaped}{quote}]"), &document);
                prop_assert_eq!(found, [json!(1)]);
            }
        }

        #[test]
        fn paths_find_no_more_than_is_there(steps in proptest::collection::vec(prop_oneof![Just(".*"), Just("[*]"), Just(".a"), Just("[0]")], 0..60)) {
            let document = json!({ "a": [[1, 2], [{ "a": 3 }]], "b": 4 });
            let found = values(&format!("${}", steps.concat()), &document);
            prop_assert!(found.len() <= 10);
        }
    }
}
