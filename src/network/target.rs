//! What the name of a layer stands for.
//!
//! Caffe's own script reads the blob of that name after the whole net has run, but starts the backward pass at the *layer*
//! of that name. With `relu5` working in place on `conv5`, the value of `conv5` is therefore rectified, while its gradient
//! is that of the convolution: a unit below zero still has one.

use deepvis_importer::Graph;
use deepvis_importer::names::suggest;

use super::error::{Error, Result};
use super::wiring::{Version, Wiring};

/// A blob that can be pushed.
#[derive(Debug, Clone)]
pub struct Target {
    /// The name it was asked for by.
    pub name: String,
    /// The version that is read.
    pub(super) value: Version,
    /// The version at which the backward pass starts.
    pub(super) pushed: Version,
}

/// Finds the blob of that name; failing that, what the layer of that name writes.
pub(super) fn find(graph: &Graph, wiring: &Wiring, name: &str) -> Result<Target> {
    let written_by_namesake = graph
        .layers
        .iter()
        .zip(&wiring.wires)
        .filter(|(layer, _)| layer.name == name)
        .filter_map(|(layer, wire)| {
            let top = layer.tops.iter().position(|top| top == name);
            Some((top.is_some(), *wire.writes.get(top.unwrap_or(0))?))
        })
        .next_back();
    let (value, pushed) = match (wiring.last(name), written_by_namesake) {
        (Some(value), Some((true, pushed))) => (value, pushed),
        (Some(value), _) => (value, value),
        (None, Some((_, version))) => (version, version),
        (None, None) => return Err(unknown(graph, name)),
    };
    Ok(Target {
        name: name.to_owned(),
        value,
        pushed,
    })
}

fn unknown(graph: &Graph, name: &str) -> Error {
    let mut names = graph.blobs();
    for layer in &graph.layers {
        if !layer.tops.is_empty() && !names.contains(&layer.name.as_str()) {
            names.push(&layer.name);
        }
    }
    Error::UnknownLayer {
        name: name.to_owned(),
        hint: suggest(name, &names, 20),
    }
}
