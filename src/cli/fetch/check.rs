//! Checks a downloaded file by its structure: servers answer "200 OK" with log-in pages and truncated files too.

use std::path::Path;

use deepvis_importer::caffe::Caffemodel;
use deepvis_importer::{import, input};

use crate::model::catalogue::{Entry, Kind};
use crate::model::npy;
use crate::network::{InputSize, survey};

/// More entries than any blob of a network of the catalogue has.
const MOST_ENTRIES: usize = 1 << 28;

/// Classes of ImageNet.
const CLASSES: usize = 1000;
/// Longest label that is accepted, in bytes; the longest of ImageNet's has 121.
const LONGEST_LABEL: usize = 400;

impl Kind {
    /// Largest file of that kind that is accepted, in bytes: twice the largest of the catalogue.
    pub(super) fn most_bytes(self) -> u64 {
        match self {
            Self::Weights => 512 << 20,
            Self::Mean => 4 << 20,
            Self::Labels => 1 << 20,
        }
    }
}

/// Looks at a file of a network.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(entry: &Entry, kind: Kind, path: &Path) -> Result<(), String> {
    match kind {
        Kind::Weights => weights(entry, path),
        Kind::Mean => mean(path),
        Kind::Labels => labels(path),
    }
}

/// Every layer that has weights must have some, of the right shapes.
fn weights(entry: &Entry, path: &Path) -> Result<(), String> {
    let wrong = |e: &dyn std::fmt::Display| format!("it is not the weights of {}: {e}", entry.name);
    let weights = Caffemodel::open(path).map_err(|e| wrong(&e))?;
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let deploy = folder.path().join("deploy.prototxt");
    std::fs::write(&deploy, entry.deploy).map_err(|e| e.to_string())?;
    let import = import(&deploy, path).map_err(|e| wrong(&e))?;
    let graph = import.graph;
    let is_missing = |name: &&str| weights.of(name).is_empty();
    let mut needed = graph.layers.iter().filter(|layer| !layer.kind.tensors().is_empty());
    if let Some(missing) = needed.by_ref().map(|layer| layer.name.as_str()).find(is_missing) {
        return Err(wrong(&format!(
            "layer \"{missing}\" has none; the file is cut, or another's"
        )));
    }
    let facts = survey(&graph, Some(&import.weights), InputSize::Declared, MOST_ENTRIES);
    match facts.into_iter().find_map(|fact| Some((fact.name, fact.problem?))) {
        Some((layer, problem)) => Err(wrong(&format!("layer \"{layer}\": {problem}"))),
        None => Ok(()),
    }
}

fn mean(path: &Path) -> Result<(), String> {
    let array = npy::read(path).map_err(|e| e.to_string())?;
    match array.shape() {
        [3, rows, columns] if rows * columns > 0 && array.iter().all(|value| value.is_finite()) => Ok(()),
        shape => Err(format!(
            "it is not a mean image of three channels, but of shape {shape:?}"
        )),
    }
}

fn labels(path: &Path) -> Result<(), String> {
    let text = input::read_text(path, Kind::Labels.most_bytes()).map_err(|e| e.to_string())?;
    let is_label = |line: &str| {
        let line = line.trim();
        !line.is_empty() && line.len() <= LONGEST_LABEL && !line.starts_with(['<', '{'])
    };
    match (text.lines().count(), text.lines().find(|line| !is_label(line))) {
        (CLASSES, None) => Ok(()),
        (CLASSES, Some(line)) => Err(format!("it is not a list of labels: {line:.40?} is none")),
        (lines, _) => Err(format!(
            "it is not the labels of {CLASSES} classes: it has {lines} lines"
        )),
    }
}
