//! What can go wrong while a unit is pushed.

/// The result of an optimization step.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An optimization failure.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The unit is outside the layer.
    #[error("{flag} {asked}: layer \"{layer}\" has {found} (from 0 to {last})")]
    OutOfRange {
        /// The flag that asked for it.
        flag: &'static str,
        /// What it asked for.
        asked: String,
        /// The layer.
        layer: String,
        /// What the layer has: "1000 channels", "13 rows".
        found: String,
        /// The last valid index.
        last: usize,
    },
    /// A layer with no unit axis: rank below 2.
    #[error("layer \"{layer}\" has shape {shape:?}: it holds no units to push")]
    NoUnits {
        /// The layer.
        layer: String,
        /// Its shape, with the batch axis.
        shape: Vec<usize>,
    },
    /// The network gave a value that is no number.
    #[error(
        "iteration {iteration}: {what} of {unit} is not a finite number; a smaller learning rate (--lr-params) or decay \
         keeps the image bounded, and `deepvis forward` shows whether the weights are sound"
    )]
    NotFinite {
        /// When.
        iteration: usize,
        /// "the objective", "the gradient".
        what: &'static str,
        /// The unit.
        unit: String,
    },
    /// The device failed.
    #[error("the device failed: {message}; --backend flex computes on the CPU")]
    Device {
        /// What it said.
        message: String,
        /// Whether its memory or another of its limits was not enough, so that a smaller batch may do.
        too_much: bool,
    },
    /// A setting that makes no sense.
    #[error("{0}")]
    Setting(String),
}
