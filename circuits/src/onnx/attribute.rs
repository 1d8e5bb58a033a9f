//! Attributes of a node, read by name and type.
use super::ops::Fault;
use super::proto::{AttributeProto, NodeProto};

/// A node's attributes.
#[derive(Clone, Copy)]
pub struct Attributes<'a>(pub &'a NodeProto);

impl<'a> Attributes<'a> {
    /// The attribute, if it is given.
    pub fn find(&self, name: &str) -> Option<&'a AttributeProto> {
        self.0.attribute.iter().find(|attribute| attribute.name == name)
    }

    /// An integer or its default.
    pub fn int(&self, name: &'static str, default: i64) -> Result<i64, Fault> {
        self.find(name).map_or(Ok(default), |attribute| attribute.i.ok_or(Fault::AttributeType(name)))
    }

    /// A switch or its default.
    pub fn flag(&self, name: &'static str, default: bool) -> Result<bool, Fault> {
        Ok(self.int(name, default.into())? != 0)
    }

    /// A finite number or its default.
    pub fn float(&self, name: &'static str, default: f64) -> Result<f64, Fault> {
        let Some(attribute) = self.find(name) else { return Ok(default) };
        let value = attribute.f.ok_or(Fault::AttributeType(name))?;
        if value.is_finite() { Ok(value.into()) } else { Err(Fault::AttributeValue(name)) }
    }

    /// A word or its default.
    pub fn word(&self, name: &'static str, default: &'static str) -> Result<&'a str, Fault> {
        let Some(attribute) = self.find(name) else { return Ok(default) };
        let bytes = attribute.s.as_deref().ok_or(Fault::AttributeType(name))?;
        core::str::from_utf8(bytes).map_err(|_| Fault::AttributeType(name))
    }

    /// A list of integers, if it is given.
    pub fn ints(&self, name: &str) -> Option<&'a [i64]> {
        self.find(name).map(|attribute| attribute.ints.as_slice())
    }
}
