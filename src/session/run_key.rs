//! What decides a result: recipe, network and preprocessing, as one number.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::Result;
use crate::ascent::Recipe;
use crate::hexadecimal::hexadecimal;
use crate::model::Model;
use crate::network::InputSize;

/// SHA-256 of a network and of its preprocessing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of a model: graph, every weight, the mean's entries for an image of `image`, channel order and input size.
    ///
    /// # Errors
    /// When weights or mean cannot be read.
    pub fn of(model: &Model, image: [usize; 3]) -> Result<Self> {
        let mut hash = Sha256::new();
        let graph = serde_json::to_vec(&model.import.graph).unwrap_or_default();
        add(&mut hash, &graph);
        for (name, tensor) in model.import.weights.tensors() {
            add(&mut hash, name.as_bytes());
            add(&mut hash, format!("{:?}", tensor.shape()).as_bytes());
            let bytes = tensor.bytes()?;
            add(&mut hash, &bytes);
        }
        for mean in model.mean(image)?.iter() {
            hash.update(mean.to_le_bytes());
        }
        add(&mut hash, format!("{:?}", model.source.preprocessing.swap).as_bytes());
        if let Some(std) = model.source.preprocessing.divisors() {
            add(&mut hash, format!("{std:?}").as_bytes());
        }
        let size = match model.source.size {
            InputSize::Declared => [image[1], image[2]],
            InputSize::Resized(size) => size,
        };
        add(&mut hash, format!("{image:?} {size:?}").as_bytes());
        Ok(Self(hash.finalize().into()))
    }
}

/// Adds bytes after their number, so that no two sequences of parts come to the same.
fn add(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

/// What decides a result. Two results with the same key are the same result, but for rounding.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunKey(String);

impl RunKey {
    /// Of a recipe, which names unit and seed, on a network.
    pub fn new(recipe: &Recipe, network: Fingerprint) -> Self {
        let mut hash = Sha256::new();
        hash.update(network.0);
        let mut decides = recipe.clone();
        if let Some(picture) = &mut decides.start_from {
            // What it is called has no effect.
            picture.file.clear();
        }
        add(&mut hash, &serde_json::to_vec(&decides).unwrap_or_default());
        let key: [u8; 32] = hash.finalize().into();
        Self(hexadecimal(&key[..16]))
    }

    /// 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
