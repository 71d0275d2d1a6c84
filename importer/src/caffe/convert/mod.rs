//! From Caffe's messages to the graph: Caffe's `LayerSetUp`, as far as it needs no blob shapes, and its in-place rules.

mod blobs;
mod channels;
mod doubts;
mod input;
mod kind;
mod steps;
mod windows;

use std::collections::HashSet;

pub(crate) use blobs::{CaffeLayer, Faults, Step, connect};

use crate::about::{Doubt, InputTransform};
use crate::caffe::Caffemodel;
use crate::caffe::proto::LayerParameter;
use crate::caffe::proto::NetParameter;
use crate::error::Result;
use crate::graph::{Graph, LayerKind};
use crate::weights::{StoredTensor, TensorName};
use kind::kind;
use windows::Setting;

/// A net as a graph, with what is not in it.
#[derive(Debug)]
pub struct Converted {
    /// The graph.
    pub graph: Graph,
    /// Which stored blob each tensor of the graph is.
    pub(crate) places: Vec<Place>,
    /// What was left out of layers that are computed, and may change what they compute.
    pub doubts: Vec<Doubt>,
    /// What a user should know of single layers.
    pub notes: Vec<String>,
    /// What the net's data layer does to images.
    pub transform: Option<InputTransform>,
}

/// Where a tensor is stored: the place among the blobs of a layer.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) tensor: TensorName,
    pub(crate) layer: String,
    pub(crate) place: usize,
}

/// Builds the graph of an upgraded net (see [`super::upgrade`]).
///
/// # Errors
/// When there are no layers, or when one writes a blob that another writes.
pub fn graph(net: &NetParameter) -> Result<Graph> {
    Ok(convert(net, None)?.graph)
}

/// [`graph`], with what is not in it. The stored blobs, where they are at hand, decide on the form of some layers.
///
/// # Errors
/// As [`graph`].
pub fn convert(net: &NetParameter, stored: Option<&Caffemodel>) -> Result<Converted> {
    let read: HashSet<&str> = net
        .layer
        .iter()
        .flat_map(|layer| &layer.bottom)
        .map(String::as_str)
        .collect();
    let mut layers = Vec::with_capacity(net.layer.len());
    let mut notes = Vec::new();
    for proto in &net.layer {
        let blobs = stored.map_or(&[][..], |stored| stored.of(proto.name()));
        notes.extend(note(proto));
        layers.extend(layer(proto, blobs, &read));
    }
    let places: Vec<Place> = layers
        .iter()
        .flat_map(|layer| layer.steps.iter().map(move |step| (layer, step)))
        .flat_map(|(layer, step)| {
            step.kind
                .tensors()
                .into_iter()
                .zip(&step.places)
                .map(|(tensor, place)| Place {
                    tensor: tensor.to_owned(),
                    layer: layer.name.clone(),
                    place: *place,
                })
        })
        .collect();
    let mut graph = connect(net.name(), &layers, Faults::Kept)?;
    notes.extend(channels::settle(&mut graph, |tensor| {
        let place = places.iter().find(|place| place.tensor == tensor)?;
        let blob = stored?.of(&place.layer).get(place.place)?;
        Some(blob.shape().to_vec())
    }));
    Ok(Converted {
        doubts: doubts::of(net, &graph),
        graph,
        places,
        notes,
        transform: transform(net),
    })
}

/// What the first data layer of a net that says so does to images.
pub(super) fn transform(net: &NetParameter) -> Option<InputTransform> {
    net.layer
        .iter()
        .filter(|proto| input::is_data(proto))
        .find_map(input::transform)
}

/// Whether a layer feeds the net.
pub(super) fn is_source(proto: &LayerParameter) -> bool {
    proto.r#type() == "Input" || input::is_data(proto)
}

/// What should be known of a layer whose settings the net's own phase would draw at random.
fn note(proto: &LayerParameter) -> Option<String> {
    let p = proto.dropout_param.as_ref()?;
    (proto.r#type() == "Dropout" && p.sample_weights_test()).then(|| {
        format!(
            "layer \"{}\" (Dropout) draws at random in the TEST phase, too (sample_weights_test); the mean of what it draws is \
             computed",
            proto.name()
        )
    })
}

/// A layer, or, of an `Input` of several tops, one for each; in place of what cannot be computed why.
fn layer(proto: &LayerParameter, stored: &[StoredTensor], read: &HashSet<&str>) -> Vec<CaffeLayer> {
    let (name, type_name) = (proto.name().to_owned(), proto.r#type().to_owned());
    if proto.r#type() == "Input"
        && proto.top.len() > 1
        && let Ok(shapes) = input::declared(proto)
    {
        let inputs = proto.top.iter().zip(shapes);
        return inputs
            .map(|(top, shape)| {
                let kind = LayerKind::Input { shape };
                CaffeLayer::new(top.clone(), type_name.clone(), kind, &[], std::slice::from_ref(top))
            })
            .collect();
    }
    let steps = steps(proto, stored, read).unwrap_or_else(|reason| {
        let kind = LayerKind::Unsupported { reason: Some(reason) };
        vec![Step::new(kind, &proto.bottom, &proto.top)]
    });
    vec![CaffeLayer { name, type_name, steps }]
}

/// What a layer computes, step by step, or what is wrong with its settings.
fn steps(proto: &LayerParameter, stored: &[StoredTensor], read: &HashSet<&str>) -> Setting<Vec<Step>> {
    if let Some(value) = doubts::unknown_value(proto) {
        return Err(format!("{value} is not Caffe's, and what it computes is not known"));
    }
    let one = |kind: LayerKind, tops: &[String]| vec![Step::new(kind, &proto.bottom, tops)];
    Ok(match proto.r#type() {
        "BatchNorm" => steps::batch_norm(proto, stored),
        "BN" => steps::bn(proto, stored),
        "SELU" => steps::selu(proto),
        "Axpy" => steps::axpy(proto)?,
        // The labels change nothing of what it says about an image.
        "SoftmaxWithLoss" => vec![Step::new(
            kind(proto)?,
            &proto.bottom[..proto.bottom.len().min(1)],
            &proto.top,
        )],
        // The mask of the chosen pixels is made where a layer reads it.
        "Pooling" => {
            let wanted = proto
                .top
                .iter()
                .enumerate()
                .filter(|(place, top)| *place == 0 || read.contains(top.as_str()));
            let tops: Vec<String> = wanted.map(|(_, top)| top.clone()).collect();
            one(kind(proto)?, &tops)
        }
        _ => one(kind(proto)?, &proto.top),
    })
}

/// The name of a learned blob in [`crate::Weights`].
pub(crate) fn tensor(layer: &str, role: &str) -> String {
    format!("{layer}.{role}")
}
