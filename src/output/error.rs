//! Errors of writing and reading results.

use std::path::PathBuf;

/// The result of writing.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure to write results.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Results are there already.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// Results of something else are there.
    #[error("{} is there already, of something else: {difference}", path.display())]
    Other {
        /// One of them.
        path: PathBuf,
        /// What is different.
        difference: String,
    },
    /// The file system refused.
    #[error(transparent)]
    Write(#[from] crate::atomic_file::Error),
    /// A file that is there cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A checkpoint cannot be gone on from.
    #[error("{}: {message}; take it away to start anew", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A gallery was asked for of a folder without results.
    #[error("there are no results in {}: nothing ends with _info.txt", .0.display())]
    NoResults(PathBuf),
    /// A picture could not be encoded.
    #[error("cannot encode {}: {message}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
}
