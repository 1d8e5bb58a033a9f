//! Names and what they stand for, in a graph or in a body inside it.
use std::collections::BTreeMap;

use super::call::Value;

/// A value with its element type.
#[derive(Clone, Debug)]
pub struct Typed {
    /// The value.
    pub value: Value,
    /// ONNX's number of the element type.
    pub kind: i32,
}

/// The names that a node can read.
#[derive(Default)]
pub struct Scope<'a> {
    parent: Option<&'a Scope<'a>>,
    values: BTreeMap<String, Typed>,
}

impl<'a> Scope<'a> {
    /// The scope of a body: it sees the names around it.
    pub fn inside(parent: &'a Scope<'a>) -> Self {
        Self { parent: Some(parent), values: BTreeMap::new() }
    }

    /// What a name stands for.
    pub fn get(&self, name: &str) -> Option<&Typed> {
        self.values.get(name).or_else(|| self.parent.and_then(|parent| parent.get(name)))
    }

    /// Names a value.
    pub fn set(&mut self, name: &str, value: Typed) {
        self.values.insert(name.to_owned(), value);
    }
}
