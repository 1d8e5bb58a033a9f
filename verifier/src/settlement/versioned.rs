//! Records with a history: each version says from which height it holds, until when, and why it ended.
use alloc::string::String;
use serde::{Deserialize, Serialize};

/// The number of a block; the genesis state has number 0.
pub type Height = u64;

/// Why a version of a record ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// Its owner ended it, in these words.
    Owner(String),
    /// Governance ended it, in these words.
    Governance(String),
}

/// A version of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versioned<T> {
    /// 0 for the first version.
    pub revision: u32,
    /// The first height at which it holds.
    pub valid_from: Height,
    /// The first height at which it no longer holds, if it is known. It may lie ahead.
    pub valid_to: Option<Height>,
    /// Why it ends.
    pub reason: Option<Reason>,
    /// The record.
    pub record: T,
}

impl<T> Versioned<T> {
    /// The first version of a record.
    pub fn first(valid_from: Height, record: T) -> Self {
        Self { revision: 0, valid_from, valid_to: None, reason: None, record }
    }

    /// The version after this one. Nothing if there are too many.
    pub fn next(&self, valid_from: Height, record: T) -> Option<Self> {
        Some(Self { revision: self.revision.checked_add(1)?, ..Self::first(valid_from, record) })
    }

    /// Whether it holds at a height.
    pub fn holds_at(&self, height: Height) -> bool {
        self.valid_from <= height && self.valid_to.is_none_or(|end| height < end)
    }
}
