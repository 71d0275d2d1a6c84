//! Which layer reads what which layer wrote. A blob that several layers write in place has a version for each of them.

use std::collections::HashMap;

use deepvis_importer::{Graph, LayerKind};

/// One writing of a blob.
pub(super) type Version = usize;

/// A layer with the versions it reads and writes.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    /// Index of the layer in the graph.
    pub(super) layer: usize,
    pub(super) reads: Vec<Version>,
    pub(super) writes: Vec<Version>,
}

/// The wires of all layers, in order.
#[derive(Debug, Clone)]
pub(super) struct Wiring {
    pub(super) wires: Vec<Wire>,
    /// The last version of each blob.
    last: HashMap<String, Version>,
    versions: usize,
}

impl Wiring {
    pub(super) fn new(graph: &Graph) -> Self {
        let mut last: HashMap<String, Version> = HashMap::new();
        let mut versions = 0;
        let mut wires = Vec::with_capacity(graph.layers.len());
        for (index, layer) in graph.layers.iter().enumerate() {
            let reads = layer
                .bottoms
                .iter()
                .filter_map(|bottom| last.get(bottom).copied())
                .collect();
            let writes = layer
                .tops
                .iter()
                .map(|top| {
                    let version = versions;
                    versions += 1;
                    last.insert(top.clone(), version);
                    version
                })
                .collect();
            wires.push(Wire {
                layer: index,
                reads,
                writes,
            });
        }
        Self { wires, last, versions }
    }

    /// How many versions there are.
    pub(super) fn versions(&self) -> usize {
        self.versions
    }

    /// The version of a blob that is there after all layers ran.
    pub(super) fn last(&self, blob: &str) -> Option<Version> {
        self.last.get(blob).copied()
    }

    /// The wires that `wanted` depends on, in order.
    pub(super) fn needed(&self, wanted: &[Version]) -> Vec<Wire> {
        let mut is_needed = vec![false; self.versions];
        for version in wanted {
            is_needed[*version] = true;
        }
        let mut needed = Vec::new();
        for wire in self.wires.iter().rev() {
            if wire.writes.iter().any(|version| is_needed[*version]) {
                for version in &wire.reads {
                    is_needed[*version] = true;
                }
                needed.push(wire.clone());
            }
        }
        needed.reverse();
        needed
    }
}

/// Whether a layer is a source of images.
pub(super) fn is_input(kind: &LayerKind) -> bool {
    matches!(kind, LayerKind::Input { .. })
}
