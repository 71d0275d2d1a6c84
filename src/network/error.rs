//! Errors of building and running a network.

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
    /// A layer that is not computed, for a reason of its own.
    #[error("layer \"{layer}\" ({kind}) is not computed, and \"{target}\" depends on it: {reason}")]
    NotComputed {
        /// The layer that is not computed.
        layer: String,
        /// Its type.
        kind: String,
        /// What was asked for.
        target: String,
        /// Why it is not.
        reason: String,
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
    /// Something needs more memory than may be used.
    #[error("{what} does not fit the memory that may be used")]
    TooLarge {
        /// What.
        what: String,
    },
    /// The network's input cannot be what was asked for.
    #[error("{0}")]
    Input(String),
    /// Reading weights failed.
    #[error(transparent)]
    Import(#[from] deepvis_importer::Error),
}

impl Error {
    /// The same error about a layer, and more about it.
    #[must_use]
    pub(super) fn and(self, more: &str) -> Self {
        match self {
            Self::Layer { layer, kind, message } => Self::Layer {
                layer,
                kind,
                message: format!("{message}; {more}"),
            },
            other @ (Self::UnknownLayer { .. }
            | Self::NotComputed { .. }
            | Self::Unsupported { .. }
            | Self::TooLarge { .. }
            | Self::Input(_)
            | Self::Import(_)) => other,
        }
    }

    /// Something of a layer needs more memory than may be used.
    pub(super) fn too_large(layer: &deepvis_importer::Layer, what: &str) -> Self {
        let (name, kind) = (&layer.name, &layer.type_name);
        Self::TooLarge {
            what: format!("layer \"{name}\" ({kind}): its {what}"),
        }
    }

    /// An error about a layer.
    pub(super) fn of(layer: &deepvis_importer::Layer, message: impl Into<String>) -> Self {
        Self::Layer {
            layer: layer.name.clone(),
            kind: layer.type_name.clone(),
            message: message.into(),
        }
    }
}
