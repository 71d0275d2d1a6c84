//! `info.json`: what decides a result, and whether it is a whole one, for programs.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::ascent::{Precision, Recipe};
use crate::model::Preprocessing;

/// Where a result comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// What decides the result: recipe, network and preprocessing.
    pub run_key: String,
    /// Whether all iterations were done that there were to do.
    pub is_complete: bool,
    /// Whether the gradient was 0, so that there was nothing to climb.
    #[serde(default)]
    pub is_flat: bool,
    /// Iterations that were done.
    pub iterations: usize,
    /// The network's name.
    pub network: String,
    /// What is done to photographs for it.
    pub preprocessing: Preprocessing,
    /// What was climbed, and how.
    pub recipe: Recipe,
    /// The arithmetic of the images.
    pub precision: Precision,
    /// What computed it.
    pub backend: String,
    /// The version of deepvis.
    pub version: String,
}

impl Provenance {
    /// Reads an `info.json`; `None` when there is none, or it is of another kind.
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    /// The text of `info.json`.
    ///
    /// # Errors
    /// When a number in it has no JSON form.
    pub fn text(&self) -> Result<Vec<u8>, String> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| error.to_string())?;
        text.push(b'\n');
        Ok(text)
    }
}
