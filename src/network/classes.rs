//! Which layer of a network holds the classes.

use deepvis_importer::{Graph, LayerKind};

use super::survey::LayerFacts;

/// The layer whose units stand for the classes, as it is pushed: what the last softmax reads, else the last layer of one
/// value a channel. `None` where no such layer can be computed.
pub fn class_layer<'a>(graph: &'a Graph, facts: &'a [LayerFacts]) -> Option<&'a LayerFacts> {
    let softmax = graph
        .layers
        .iter()
        .rev()
        .find(|layer| matches!(layer.kind, LayerKind::Softmax { .. }));
    let read = softmax.and_then(|layer| graph.values.get(*layer.inputs.first()?));
    let writes = |fact: &&LayerFacts| fact.problem.is_none() && fact.kind != "Input" && !fact.tops.is_empty();
    let of_softmax = read.and_then(|read| facts.iter().filter(writes).find(|fact| fact.tops.contains(read)));
    of_softmax.or_else(|| facts.iter().filter(writes).rev().find(|fact| is_flat(fact)))
}

/// Whether a layer has one value a channel, and more than one channel.
fn is_flat(fact: &LayerFacts) -> bool {
    fact.shapes
        .first()
        .and_then(|shape| shape.split_first())
        .and_then(|(_, shape)| shape.split_first())
        .is_some_and(|(channels, places)| *channels > 1 && places.iter().all(|extent| *extent == 1))
}
