//! The graph specification: which layers a network has, with what settings, and how blobs connect them.

mod convert;
mod kind;
mod windows;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

pub use kind::{
    Convolution, EltwiseOperation, InnerProduct, LayerKind, Lrn, LrnRegion, PoolMethod, Pooling, Reduction, SUPPORTED,
};

use crate::error::{Error, Result};
use crate::names::suggest;
use crate::proto::NetParameter;

/// A network: its layers in the order in which they are computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    /// The network's name; may be empty.
    pub name: String,
    /// The layers of the TEST phase, in the order of the prototxt.
    pub layers: Vec<Layer>,
}

/// A layer: what it computes, from which blobs, into which.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// The name, which also finds its weights.
    pub name: String,
    /// The type, as the prototxt spells it.
    pub type_name: String,
    /// What it computes.
    pub kind: LayerKind,
    /// The blobs it reads.
    pub bottoms: Vec<String>,
    /// The blobs it writes; one that is also a bottom is overwritten in place.
    pub tops: Vec<String>,
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

    /// Whether the layer overwrites a blob that it reads.
    pub fn is_in_place(&self) -> bool {
        self.tops.iter().any(|top| self.bottoms.contains(top))
    }
}

impl Graph {
    /// Builds the graph of an upgraded net (see [`crate::upgrade`]).
    ///
    /// # Errors
    /// When a layer's settings break Caffe's rules, or when it reads a blob that no layer before it writes.
    pub fn from_proto(net: &NetParameter) -> Result<Self> {
        let layers = net.layer.iter().map(convert::layer).collect::<Result<Vec<_>>>()?;
        let graph = Self {
            name: net.name().to_owned(),
            layers,
        };
        graph.check_connections()?;
        Ok(graph)
    }

    /// The layer of that name; of several, the last, as in Caffe.
    pub fn layer(&self, name: &str) -> Option<&Layer> {
        self.layers.iter().rev().find(|layer| layer.name == name)
    }

    /// Every blob, in the order in which they are first written.
    pub fn blobs(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        self.layers
            .iter()
            .flat_map(|layer| layer.tops.iter().map(String::as_str))
            .filter(|top| seen.insert(*top))
            .collect()
    }

    /// Gives every input layer the shape `shape` in the file's stead, as for a training prototxt that has none.
    pub fn set_input_shape(&mut self, shape: &[usize]) {
        for layer in &mut self.layers {
            if let LayerKind::Input { shape: declared } = &mut layer.kind {
                *declared = Some(shape.to_vec());
            }
        }
    }

    /// Checks what reading a prototxt checks; for graphs that come from elsewhere.
    ///
    /// # Errors
    /// When a layer reads a blob that no layer before it writes, or the graph is empty.
    pub fn check_connections(&self) -> Result<()> {
        if self.layers.is_empty() {
            return Err(Error::Net("the net has no layers".into()));
        }
        let mut written: HashSet<&str> = HashSet::new();
        for layer in &self.layers {
            for bottom in &layer.bottoms {
                if !written.contains(bottom.as_str()) {
                    let hint = if written.is_empty() {
                        "no layer before it writes any blob; does the prototxt declare its input?".to_owned()
                    } else {
                        let mut known: Vec<&str> = written.into_iter().collect();
                        known.sort_unstable();
                        suggest(bottom, &known, 12)
                    };
                    return Err(layer.error(format!(
                        "it reads the blob \"{bottom}\", which no layer before it writes; {hint}"
                    )));
                }
            }
            for top in &layer.tops {
                if !written.insert(top) && !layer.bottoms.contains(top) {
                    return Err(layer.error(format!(
                        "it writes the blob \"{top}\", which a layer before it writes too"
                    )));
                }
            }
        }
        Ok(())
    }
}
