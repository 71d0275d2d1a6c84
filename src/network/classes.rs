//! Which layer of a network holds the classes.

use deepvis_importer::{Graph, LayerKind};

use super::survey::LayerFacts;

/// The layer whose units stand for the classes, as it is pushed: what the last softmax reads, else the last layer of one
/// value a channel. Neither is what attention or a gate computes on the way: nothing that is learned comes after classes, and of
/// one value a channel no picture is made again. `None` where no such layer can be computed.
pub fn class_layer<'a>(graph: &'a Graph, facts: &'a [LayerFacts]) -> Option<&'a LayerFacts> {
    let after = After::of(graph, facts);
    let softmax = graph.layers.iter().rev().find(|layer| {
        let is_last = layer.outputs.iter().all(|output| !after.learned[*output]);
        matches!(layer.kind, LayerKind::Softmax { .. }) && is_last
    });
    let read = softmax.and_then(|layer| graph.values.get(*layer.inputs.first()?));
    let writes = |fact: &&LayerFacts| fact.problem.is_none() && fact.kind != "Input" && !fact.tops.is_empty();
    let of_softmax = read.and_then(|read| facts.iter().filter(writes).find(|fact| fact.tops.contains(read)));
    let is_last = |fact: &LayerFacts| {
        let mut values = fact.values.iter();
        values.all(|value| !after.learned[*value] && !after.placed[*value])
    };
    let flat = |fact: &&LayerFacts| is_flat(fact) && is_last(fact);
    of_softmax.or_else(|| facts.iter().filter(writes).rev().find(flat))
}

/// What is computed from each value.
struct After {
    /// Whether by layers with weights, or by products of matrices.
    learned: Vec<bool>,
    /// Whether something with several places.
    placed: Vec<bool>,
}

impl After {
    fn of(graph: &Graph, facts: &[LayerFacts]) -> Self {
        let mut has_places = vec![false; graph.values.len()];
        for (value, shape) in facts.iter().flat_map(|fact| fact.values.iter().zip(&fact.shapes)) {
            has_places[*value] = shape.iter().skip(2).any(|extent| *extent > 1);
        }
        let mut after = Self {
            learned: vec![false; graph.values.len()],
            placed: vec![false; graph.values.len()],
        };
        for layer in graph.layers.iter().rev() {
            let learns = !layer.kind.tensors().is_empty() || layer.kind == LayerKind::MatMul;
            let learned = learns || layer.outputs.iter().any(|output| after.learned[*output]);
            let placed = layer
                .outputs
                .iter()
                .any(|output| has_places[*output] || after.placed[*output]);
            for input in &layer.inputs {
                after.learned[*input] |= learned;
                after.placed[*input] |= placed;
            }
        }
        after
    }
}

/// Whether a layer has one value a channel, and more than one channel.
fn is_flat(fact: &LayerFacts) -> bool {
    fact.shapes
        .first()
        .and_then(|shape| shape.split_first())
        .and_then(|(_, shape)| shape.split_first())
        .is_some_and(|(channels, places)| *channels > 1 && places.iter().all(|extent| *extent == 1))
}
