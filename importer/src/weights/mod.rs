//! The learned tensors of a network by name, their numbers left in the file until they are asked for.

mod stored;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) use stored::{Chunk, Element, Source, read_bytes};
pub use stored::{StoredTensor, trimmed};

/// The name of a stored tensor, by which layers refer to it.
pub type TensorName = String;

/// The stored tensors of a network.
#[derive(Debug, Default, Clone)]
pub struct Weights {
    tensors: BTreeMap<TensorName, StoredTensor>,
    source: PathBuf,
}

impl Weights {
    /// Tensors by name, as read from `source`.
    pub fn new(tensors: BTreeMap<TensorName, StoredTensor>, source: PathBuf) -> Self {
        Self { tensors, source }
    }

    /// The file they came from.
    pub fn source(&self) -> &Path {
        &self.source
    }

    /// The tensor of that name.
    pub fn get(&self, name: &str) -> Option<&StoredTensor> {
        self.tensors.get(name)
    }

    /// All tensors, sorted by name.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &StoredTensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Bytes of all numbers as float32.
    pub fn bytes(&self) -> u64 {
        self.tensors.values().map(|tensor| tensor.count() as u64 * 4).sum()
    }
}
