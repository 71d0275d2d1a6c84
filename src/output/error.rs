//! What can go wrong while results are written.

use std::path::PathBuf;

/// The result of writing.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure to write results.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Results are there already.
    #[error("{} exists already; --brave overwrites it, --output-prefix or --output-template give another name", .0.display())]
    Exists(PathBuf),
    /// The file system refused.
    #[error("cannot write {}: {source}; is there space, and may you write there?", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A picture could not be encoded.
    #[error("cannot encode {}: {message}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
}
