//! The learned blobs of a network, by layer name, their numbers left in the file until they are asked for.

mod blob;
mod caffemodel;
mod wire;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) use blob::Source;
pub use blob::{Blob, trimmed};
pub use caffemodel::read_binaryproto;

use crate::error::{Error, Result};
use crate::graph::Graph;

/// The blobs of every layer that has some.
#[derive(Debug, Default, Clone)]
pub struct Weights {
    layers: BTreeMap<String, Vec<Blob>>,
    source: PathBuf,
}

impl Weights {
    /// Indexes a caffemodel: reads its structure, not its numbers.
    ///
    /// # Errors
    /// When the file cannot be read, is truncated or is not a caffemodel.
    pub fn open_caffemodel(path: &Path) -> Result<Self> {
        Ok(Self {
            layers: caffemodel::index(path)?,
            source: path.to_owned(),
        })
    }

    /// Indexes a caffemodel of `len` bytes that is open already; its numbers are later read from `path`.
    ///
    /// # Errors
    /// When it is truncated or not a caffemodel.
    pub fn index(reader: impl std::io::Read + std::io::Seek, len: u64, path: &Path) -> Result<Self> {
        Ok(Self {
            layers: caffemodel::index_from(reader, len, path)?,
            source: path.to_owned(),
        })
    }

    /// Weights by layer name, as read from `source`.
    pub fn new(layers: BTreeMap<String, Vec<Blob>>, source: PathBuf) -> Self {
        Self { layers, source }
    }

    /// The file they came from.
    pub fn source(&self) -> &Path {
        &self.source
    }

    /// The blobs of a layer, in Caffe's order; empty when it has none.
    pub fn of(&self, layer: &str) -> &[Blob] {
        self.layers.get(layer).map_or(&[], Vec::as_slice)
    }

    /// Every layer with blobs, sorted by name.
    pub fn layers(&self) -> impl Iterator<Item = (&str, &[Blob])> {
        self.layers
            .iter()
            .map(|(name, blobs)| (name.as_str(), blobs.as_slice()))
    }

    /// What prototxt and weights do not have in common, as warnings.
    ///
    /// # Errors
    /// [`Error::OtherNet`] when the graph needs weights and finds none of them here.
    pub fn compare_with(&self, graph: &Graph, deploy: &Path) -> Result<Vec<String>> {
        let needed: Vec<&str> = graph
            .layers
            .iter()
            .filter(|layer| layer.kind.has_weights())
            .map(|layer| layer.name.as_str())
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
        let surplus: Vec<&str> = self
            .layers
            .keys()
            .map(String::as_str)
            .filter(|name| !graph.layers.iter().any(|layer| layer.name == *name))
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
