//! Caffe's learned blobs, by layer name, and which tensors of the graph they are.

mod caffemodel;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

pub use caffemodel::read_binaryproto;

use crate::caffe::convert::Converted;
use crate::error::{Error, Result};
use crate::graph::{Graph, LayerKind};
use crate::weights::{StoredTensor, Weights};

/// The index of a caffemodel: the blobs of every layer that has some.
#[derive(Debug, Default, Clone)]
pub struct Caffemodel {
    layers: BTreeMap<String, Vec<StoredTensor>>,
    source: PathBuf,
}

impl Caffemodel {
    /// Indexes a file: reads its structure, not its numbers.
    ///
    /// # Errors
    /// When it cannot be read, is truncated or is not a caffemodel.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self::new(caffemodel::index(path)?, path.to_owned()))
    }

    /// Indexes a caffemodel of `len` bytes that is open already; its numbers are later read from `path`.
    ///
    /// # Errors
    /// When it is truncated or not a caffemodel.
    pub fn index(reader: impl std::io::Read + std::io::Seek, len: u64, path: &Path) -> Result<Self> {
        Ok(Self::new(caffemodel::index_from(reader, len, path)?, path.to_owned()))
    }

    /// Blobs by layer name, as read from `source`.
    pub fn new(layers: BTreeMap<String, Vec<StoredTensor>>, source: PathBuf) -> Self {
        Self { layers, source }
    }

    /// The blobs of a layer, in Caffe's order; empty when it has none.
    pub fn of(&self, layer: &str) -> &[StoredTensor] {
        self.layers.get(layer).map_or(&[], Vec::as_slice)
    }

    /// Every layer with blobs, sorted by name.
    pub fn layers(&self) -> impl Iterator<Item = (&str, &[StoredTensor])> {
        self.layers
            .iter()
            .map(|(name, blobs)| (name.as_str(), blobs.as_slice()))
    }

    /// The tensors that the layers of a net refer to, found by layer name and by their place there. Layers of one name share
    /// them.
    pub(crate) fn weights(&self, net: &Converted) -> Weights {
        let tensors = net
            .places
            .iter()
            .filter_map(|place| Some((place.tensor.clone(), self.of(&place.layer).get(place.place)?.clone())))
            .collect();
        Weights::new(tensors, self.source.clone())
    }

    /// The tensors that the layers of `graph` refer to, where the tensors of each are its first blobs in order.
    pub fn weights_in_order(&self, graph: &Graph) -> Weights {
        let tensors = graph
            .layers
            .iter()
            .flat_map(|layer| layer.kind.tensors().into_iter().zip(self.of(&layer.name)))
            .map(|(name, blob)| (name.to_owned(), blob.clone()))
            .collect();
        Weights::new(tensors, self.source.clone())
    }

    /// Blobs that no layer reads of layers that are computed, as warnings: Caffe refuses such files, and something that was
    /// learned is not used.
    ///
    /// # Errors
    /// The first of them, unless `lenient`.
    pub(crate) fn surplus(&self, net: &Converted, lenient: bool) -> Result<Vec<String>> {
        let mut read: BTreeMap<&str, usize> = BTreeMap::new();
        for place in &net.places {
            let count = read.entry(&place.layer).or_default();
            *count = (*count).max(place.place + 1);
        }
        let mut seen = HashSet::new();
        let mut warnings = Vec::new();
        for layer in &net.graph.layers {
            let is_computed = !matches!(
                layer.kind,
                LayerKind::Input { .. }
                    | LayerKind::Sink
                    | LayerKind::Unsupported { .. }
                    | LayerKind::BatchStatistics { .. }
            );
            let (stored, expected) = (
                self.of(&layer.name).len(),
                read.get(layer.name.as_str()).copied().unwrap_or(0),
            );
            if !is_computed || stored <= expected || !seen.insert(layer.name.as_str()) {
                continue;
            }
            let count = |count: usize| {
                if count == 1 {
                    "1 blob".to_owned()
                } else {
                    format!("{count} blobs")
                }
            };
            let message = format!(
                "its settings make use of {}, and {} has {} for it",
                count(expected),
                self.source.display(),
                count(stored)
            );
            if !lenient {
                return Err(Error::Surplus {
                    layer: layer.name.clone(),
                    kind: layer.type_name.clone(),
                    message,
                });
            }
            warnings.push(format!(
                "layer \"{}\" ({}): {message}; the rest is not used",
                layer.name, layer.type_name
            ));
        }
        Ok(warnings)
    }

    /// What prototxt and caffemodel do not have in common, as warnings.
    ///
    /// # Errors
    /// [`Error::OtherNet`] when the graph needs weights and finds none of them here.
    pub fn compare_with(&self, graph: &Graph, deploy: &Path) -> Result<Vec<String>> {
        let needed: Vec<&str> = graph
            .layers
            .iter()
            .filter(|layer| !layer.kind.tensors().is_empty())
            .map(|layer| layer.name.as_str())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let missing: Vec<&str> = needed.iter().copied().filter(|name| self.of(name).is_empty()).collect();
        if !needed.is_empty() && missing.len() == needed.len() {
            return Err(Error::OtherNet {
                weights: self.source.clone(),
                deploy: deploy.to_owned(),
                found: self.layers.len(),
                examples: first_few(self.layers.keys().map(String::as_str)),
            });
        }
        let mut warnings = Vec::new();
        if !missing.is_empty() {
            warnings.push(format!(
                "{} has no weights for {}; units that depend on them cannot be pushed",
                self.source.display(),
                first_few(missing.iter().copied())
            ));
        }
        let names: HashSet<&str> = graph.layers.iter().map(|layer| layer.name.as_str()).collect();
        let surplus: Vec<&str> = self
            .layers
            .keys()
            .map(String::as_str)
            .filter(|name| !names.contains(name))
            .collect();
        if !surplus.is_empty() {
            warnings.push(format!(
                "{} also has weights for {}, which {} lacks; they are not used",
                self.source.display(),
                first_few(surplus.iter().copied()),
                deploy.display()
            ));
        }
        Ok(warnings)
    }
}

fn first_few<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = names.len();
    let shown: Vec<&str> = names.take(5).collect();
    if count > shown.len() {
        format!("{} and {} more", shown.join(", "), count - shown.len())
    } else {
        shown.join(", ")
    }
}
