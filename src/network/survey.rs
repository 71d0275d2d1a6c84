//! Facts about every layer of a net, found without its weights.

use std::collections::BTreeSet;

use burn::tensor::Device;
use deepvis_importer::graph::ValueId;
use deepvis_importer::{Graph, Layer, LayerKind, Weights};
use serde::Serialize;

use super::axes::{Axes, axes};
use super::build::{Builder, InputSize, entries, input_shape, is_same};
use super::layers::Forward;
use super::memory::Sizes;
use super::passes::{fold, gather};
use super::run::Step;

/// What `deepvis inspect` shows of a layer.
#[derive(Debug, Clone, Serialize)]
pub struct LayerFacts {
    /// Its name.
    pub name: String,
    /// Its type, as the prototxt spells it.
    #[serde(rename = "type")]
    pub kind: String,
    /// The blobs it reads.
    pub bottoms: Vec<String>,
    /// The blobs it writes.
    pub tops: Vec<String>,
    /// The tops as the graph counts them.
    #[serde(skip)]
    pub(super) values: Vec<ValueId>,
    /// Shapes of the tops for one image; empty where they cannot be known.
    pub shapes: Vec<Vec<usize>>,
    /// What their axes mean.
    pub axes: Vec<Axes>,
    /// Names of the stored tensors that it uses.
    pub parameter_names: Vec<String>,
    /// Their shapes.
    pub parameter_shapes: Vec<Vec<usize>>,
    /// Learned numbers.
    pub parameters: u64,
    /// Multiply-adds for one image, of the layers whose cost they dominate.
    pub multiply_adds: u64,
    /// Whether it is an input of the network.
    pub is_input: bool,
    /// Whether a unit of it can be pushed; if not, why.
    pub problem: Option<String>,
    /// In what its weights are not those of the file, if in anything.
    #[serde(skip)]
    pub misfit: Option<String>,
}

impl LayerFacts {
    /// Whether a unit of it can be pushed: it is computed, from one image.
    pub fn can_be_pushed(&self) -> bool {
        self.problem.is_none() && !self.is_input
    }
}

/// Facts about all layers, in order.
pub fn survey(graph: &Graph, weights: Option<&Weights>, size: InputSize, most_entries: usize) -> Vec<LayerFacts> {
    survey_with_sizes(graph, weights, size, most_entries).0
}

/// The same, and what decides how much memory all layers that can be computed take.
pub fn survey_with_sizes(
    graph: &Graph,
    weights: Option<&Weights>,
    size: InputSize,
    most_entries: usize,
) -> (Vec<LayerFacts>, Sizes) {
    let device = Device::flex();
    // Shapes come from the graph alone; which weights are missing is looked up.
    let mut builder = Builder::new(graph, None, &device, most_entries);
    let mut facts: Vec<LayerFacts> = Vec::with_capacity(graph.layers.len());
    let mut problems = Problems::new(graph);
    let (mut modules, mut steps) = (Vec::new(), Vec::new());
    let mut weights_in_all: usize = 0;
    for layer in &graph.layers {
        let mut fact = LayerFacts {
            name: layer.name.clone(),
            kind: layer.type_name.clone(),
            bottoms: graph.names(&layer.inputs),
            tops: graph.names(&layer.outputs),
            values: layer.outputs.clone(),
            shapes: Vec::new(),
            axes: Vec::new(),
            parameter_names: Vec::new(),
            parameter_shapes: Vec::new(),
            parameters: 0,
            multiply_adds: 0,
            is_input: matches!(layer.kind, LayerKind::Input { .. }),
            problem: None,
            misfit: None,
        };
        let mut module = None;
        match &layer.kind {
            LayerKind::Input { shape } => {
                let shape = input_shape(shape.as_deref(), size);
                if entries(&shape).is_none_or(|entries| entries > most_entries) {
                    fact.problem = Some(format!("an input of shape {shape:?} does not fit memory"));
                } else if let Some(value) = layer.outputs.first() {
                    builder.shapes[*value] = Some(shape.clone());
                }
                fact.shapes.push(shape);
            }
            LayerKind::Sink => fact.problem = Some("computes nothing that a picture could change".into()),
            LayerKind::Unsupported { reason } => {
                fact.problem = Some(match reason {
                    Some(reason) => reason.clone(),
                    None => format!("type {} is not supported", layer.type_name),
                });
            }
            _ if !builder.has_inputs_of(layer) => {
                fact.problem = Some("depends on a layer that cannot be computed".into());
            }
            _ => match builder.layer(layer) {
                Ok(built) => {
                    fact.multiply_adds = built.module.multiply_adds();
                    let shapes = layer
                        .outputs
                        .iter()
                        .filter_map(|output| builder.shapes[*output].clone());
                    fact.shapes = shapes.collect();
                    module = Some(built.module);
                    (fact.parameter_names, fact.parameter_shapes) = built.tensors.into_iter().unzip();
                }
                Err(error) => fact.problem = Some(error.to_string()),
            },
        }
        if let Some(weights) = weights {
            fact.misfit = misfit(&fact, weights);
        }
        if fact.problem.is_none() {
            fact.problem.clone_from(&fact.misfit);
        }
        if let (Some(module), None) = (module, &fact.problem) {
            modules.push(module);
            steps.push(Step::of(layer));
            let stored = fact
                .parameter_shapes
                .iter()
                .map(|shape| entries(shape).unwrap_or(usize::MAX));
            weights_in_all = stored.fold(weights_in_all, usize::saturating_add);
        }
        problems.note(layer, &mut fact, &builder.shapes);
        let count = |shape: &Vec<usize>| shape.iter().map(|extent| *extent as u64).product::<u64>();
        fact.parameters = fact.parameter_shapes.iter().map(count).sum();
        // Steps of one layer of the file are one line.
        let hands_on = |last: &LayerFacts| last.name == fact.name && last.tops == fact.bottoms && !last.is_input;
        let is_hidden = !layer.inputs.is_empty()
            && layer
                .inputs
                .iter()
                .all(|input| graph.targets.iter().all(|target| target.value != *input));
        match facts.last_mut().filter(|last| is_hidden && hands_on(last)) {
            Some(last) => last.add_step(fact),
            None => facts.push(fact),
        }
    }
    let known = axes(graph, &builder.shapes);
    for fact in &mut facts {
        let shaped = fact.values.iter().take(fact.shapes.len());
        fact.axes = shaped.map(|value| known[*value]).collect();
    }
    // Its name is pushed: where a layer overwrites it in place, that one is computed too.
    for fact in facts.iter_mut().filter(|fact| fact.problem.is_none() && !fact.is_input) {
        let target = fact.tops.first().and_then(|top| graph.target(top));
        fact.problem = target.and_then(|target| problems.of(target.value).or(problems.of(target.pushed)));
    }
    // As a network is built: what nobody reads is what was asked for.
    let mut is_read = vec![false; graph.values.len()];
    for value in steps.iter().flat_map(|step: &Step| &step.reads) {
        is_read[*value] = true;
    }
    let ends: Vec<ValueId> = (0..is_read.len()).filter(|value| !is_read[*value]).collect();
    fold::into_convolutions(&mut modules, &mut steps, &ends);
    gather::functions(&mut modules, &mut steps, &ends);
    let count = |shape: &Option<Vec<usize>>| shape.as_ref().map_or(0, |shape| entries(shape).unwrap_or(usize::MAX));
    let counts: Vec<usize> = builder.shapes.iter().map(count).collect();
    (facts, Sizes::of(&modules, &steps, &counts, weights_in_all))
}

