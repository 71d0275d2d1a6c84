//! Reading the unit: its value, and the largest value of its layer.

use super::error::{Error, Result};
use super::params::Unit;

/// What a forward pass says about a unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The unit's value.
    pub objective: f32,
    /// Channel, row and column of the largest value of the layer; the first in row-major order.
    pub largest: [usize; 3],
    /// That value.
    pub largest_value: f32,
}

/// Channels, rows and columns of a layer of `shape` (with the batch axis): 1 x 1 pixels for fully connected ones.
///
/// # Errors
/// When the layer has no axis of units.
pub fn extents(shape: &[usize], layer: &str) -> Result<[usize; 3]> {
    match shape {
        [_, channels] => Ok([*channels, 1, 1]),
        [_, channels, rows] => Ok([*channels, *rows, 1]),
        [_, channels, rows, columns @ ..] => Ok([*channels, *rows, columns.iter().product()]),
        _ => Err(Error::NoUnits {
            layer: layer.to_owned(),
            shape: shape.to_vec(),
        }),
    }
}

/// The place of a unit in its layer's row-major values.
///
/// # Errors
/// When the unit is outside the layer.
pub fn index(unit: &Unit, [channels, rows, columns]: [usize; 3]) -> Result<usize> {
    let within = |flag, asked: String, position: usize, extent: usize, what: &str| {
        if position < extent {
            return Ok(());
        }
        Err(Error::OutOfRange {
            flag,
            asked,
            layer: unit.layer.clone(),
            found: format!("{extent} {what}"),
            last: extent - 1,
        })
    };
    let [row, column] = unit.spatial;
    let spatial = format!("({row},{column})");
    within(
        "--push-channel",
        unit.channel.to_string(),
        unit.channel,
        channels,
        "channels",
    )?;
    within("--push-spatial", spatial.clone(), row, rows, "rows")?;
    within("--push-spatial", spatial, column, columns, "columns")?;
    Ok((unit.channel * rows + row) * columns + column)
}

/// Reads the unit at `index` and the layer's maximum.
pub fn read(values: &[f32], index: usize, extents: [usize; 3]) -> Reading {
    let mut largest = 0;
    for (place, value) in values.iter().enumerate() {
        if *value > values[largest] {
            largest = place;
        }
    }
    Reading {
        objective: values[index],
        largest: unit(largest, extents),
        largest_value: values[largest],
    }
}

/// Channel, row and column of a place in a layer's row-major values.
pub fn unit(place: usize, [_, rows, columns]: [usize; 3]) -> [usize; 3] {
    let area = rows * columns;
    [place / area, place % area / columns, place % columns]
}
