//! Errors of reading a network, each message with its remedy.

use std::path::{Path, PathBuf};

/// The result of an import step.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An import failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not a network in protobuf text form.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Text {
        /// The prototxt.
        path: PathBuf,
        /// 1-based.
        line: usize,
        /// 1-based.
        column: usize,
        /// What was wrong there.
        message: String,
    },
    /// The bytes are not what the format says.
    #[error("{}: {message} (at byte {offset}); is it complete, and a {expected}?", path.display())]
    Binary {
        /// The file.
        path: PathBuf,
        /// Where reading stopped.
        offset: u64,
        /// What was wrong there.
        message: String,
        /// What the file should have been.
        expected: &'static str,
    },
    /// A file is of another kind than was asked for, told by its first bytes.
    #[error("{} is not {expected}, but {found}", path.display())]
    OtherFile {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
        /// What it is, and what to do about it.
        found: &'static str,
    },
    /// A net reads images that nothing feeds.
    #[error("{}: its layers read the blob \"{blob}\", which no layer writes{left_out}; the shape of the input is needed", path.display())]
    NoInput {
        /// The prototxt.
        path: PathBuf,
        /// The blob that they read.
        blob: String,
        /// Which data layers are left out, by which rules.
        left_out: String,
    },
    /// Stored blobs of a layer that it does not read.
    #[error("layer \"{layer}\" ({kind}): {message}; a term such as a bias may be missing in the prototxt")]
    Surplus {
        /// The layer.
        layer: String,
        /// Its type.
        kind: String,
        /// How many it reads, and how many there are.
        message: String,
    },
    /// Settings that are not known, where these are errors.
    #[error("{}: {message}", path.display())]
    Doubts {
        /// The prototxt.
        path: PathBuf,
        /// Which.
        message: String,
    },
    /// A layer's settings contradict Caffe's rules or each other.
    #[error("layer \"{layer}\" ({kind}): {message}")]
    Layer {
        /// The layer's name.
        layer: String,
        /// Its type, as the prototxt spells it.
        kind: String,
        /// What is wrong with it.
        message: String,
    },
    /// The net as a whole is not usable.
    #[error("{0}")]
    Net(String),
    /// An error with the file it was found in.
    #[error("{}: {source}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What was found there.
        source: Box<Error>,
    },
    /// Prototxt and caffemodel have no layer in common.
    #[error(
        "{} is of another network than {}: none of its {found} layers with weights ({examples}) is in the prototxt",
        weights.display(), deploy.display()
    )]
    OtherNet {
        /// The caffemodel.
        weights: PathBuf,
        /// The prototxt.
        deploy: PathBuf,
        /// Layers with weights in the caffemodel.
        found: usize,
        /// A few of their names.
        examples: String,
    },
    /// A burnpack is there already.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// A burnpack could not be read or written.
    #[error("{}: {message}", path.display())]
    Pack {
        /// The burnpack.
        path: PathBuf,
        /// What went wrong, with a remedy where there is one.
        message: String,
    },
}

impl Error {
    /// Names the file in which the error was found.
    #[must_use]
    pub fn in_file(self, path: &Path) -> Self {
        match self {
            Self::Layer { .. } | Self::Net(_) => Self::InFile {
                path: path.to_owned(),
                source: Box::new(self),
            },
            named => named,
        }
    }
}
