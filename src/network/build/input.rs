//! Where the image enters a network, and how large it is.

use deepvis_importer::graph::ValueId;
use deepvis_importer::{Graph, Layer, LayerKind};

use super::entries;
use crate::network::error::{Error, Result};

/// How large the input is to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InputSize {
    /// As the network declares it.
    #[default]
    Declared,
    /// Rows and columns as given, channels as declared.
    Resized([usize; 2]),
}

/// Rows and columns of the input where neither the network nor the user gives them: those of the original script.
pub const DEFAULT_SIZE: [usize; 2] = [227, 227];
/// Channels of the input where nobody says: colour images.
const DEFAULT_CHANNELS: usize = 3;

/// The shape of an input: as declared, unknown extents filled in.
pub(in crate::network) fn shape(declared: Option<&[Option<usize>]>, size: InputSize) -> Vec<usize> {
    let defaults = [1, DEFAULT_CHANNELS, DEFAULT_SIZE[0], DEFAULT_SIZE[1]];
    let mut shape = match declared {
        None => defaults.to_vec(),
        Some(declared) => declared
            .iter()
            .enumerate()
            .map(|(axis, extent)| extent.or(defaults.get(axis).copied()).unwrap_or(1))
            .collect(),
    };
    if let (InputSize::Resized(given), [_, _, rows, columns]) = (size, shape.as_mut_slice()) {
        [*rows, *columns] = given;
    }
    shape
}

/// Channels, rows and columns of the image where the network leaves some of them open, and they are assumed.
pub fn assumed_image(graph: &Graph, size: InputSize) -> Option<[usize; 3]> {
    graph.layers.iter().find_map(|layer| {
        let LayerKind::Input { shape: declared } = &layer.kind else {
            return None;
        };
        let first = if matches!(size, InputSize::Declared) { 4 } else { 2 };
        let is_open = declared
            .as_ref()
            .is_none_or(|declared| declared.iter().take(first).skip(1).any(Option::is_none));
        let [_, image @ ..] = <[usize; 4]>::try_from(shape(declared.as_deref(), size)).ok()?;
        is_open.then_some(image)
    })
}

/// The value that holds the image, and its channels, rows and columns.
pub(super) fn find(
    graph: &Graph,
    needed: &[&Layer],
    size: InputSize,
    most_entries: usize,
) -> Result<(ValueId, [usize; 3])> {
    let mut is_read = vec![false; graph.values.len()];
    for value in needed.iter().flat_map(|layer| &layer.inputs) {
        is_read[*value] = true;
    }
    let mut inputs = Vec::new();
    for layer in needed {
        if let LayerKind::Input { shape } = &layer.kind {
            let read = layer.outputs.iter().filter(|output| is_read[**output]);
            inputs.extend(read.map(|output| (shape.as_deref(), *output)));
        }
    }
    let (declared, value) = match inputs.as_slice() {
        [] => {
            return Err(Error::Input(
                "no image reaches the layer asked for: it is an input, or depends on none".into(),
            ));
        }
        [one] => *one,
        several => {
            let values: Vec<ValueId> = several.iter().map(|(_, value)| *value).collect();
            return Err(Error::Input(format!(
                "the layer asked for depends on several inputs ({}); only one image can be optimized",
                graph.names(&values).join(", ")
            )));
        }
    };
    let shape = shape(declared, size);
    let [_, image @ ..] = <[usize; 4]>::try_from(shape.as_slice()).map_err(|_| {
        Error::Input(format!(
            "the input \"{}\" has shape {shape:?}; an image has 4 axes: batch, channels, rows, columns",
            graph.names(&[value]).join("")
        ))
    })?;
    if image.contains(&0) {
        return Err(Error::Input(format!(
            "an input of {image:?} (channels, rows, columns) is empty"
        )));
    }
    // Its mean is in float64, and it is kept at least twice.
    if entries(&image).is_none_or(|entries| entries > most_entries / 4) {
        return Err(Error::TooLarge {
            what: format!("an input of {image:?} (channels, rows, columns)"),
        });
    }
    Ok((value, image))
}
