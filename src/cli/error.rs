//! Mistakes in what the user asked for, each message naming the flag and the remedy.

use std::path::PathBuf;

/// The result of understanding the command line.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A mistake in flags, settings or the files they name.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A literal that does not parse or is of the wrong kind.
    #[error("{flag} {given:?}: {message}; it takes {expected}")]
    Literal {
        /// The flag.
        flag: &'static str,
        /// What was given.
        given: String,
        /// What is wrong with it.
        message: String,
        /// What it should look like.
        expected: &'static str,
    },
    /// A file that a flag names cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The model cannot be found or loaded.
    #[error(transparent)]
    Model(#[from] crate::model::Error),
    /// A file of the network is missing.
    #[error("{flag}: there is no {}", path.display())]
    NoFile {
        /// The flag.
        flag: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A picture or array cannot be used as input.
    #[error("{}: {message}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// No GPU, or not the one asked for.
    #[error("{0}")]
    Device(String),
    /// Flags that contradict each other or what is there.
    #[error("{0}")]
    Usage(String),
}
