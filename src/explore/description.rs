//! What the page is told about the network.

use serde::Serialize;

use super::planner::{Preset, Setting};
use super::{Explorer, First};
use crate::network::survey;

/// The network, as a person sees it.
#[derive(Debug, Serialize)]
pub(super) struct Description {
    name: String,
    backend: String,
    version: &'static str,
    layers: Vec<LayerRow>,
    labels: Vec<String>,
    presets: Vec<Preset>,
    settings: Vec<Setting>,
    first: First,
}

/// A layer in the list.
#[derive(Debug, Clone, Serialize)]
pub(super) struct LayerRow {
    name: String,
    /// The name that it is pushed by; none where it cannot be.
    pub(super) push: Option<String>,
    kind: String,
    /// For one image, without the batch axis.
    pub(super) shape: Vec<usize>,
    parameters: u64,
    multiply_adds: u64,
    /// Why it cannot be pushed.
    problem: Option<String>,
    /// Whether labels name its channels.
    labelled: bool,
}

/// The layers in order, each blob once: by the layer that makes it, while layers that work in place say so.
pub(super) fn layers(explorer: &Explorer) -> Vec<LayerRow> {
    let model = &explorer.model;
    let (graph, weights) = (&model.import.graph, &model.import.weights);
    let facts = survey(graph, Some(weights), model.source.size, explorer.compute.most_entries);
    let mut rows: Vec<LayerRow> = Vec::new();
    for fact in &facts {
        let is_input = fact.kind == "Input" || fact.kind == "Data";
        let new: Vec<(&String, Option<&Vec<usize>>)> = fact
            .tops
            .iter()
            .enumerate()
            .map(|(index, top)| (top, fact.shapes.get(index)))
            .collect();
        let mut first = true;
        for (top, shape) in &new {
            let shape: Vec<usize> = shape
                .map(|shape| shape.iter().skip(1).copied().collect())
                .unwrap_or_default();
            let is_in_place = fact.bottoms.contains(top);
            let problem = match &fact.problem {
                Some(problem) => Some(problem.clone()),
                None if is_input => Some("it is the input".into()),
                None if is_in_place => Some(format!("it works in place: its result is {top}")),
                None if shape.is_empty() => Some("it holds no units".into()),
                None => None,
            };
            let channels = shape.first().copied().unwrap_or(0);
            let is_first = std::mem::take(&mut first);
            rows.push(LayerRow {
                name: if new.len() > 1 {
                    (*top).clone()
                } else {
                    fact.name.clone()
                },
                push: problem.is_none().then(|| (*top).clone()),
                kind: fact.kind.clone(),
                parameters: if is_first { fact.parameters } else { 0 },
                multiply_adds: if is_first { fact.multiply_adds } else { 0 },
                labelled: problem.is_none() && !model.labels.of_layer(top, channels).is_empty(),
                shape,
                problem,
            });
        }
        if new.is_empty() {
            rows.push(LayerRow {
                name: fact.name.clone(),
                push: None,
                kind: fact.kind.clone(),
                shape: Vec::new(),
                parameters: fact.parameters,
                multiply_adds: fact.multiply_adds,
                problem: fact.problem.clone().or_else(|| Some("it has no result".into())),
                labelled: false,
            });
        }
    }
    rows
}

/// Everything.
pub(super) fn description(explorer: &Explorer, layers: &[LayerRow]) -> Description {
    let labelled = layers.iter().find(|row| row.labelled);
    let labels = labelled.and_then(|row| Some(explorer.model.labels.of_layer(row.push.as_deref()?, row.shape[0])));
    Description {
        name: explorer.model.name(),
        backend: explorer.compute.name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        labels: labels.unwrap_or_default().to_vec(),
        layers: layers.to_vec(),
        presets: explorer.planner.presets(),
        settings: explorer.planner.settings(),
        first: explorer.first.clone(),
    }
}
