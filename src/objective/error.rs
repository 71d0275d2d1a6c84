//! What can be wrong with an objective.

use thiserror::Error;

/// A text that is no objective.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("at character {} of \"{text}\": {expected}", place + 1)]
pub struct ParseError {
    /// The whole text.
    pub text: String,
    /// Where it goes wrong, in characters from its beginning.
    pub place: usize,
    /// What was expected there, what was found, and what looks like it.
    pub expected: String,
}

/// An objective that does not fit the network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{term}: {message}")]
pub struct Error {
    /// The term, as it is written.
    pub term: String,
    /// What does not fit.
    pub message: String,
}

/// What was read, or what is wrong with it.
pub(super) type Parsed<T> = Result<T, ParseError>;

impl ParseError {
    /// What was expected at a place, in bytes, of a text.
    pub(super) fn at(text: &str, place: usize, expected: impl Into<String>) -> Self {
        Self {
            text: text.to_owned(),
            place: text[..place].chars().count(),
            expected: expected.into(),
        }
    }
}
