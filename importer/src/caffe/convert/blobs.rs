//! Caffe's blobs as values that are written once, and what the names of blobs and layers stand for.
//!
//! A layer of Caffe may overwrite a blob that it reads. Every writing becomes a value of its own; a reader gets the last
//! one before it. What a name stands for is described at [`Target`].

use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::graph::{Graph, Layer, LayerKind, Target, ValueId};
use crate::names::suggest;

/// A layer of a file, with the names of its blobs.
#[derive(Debug, Clone)]
pub(crate) struct CaffeLayer {
    pub(crate) name: String,
    pub(crate) type_name: String,
    /// What it computes, mostly in one step.
    pub(crate) steps: Vec<Step>,
}

/// A step of a layer: the blobs that it reads and writes. A top that is also a bottom of the layer is overwritten in place;
/// tops of all steps but the last are known to the steps of the layer only.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) kind: LayerKind,
    pub(crate) bottoms: Vec<String>,
    pub(crate) tops: Vec<String>,
    /// Which of the layer's stored blobs its tensors are, in the order of [`LayerKind::tensors`].
    pub(crate) places: Vec<usize>,
}

impl Step {
    /// A step whose tensors are the layer's first stored blobs.
    pub(crate) fn new(kind: LayerKind, bottoms: &[String], tops: &[String]) -> Self {
        Self {
            places: (0..kind.tensors().len()).collect(),
            kind,
            bottoms: bottoms.to_vec(),
            tops: tops.to_vec(),
        }
    }
}

/// What happens to a layer that reads what is not there, or whose settings its kind does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Faults {
    /// The graph is refused.
    Refused,
    /// It is not computed; only what depends on it is refused.
    Kept,
}

impl CaffeLayer {
    /// A layer that is computed in one step.
    pub(crate) fn new(name: String, type_name: String, kind: LayerKind, bottoms: &[String], tops: &[String]) -> Self {
        Self {
            name,
            type_name,
            steps: vec![Step::new(kind, bottoms, tops)],
        }
    }

    fn error(&self, message: String) -> Error {
        Error::Layer {
            layer: self.name.clone(),
            kind: self.type_name.clone(),
            message,
        }
    }

    fn reads(&self, blob: &String) -> bool {
        self.steps.iter().any(|step| step.bottoms.contains(blob))
    }
}

/// The graph of layers in the order in which they are computed.
///
/// # Errors
/// When there are none, or when one writes a blob that it does not read and that is written already; where faults are refused,
/// also when one reads a blob that no layer before it writes, or has settings that its kind does not take.
pub(crate) fn connect(name: &str, layers: &[CaffeLayer], faults: Faults) -> Result<Graph> {
    let mut graph = Graph {
        name: name.to_owned(),
        ..Graph::default()
    };
    let mut blobs = Blobs::default();
    for layer in layers {
        let mut own: HashMap<&str, ValueId> = HashMap::new();
        for (number, step) in layer.steps.iter().enumerate() {
            let is_last = number + 1 == layer.steps.len();
            let mut kind = step.kind.clone();
            let mut inputs = Vec::with_capacity(step.bottoms.len());
            for bottom in &step.bottoms {
                let value = match own.get(bottom.as_str()) {
                    Some(value) => Ok(*value),
                    None => blobs.read(bottom),
                };
                match value {
                    Ok(value) => inputs.push(value),
                    Err(reason) if faults == Faults::Refused => return Err(layer.error(reason)),
                    // What computes nothing is no worse for it.
                    Err(_) if kind == LayerKind::Sink => {}
                    Err(reason) => kind = kept(kind, reason),
                }
            }
            let mut outputs = Vec::with_capacity(step.tops.len());
            for (place, top) in step.tops.iter().enumerate() {
                let again = step.tops[..place].contains(top);
                if again || (is_last && blobs.last.contains_key(top) && !layer.reads(top)) {
                    return Err(layer.error(format!(
                        "it writes the blob \"{top}\", which a layer before it writes too"
                    )));
                }
                outputs.push(graph.add_value(top.as_str()));
            }
            for (top, value) in step.tops.iter().zip(&outputs) {
                if is_last {
                    blobs.write(top, *value);
                } else {
                    own.insert(top, *value);
                }
            }
            let mut built = Layer {
                name: layer.name.clone(),
                type_name: layer.type_name.clone(),
                kind,
                inputs,
                outputs,
            };
            if faults == Faults::Kept
                && let Err(Error::Layer { message, .. }) = built.check()
            {
                built.kind = kept(built.kind, message);
            }
            graph.layers.push(built);
        }
    }
    graph.targets = targets(&graph, &blobs);
    graph.check()?;
    Ok(graph)
}

/// A kind that cannot be computed; what is known to be none stays what it is.
fn kept(kind: LayerKind, reason: String) -> LayerKind {
    match kind {
        LayerKind::Unsupported { .. } => kind,
        _ => LayerKind::Unsupported { reason: Some(reason) },
    }
}

/// The blobs that are written so far.
#[derive(Default)]
struct Blobs {
    /// In the order in which they are first written.
    order: Vec<String>,
    /// The last value of each.
    last: HashMap<String, ValueId>,
}

impl Blobs {
    /// The last value of a blob, or why there is none.
    fn read(&self, blob: &str) -> std::result::Result<ValueId, String> {
        self.last.get(blob).copied().ok_or_else(|| {
            let hint = if self.last.is_empty() {
                "no layer before it writes any blob; does the prototxt declare its input?".to_owned()
            } else {
                let mut known: Vec<&str> = self.order.iter().map(String::as_str).collect();
                known.sort_unstable();
                suggest(blob, &known, 12)
            };
            format!("it reads the blob \"{blob}\", which no layer before it writes; {hint}")
        })
    }

    fn write(&mut self, blob: &str, value: ValueId) {
        if self.last.insert(blob.to_owned(), value).is_none() {
            self.order.push(blob.to_owned());
        }
    }
}

/// What the names stand for: every blob, then every layer whose name is no blob's.
fn targets(graph: &Graph, blobs: &Blobs) -> Vec<Target> {
    // For each name of a layer: what the last layer of that name writes, preferably its blob of that name.
    let mut written: HashMap<&str, (bool, ValueId)> = HashMap::new();
    for layer in &graph.layers {
        // Not what steps of a layer hand to each other.
        let outputs = || {
            layer
                .outputs
                .iter()
                .filter(|value| blobs.last.contains_key(&graph.values[**value]))
        };
        let namesake = outputs().find(|value| graph.values[**value] == layer.name);
        if let Some(value) = namesake.or(outputs().next()) {
            written.insert(&layer.name, (namesake.is_some(), *value));
        }
    }
    let mut targets: Vec<Target> = blobs
        .order
        .iter()
        .map(|name| {
            let value = blobs.last[name];
            let pushed = match written.get(name.as_str()) {
                Some((true, pushed)) => *pushed,
                Some((false, _)) | None => value,
            };
            Target {
                name: name.clone(),
                value,
                pushed,
            }
        })
        .collect();
    let mut named: HashSet<&str> = blobs.order.iter().map(String::as_str).collect();
    for layer in &graph.layers {
        if let Some((_, value)) = written.get(layer.name.as_str())
            && named.insert(&layer.name)
        {
            targets.push(Target {
                name: layer.name.clone(),
                value: *value,
                pushed: *value,
            });
        }
    }
    targets
}
