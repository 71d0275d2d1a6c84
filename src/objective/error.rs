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
