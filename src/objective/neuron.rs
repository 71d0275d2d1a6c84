//! One unit of one layer, the objective of the original script.

use serde::{Deserialize, Serialize};

use super::unit::{Axis, Result, UnitError};

/// A unit of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Unit {
    /// Name of the layer.
    pub layer: String,
    /// Channel of a conv layer, index of a fully connected one.
    pub channel: usize,
    /// Row and column; (0, 0) for fully connected layers.
    pub spatial: [usize; 2],
}

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "unit ({}, {}, {}) of \"{}\"",
            self.channel, self.spatial[0], self.spatial[1], self.layer
        )
    }
}

impl Unit {
    /// Channel, row and column.
    pub fn index(&self) -> [usize; 3] {
        [self.channel, self.spatial[0], self.spatial[1]]
    }

    /// The place of the unit in its layer's row-major values.
    ///
    /// # Errors
    /// [`UnitError::OutOfRange`] when the unit is outside the layer.
    pub fn place(&self, [channels, rows, columns]: [usize; 3]) -> Result<usize> {
        let within = |axis, asked: String, position: usize, extent: usize, what: &str| {
            if position < extent {
                return Ok(());
            }
            Err(UnitError::OutOfRange {
                axis,
                asked,
                layer: self.layer.clone(),
                found: format!("{extent} {what}"),
                last: extent.saturating_sub(1),
            })
        };
        let [row, column] = self.spatial;
        let position = format!("position ({row},{column})");
        let channel = format!("channel {}", self.channel);
        within(Axis::Channel, channel, self.channel, channels, "channels")?;
        within(Axis::Position, position.clone(), row, rows, "rows")?;
        within(Axis::Position, position, column, columns, "columns")?;
        Ok((self.channel * rows + row) * columns + column)
    }
}

/// The value of one unit, times a direction: the objective of the original script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Neuron {
    /// The unit.
    pub unit: Unit,
    /// What the backward pass begins with: 1 to maximize, -1 to minimize.
    pub direction: f64,
    /// Whether the unit is one position, or its whole channel.
    #[serde(default)]
    pub reach: Reach,
}

/// How much of a channel is climbed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// The unit at one row and column, as in the original script.
    #[default]
    Position,
    /// The mean of the channel over all rows and columns, as in lucid and lucent.
    Channel,
}

impl Neuron {
    /// Whether a larger value of the unit is better.
    pub fn climbs_up(&self) -> bool {
        self.direction >= 0.0
    }

    /// Whether the value `new` is better than `best`.
    pub fn improves(&self, new: f32, best: f32) -> bool {
        if self.climbs_up() { new > best } else { new < best }
    }
}

/// Channels, rows and columns of a layer of `shape` (with the batch axis): 1 x 1 pixels for fully connected ones.
///
/// # Errors
/// [`UnitError::NoUnits`] when the layer has no axis of units.
pub fn extents(shape: &[usize], layer: &str) -> Result<[usize; 3]> {
    match shape {
        [_, channels] => Ok([*channels, 1, 1]),
        [_, channels, rows] => Ok([*channels, *rows, 1]),
        [_, channels, rows, columns @ ..] => Ok([*channels, *rows, columns.iter().product()]),
        [] | [_] => Err(UnitError::NoUnits {
            layer: layer.to_owned(),
            shape: shape.to_vec(),
        }),
    }
}
