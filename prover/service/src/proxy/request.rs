//! The body of a request, as far as it is read: which model, and what of it names the caller.
//!
//! What is forwarded is the body itself if nothing in it names the caller, else the same members without those; the others keep their
//! bytes. Members that are there twice are refused: two readers could see two requests.
use std::collections::BTreeSet;
use std::fmt;

use axum::body::Bytes;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use thiserror::Error;

/// Members that name the caller, or what is kept of the caller, in either dialect. `metadata` has `user_id` in one and anything in the other.
const IDENTITY: [&str; 4] = ["user", "safety_identifier", "prompt_cache_key", "metadata"];

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The model.
    pub model: String,
    /// What is forwarded.
    pub forwarded: Bytes,
}

/// Why a body is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadRequest {
    /// Not a JSON object, or one with a member twice.
    #[error("{0}")]
    Json(String),
    /// No model.
    #[error("model: name the model as a text")]
    Model,
}

/// Members in their order, each with its bytes.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let (mut members, mut names) = (Vec::new(), BTreeSet::new());
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    if !names.insert(name.clone()) {
                        return Err(A::Error::custom(format!("{name:?} is there twice")));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl Request {
    /// Reads a body.
    ///
    /// # Errors
    /// It is not a JSON object, has a member twice, or names no model.
    pub fn read(body: &Bytes) -> Result<Self, BadRequest> {
        let Members(mut members) =
            serde_json::from_slice(body).map_err(|error| BadRequest::Json(format!("the body: {error}")))?;
        let model = members.iter().find(|(name, _)| name == "model").ok_or(BadRequest::Model)?.1;
        let model = serde_json::from_str(model.get()).map_err(|_| BadRequest::Model)?;
        let count = members.len();
        members.retain(|(name, _)| !IDENTITY.contains(&name.as_str()));
        let forwarded = if members.len() == count { body.clone() } else { written(&members) };
        Ok(Self { model, forwarded })
    }
}

fn written(members: &[(String, &RawValue)]) -> Bytes {
    let member = |(name, value): &(String, &RawValue)| format!("{}:{value}", serde_json::Value::from(name.as_str()));
    let members: Vec<String> = members.iter().map(member).collect();
    format!("{{{}}}", members.join(",")).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(body: &str) -> Result<Request, BadRequest> {
        Request::read(&Bytes::copy_from_slice(body.as_bytes()))
    }

    #[test]
    fn nothing_changes_where_nothing_names_the_caller() {
        let body = "{ \"model\":\t\"a\", \"x\": [1e3, 1.0, \"\\u0041\"] } \n";
        let request = read(body).unwrap();
        assert_eq!((request.model.as_str(), &request.forwarded[..]), ("a", body.as_bytes()));
    }

    #[test]
    fn what_names_the_caller_is_left_out_and_the_rest_keeps_its_bytes() {
        let body = r#"{"x": [1e3,  1.0], "us\u0065r": "me", "metadata": {"user_id": "me"}, "model": "a\u0041",
            "prompt_cache_key": "me", "safety_identifier": "me", "y": {"user": "kept"}}"#;
        let request = read(body).unwrap();
        assert_eq!(request.model, "aA");
        let expected = r#"{"x":[1e3,  1.0],"model":"a\u0041","y":{"user": "kept"}}"#;
        assert_eq!(&request.forwarded[..], expected.as_bytes());
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for body in
            [r#"{"model":"a","model":"b"}"#, r#"{"model":"a","x":1,"\u0078":2}"#, r#"{"model":"a"} {}"#, "[]", ""]
        {
            assert!(matches!(read(body), Err(BadRequest::Json(_))), "{body}");
        }
        for body in ["{}", r#"{"model": 1}"#, r#"{"model": null}"#, r#"{"Model": "a"}"#] {
            assert_eq!(read(body), Err(BadRequest::Model), "{body}");
        }
        assert!(matches!(Request::read(&Bytes::from_static(b"{\"model\":\"\xff\"}")), Err(BadRequest::Json(_))));
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from), "[ -~]{0,8}".prop_map(Value::from)];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map("[a-z]{1,6}", inner, 0..3).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_forwarded_says_the_same(
            mut members in proptest::collection::btree_map("[ -~]{0,8}", value(), 0..6),
            named in proptest::sample::subsequence(&IDENTITY[..], 0..=4),
        ) {
            members.insert("model".into(), "a".into());
            let expected = json!(members.iter().filter(|(name, _)| !IDENTITY.contains(&name.as_str())).collect::<std::collections::BTreeMap<_, _>>());
            named.iter().for_each(|name| drop(members.insert((*name).into(), "me".into())));
            let request = read(&json!(members).to_string()).unwrap();
            prop_assert_eq!(serde_json::from_slice::<Value>(&request.forwarded).unwrap(), expected);
            // Once is enough.
            prop_assert_eq!(&Request::read(&request.forwarded).unwrap().forwarded, &request.forwarded);
        }

        #[test]
        fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Request::read(&Bytes::from(body));
        }
    }
}
