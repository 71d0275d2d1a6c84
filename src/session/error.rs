//! Errors of a session.

use std::io::ErrorKind;
use std::path::PathBuf;

/// The result of a session.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A session that cannot begin, or a unit that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The network cannot be built.
    #[error(transparent)]
    Network(#[from] crate::network::Error),
    /// The model's files cannot be used.
    #[error(transparent)]
    Model(#[from] crate::model::Error),
    /// The ascent failed.
    #[error(transparent)]
    Ascent(#[from] crate::ascent::Error),
    /// Results cannot be written, or are there already.
    #[error(transparent)]
    Output(#[from] crate::output::Error),
    /// The objective does not fit the network.
    #[error("{0}")]
    Objective(String),
    /// The template of file names cannot be filled in.
    #[error("the template of file names {template:?}: {message}")]
    Template {
        /// The template.
        template: String,
        /// What is wrong with it.
        message: String,
    },
    /// Two units would have the same files.
    #[error(
        "{first} and {second} would both be written to {}; add {field} to the template of file names",
        path.display()
    )]
    SameFiles {
        /// One unit.
        first: String,
        /// Another.
        second: String,
        /// What both come to.
        path: PathBuf,
        /// The fields that tell them apart.
        field: String,
    },
    /// Weights cannot be read.
    #[error(transparent)]
    Import(#[from] deepvis_importer::Error),
    /// A file that a recipe names is not what it was.
    #[error("{0} has changed since the work was planned; begin anew")]
    Changed(String),
    /// The shard does not exist.
    #[error("\"{0}\" is no part of a whole: from 1/16 to 16/16")]
    Shard(String),
}

impl Error {
    /// Whether there is no space for results any more.
    pub fn is_full_disk(&self) -> bool {
        let Self::Output(crate::output::Error::Write(error)) = self else {
            return false;
        };
        matches!(error.source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
    }
}

impl From<crate::objective::UnitError> for Error {
    fn from(error: crate::objective::UnitError) -> Self {
        Self::Ascent(error.into())
    }
}