impl LayerFacts {
    /// Adds another step of the same layer, which reads what the ones before wrote.
    fn add_step(&mut self, step: Self) {
        self.tops = step.tops;
        self.values = step.values;
        self.shapes = step.shapes;
        self.parameter_names.extend(step.parameter_names);
        self.parameter_shapes.extend(step.parameter_shapes);
        self.parameters += step.parameters;
        self.multiply_adds += step.multiply_adds;
        self.problem = self.problem.take().or(step.problem);
        self.misfit = self.misfit.take().or(step.misfit);
    }
}

/// Why values cannot be computed from one image, and which inputs they depend on.
struct Problems<'a> {
    graph: &'a Graph,
    found: Vec<Option<String>>,
    /// Whether a value depends on weights that are not of this network.
    misfits: Vec<bool>,
    inputs: Vec<BTreeSet<ValueId>>,
}

impl<'a> Problems<'a> {
    fn new(graph: &'a Graph) -> Self {
        Self {
            graph,
            found: vec![None; graph.values.len()],
            misfits: vec![false; graph.values.len()],
            inputs: vec![BTreeSet::new(); graph.values.len()],
        }
    }

    fn of(&self, value: ValueId) -> Option<String> {
        self.found.get(value).cloned().flatten()
    }

    /// Notes what is known of a layer's values once it is surveyed, and adds what keeps it from being pushed.
    fn note(&mut self, layer: &Layer, fact: &mut LayerFacts, shapes: &[Option<Vec<usize>>]) {
        if fact.is_input {
            for output in &layer.outputs {
                self.inputs[*output].insert(*output);
            }
            return;
        }
        let read = layer
            .inputs
            .iter()
            .flat_map(|input| self.inputs[*input].iter().copied());
        let inputs: BTreeSet<ValueId> = read.collect();
        let names = || self.graph.names(&inputs.iter().copied().collect::<Vec<_>>()).join(", ");
        let is_image = |input: &ValueId| shapes[*input].as_ref().is_some_and(|shape| shape.len() == 4);
        let is_misfit = layer.inputs.iter().any(|input| self.misfits[*input]);
        if fact.problem.is_none() && layer.inputs.iter().any(|input| self.of(*input).is_some()) {
            fact.problem = Some(if is_misfit {
                "depends on a layer whose weights are not of this network".to_owned()
            } else {
                "depends on a layer that cannot be computed".to_owned()
            });
        }
        // A constant is no unit, but what depends on it may be.
        let is_constant = fact.problem.is_none() && inputs.is_empty();
        if fact.problem.is_none() {
            fact.problem = match inputs.len() {
                0 => Some("no image reaches it".to_owned()),
                1 if inputs.iter().all(is_image) => None,
                1 => Some(format!("depends on \"{}\", which is no image", names())),
                _ => Some(format!(
                    "depends on several inputs ({}); only one image can be optimized",
                    names()
                )),
            };
        }
        for output in &layer.outputs {
            if !is_constant {
                self.found[*output].clone_from(&fact.problem);
            }
            self.misfits[*output] = is_misfit || fact.misfit.is_some();
            self.inputs[*output].clone_from(&inputs);
        }
    }
}

/// In what the weights that a layer asks for are not those of the file.
fn misfit(fact: &LayerFacts, weights: &Weights) -> Option<String> {
    let mut asked_for = fact.parameter_names.iter().zip(&fact.parameter_shapes);
    asked_for.find_map(|(name, shape)| match weights.get(name) {
        None => Some("the weights file has none for it".into()),
        Some(stored) if !is_same(stored.shape(), shape) => Some(format!(
            "its weights should be of shape {shape:?}, in the file they are of {:?}",
            stored.shape()
        )),
        Some(_) => None,
    })
}
