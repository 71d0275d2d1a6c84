//! Names of units, from a text file with one label a line.

use std::path::Path;

use deepvis_importer::input;
use deepvis_importer::names::counted;

use super::error::{Error, Result};

/// Bytes of the longest labels file that is read: a hundred times those of the 22,000 classes of the whole of ImageNet.
const LONGEST: u64 = 64 << 20;

/// Labels and the layers whose units they name.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    names: Vec<String>,
    /// Layers that the settings name; without any, layers with as many units as there are labels.
    layers: Option<Vec<String>>,
}

impl Labels {
    /// Reads a labels file; blank lines are skipped. A WordNet id at the start of a line (`n01440764 tench`) is left out.
    ///
    /// # Errors
    /// When the file cannot be read or is empty.
    pub fn read(path: &Path, layers: Option<Vec<String>>) -> Result<Self> {
        let text = input::read_text(path, LONGEST).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let names: Vec<String> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(|line| without_id(line).to_owned())
            .collect();
        if names.is_empty() {
            return Err(Error::Input {
                path: path.to_owned(),
                message: "it holds no labels; it should have one a line".into(),
            });
        }
        Ok(Self { names, layers })
    }

    /// The labels of a layer's units; empty when they do not name them.
    pub fn of_layer(&self, layer: &str, channels: usize) -> &[String] {
        let fits = match &self.layers {
            Some(layers) => layers.iter().any(|name| name == layer),
            None => self.names.len() == channels,
        };
        if fits { &self.names } else { &[] }
    }

    /// Why the labels do not name a layer's units, where there are labels and they do not.
    pub fn misfit(&self, layer: &str, channels: usize) -> Option<String> {
        if self.names.is_empty() || !self.of_layer(layer, channels).is_empty() {
            return None;
        }
        Some(match &self.layers {
            Some(layers) => format!("they are of {}", layers.join(" and ")),
            None => format!(
                "there are {} of them, and layer \"{layer}\" has {}",
                self.names.len(),
                counted(channels, "channel")
            ),
        })
    }

    /// The label of a unit.
    pub fn name(&self, layer: &str, channels: usize, channel: usize) -> Option<&str> {
        self.of_layer(layer, channels)
            .get(channel)
            .map(String::as_str)
            .filter(|name| !name.is_empty())
    }
}

fn without_id(line: &str) -> &str {
    match line.split_once(' ') {
        Some((id, rest)) if id.len() == 9 && id.starts_with('n') && id[1..].bytes().all(|b| b.is_ascii_digit()) => rest,
        _ => line,
    }
}
