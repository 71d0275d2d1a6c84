//! The graph: which layers a network has, with what settings, and which values they read and write.
//!
//! It knows nothing of the format that a network came in. Every value is written once; where a format overwrites values in
//! place or gives several of them one name, its front end (such as [`crate::caffe`]) tells them apart.

mod check;
mod general;
mod kind;
mod resample;
mod settings;
mod windows;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

pub use check::LARGEST;
pub(crate) use check::{LONGEST_NAME, too_long};
pub use general::{Move, Padding, Pairwise, Reduce, Reducer, Unary};
pub use kind::{LayerKind, SUPPORTED};
pub use resample::{InterpSize, UnpoolSize};
pub use settings::{Convolution, EltwiseOperation, InnerProduct, Lrn, LrnRegion, PoolMethod, Pooling, Reduction};
pub use windows::{Counted, Pads, Rounding};

use crate::error::Error;

/// A value: its place in [`Graph::values`].
pub type ValueId = usize;

/// A network: its layers in the order in which they are computed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    /// The network's name; may be empty.
    pub name: String,
    /// What the file calls each value; names need not be different.
    pub values: Vec<String>,
    /// The layers.
    pub layers: Vec<Layer>,
    /// What can be asked for by name, each name once.
    pub targets: Vec<Target>,
    /// Values that can be computed for one image at a time only; of all others, several images together give what each
    /// gives alone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub alone: BTreeSet<ValueId>,
    /// Values in which the images of a batch follow each other along another axis than the first, as where tokens come before
    /// them. As targets, they are computed for one image at a time.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub scattered: BTreeSet<ValueId>,
    /// The path of the module that a layer belongs to, by the layer's name, where the file tells: `layer4.2.conv3`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub modules: BTreeMap<String, String>,
    /// Which framework's files it was read from, which says what images it takes.
    #[serde(default, skip_serializing_if = "Origin::is_caffe")]
    pub origin: Origin,
}

/// The format that a network came in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// Caffe: images have blue, green, red, from 0 to 255 less a mean.
    #[default]
    Caffe,
    /// ONNX: images as the framework that made the network has them.
    Onnx,
}

impl Origin {
    fn is_caffe(&self) -> bool {
        *self == Self::Caffe
    }
}

/// A layer: what it computes, from which values, into which.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// The name; several layers may have the same.
    pub name: String,
    /// The type, as the file spells it.
    pub type_name: String,
    /// What it computes.
    pub kind: LayerKind,
    /// The values it reads.
    pub inputs: Vec<ValueId>,
    /// The values it writes.
    pub outputs: Vec<ValueId>,
}

/// What a name stands for.
///
/// The two values differ where a format overwrites values in place. Caffe's own script reads the blob of a name after the
/// whole net has run, but starts the backward pass at the *layer* of that name: with `relu5` in place on `conv5`, the value
/// of `conv5` is rectified, while its gradient is that of the convolution, so that a unit below zero still has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The name.
    pub name: String,
    /// The value that is read.
    pub value: ValueId,
    /// The value at which a backward pass starts.
    pub pushed: ValueId,
}

impl Layer {
    /// An error about this layer.
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error::Layer {
            layer: self.name.clone(),
            kind: self.type_name.clone(),
            message: message.into(),
        }
    }
}

impl Graph {
    /// The layer of that name; of several, the last.
    pub fn layer(&self, name: &str) -> Option<&Layer> {
        self.layers.iter().rev().find(|layer| layer.name == name)
    }

    /// What a name stands for.
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.name == name)
    }

    /// The name by which people know a value: of an ONNX net the path of its module, if it has one.
    pub fn known_as(&self, value: ValueId) -> &str {
        let own = self.values.get(value).map_or("", String::as_str);
        let target = match self.origin {
            Origin::Caffe => None,
            Origin::Onnx => self.targets.iter().find(|target| target.value == value),
        };
        target.map_or(own, |target| target.name.as_str())
    }

    /// Adds a value.
    pub fn add_value(&mut self, name: impl Into<String>) -> ValueId {
        self.values.push(name.into());
        self.values.len() - 1
    }

    /// What the file calls some values.
    pub fn names(&self, values: &[ValueId]) -> Vec<String> {
        values
            .iter()
            .filter_map(|value| self.values.get(*value).cloned())
            .collect()
    }

    /// The names of all stored tensors that the layers use, each once, with the first layer that uses it.
    pub fn tensors(&self) -> HashMap<&str, &Layer> {
        let mut tensors = HashMap::new();
        for layer in &self.layers {
            for name in layer.kind.tensors() {
                tensors.entry(name).or_insert(layer);
            }
        }
        tensors
    }

    /// Gives every image that is an input the shape `shape` in the file's stead, as for a training prototxt that has none.
    pub fn set_input_shape(&mut self, shape: &[usize]) {
        for layer in &mut self.layers {
            if let LayerKind::Input { shape: declared } = &mut layer.kind
                && declared.as_ref().is_none_or(|declared| declared.len() == shape.len())
            {
                *declared = Some(shape.iter().map(|extent| Some(*extent)).collect());
            }
        }
    }
}
