//! Errors that say what to do next.
use std::fmt;

/// What went wrong, and what to do about it.
#[derive(Clone, Debug)]
pub struct Problem {
    /// What went wrong; names the file or field.
    pub what: String,
    /// What to do next.
    pub next: Option<String>,
}

/// An error with advice.
pub fn problem(what: impl fmt::Display, next: impl fmt::Display) -> anyhow::Error {
    Problem { what: what.to_string(), next: Some(next.to_string()) }.into()
}

impl Problem {
    /// Reads an error: as it was made, or without advice.
    pub fn of(error: &anyhow::Error) -> Self {
        error.downcast_ref().cloned().unwrap_or_else(|| Self { what: format!("{error:#}"), next: None })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Problem {}
