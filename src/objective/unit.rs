//! Units that a layer does not have.

/// The result of looking for a unit in a layer.
pub type Result<T, E = UnitError> = std::result::Result<T, E>;

/// Why there is no such unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// The unit is outside the layer.
    #[error("{asked}: layer \"{layer}\" has {found} (from 0 to {last})")]
    OutOfRange {
        /// Along which axis.
        axis: Axis,
        /// What was asked for: "channel 1000", "position (13,0)".
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
}

/// The two ways in which a unit can miss its layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// No such channel.
    Channel,
    /// No such row or column.
    Position,
}
