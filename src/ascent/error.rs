//! Errors of an ascent.

use crate::objective;

/// The result of a step of an ascent.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an ascent failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The unit is not in its layer.
    #[error(transparent)]
    Objective(#[from] objective::UnitError),
    /// The network gave a value that is no number.
    #[error("iteration {iteration}: {what} of {unit} is not a finite number")]
    NotFinite {
        /// When.
        iteration: usize,
        /// "the objective", "the gradient".
        what: &'static str,
        /// The unit.
        unit: String,
    },
    /// The device failed.
    #[error("the device failed: {message}")]
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
