//! Which layers a value depends on.

use deepvis_importer::graph::ValueId;
use deepvis_importer::{Graph, Layer};

/// The layers that `wanted` depend on, in the order in which they are computed.
pub(super) fn layers<'a>(graph: &'a Graph, wanted: &[ValueId]) -> Vec<&'a Layer> {
    let mut is_needed = vec![false; graph.values.len()];
    for value in wanted {
        is_needed[*value] = true;
    }
    let mut needed = Vec::new();
    for layer in graph.layers.iter().rev() {
        if layer.outputs.iter().any(|value| is_needed[*value]) {
            for value in &layer.inputs {
                is_needed[*value] = true;
            }
            needed.push(layer);
        }
    }
    needed.reverse();
    needed
}
