//! What can be wrong with transformations.

use thiserror::Error;

/// Transformations that leave nothing of an image.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// An image that is smaller than what is taken away.
    #[error("`{transform}` is too much for an image that is {}x{} there; choose less, or a larger image", size[0], size[1])]
    TooSmall {
        /// The transformation.
        transform: String,
        /// Rows and columns it is given.
        size: [usize; 2],
    },
}

/// A result of this module.
pub type Result<T> = std::result::Result<T, Error>;

/// A text that is no list of transformations.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("at character {} of \"{text}\": {expected}", place + 1)]
pub struct ParseError {
    /// The whole text.
    pub text: String,
    /// Where it goes wrong, in characters from its beginning.
    pub place: usize,
    /// What was expected there, and what was found.
    pub expected: String,
}
