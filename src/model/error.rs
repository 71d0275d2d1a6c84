//! Errors of finding and loading a model.

use std::path::PathBuf;

/// The result of finding or loading a model.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a model cannot be found or loaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is missing.
    #[error("there is no {} {}", what, path.display())]
    NoFile {
        /// What it should be: "mean", "prototxt".
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A settings file cannot be understood.
    #[error("{}: {message}`deepvis init-settings` writes one with every key explained", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// No network is named.
    #[error("no network is named: prototxt and weights, or a .bpk, are needed")]
    NoNetwork,
    /// A folder is named, and nothing in it is a network's.
    #[error("{} holds no network: none of its files is an .onnx, a .bpk, a .caffemodel or a .prototxt with layers{unfinished}", folder.display())]
    NoneInFolder {
        /// The folder.
        folder: PathBuf,
        /// Which of its files are downloads that did not end; empty where none are.
        unfinished: String,
    },
    /// Half of a network is named.
    #[error("{} needs its {missing} too{unfinished}", path.display())]
    Half {
        /// What is there.
        path: PathBuf,
        /// "prototxt", "weights".
        missing: &'static str,
        /// Which files beside it are downloads that did not end; empty where none are.
        unfinished: String,
    },
    /// Nothing beside a file belongs to it.
    #[error("{} needs its {missing} too, and of those beside it ({candidates}) none fits", path.display())]
    NoneFits {
        /// What is there.
        path: PathBuf,
        /// "prototxt", "weights".
        missing: &'static str,
        /// The files that do not fit.
        candidates: String,
    },
    /// More than one file may be meant.
    #[error("{}: more than one {what} fits: {candidates}", place.display())]
    Several {
        /// "prototxt", "network", "file of weights".
        what: &'static str,
        /// The file or folder that was named.
        place: PathBuf,
        /// The files.
        candidates: String,
    },
    /// The mean does not parse, or does not suit the network.
    #[error("the mean: {0}")]
    Mean(String),
    /// A picture, an array or a text file cannot be used.
    #[error("{}: {message}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A name that is no model's.
    #[error("{0}")]
    Unknown(String),
    /// Reading the network failed.
    #[error(transparent)]
    Import(#[from] deepvis_importer::Error),
}
