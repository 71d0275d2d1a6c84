//! What can go wrong between a graph and a running network.

/// The result of building or running a network.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A network failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A layer does not fit its bottoms or its weights.
    #[error("layer \"{layer}\" ({kind}): {message}")]
    Layer {
        /// The layer's name.
        layer: String,
        /// Its type.
        kind: String,
        /// What does not fit, with expected and found.
        message: String,
    },
    /// A name that is neither a blob nor a layer.
    #[error("the network has no layer \"{name}\"; {hint} (`deepvis inspect` lists them all)")]
    UnknownLayer {
        /// The name asked for.
        name: String,
        /// The nearest names.
        hint: String,
    },
    /// A layer whose type deepvis does not compute.
    #[error(
        "layer \"{layer}\" is of type {kind}, which deepvis does not compute, and \"{target}\" depends on it; \
         supported types: {supported}"
    )]
    Unsupported {
        /// The layer's name.
        layer: String,
        /// Its type.
        kind: String,
        /// The layer that was asked for.
        target: String,
        /// All types that are supported.
        supported: String,
    },
    /// The network's input cannot be what was asked for.
    #[error("{0}")]
    Input(String),
    /// Reading weights failed.
    #[error(transparent)]
    Import(#[from] deepvis_importer::Error),
}
