//! Facts about every layer of a net, found without its weights.

use std::cell::RefCell;

use burn::tensor::Device;
use deepvis_importer::{Graph, LayerKind, Weights};
use serde::Serialize;

use super::build::{LayerBuild, entries};
use super::layer::{self, Forward};
use super::net::InputSize;
use super::wiring::Wiring;

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
    /// Shapes of the tops for one image; empty where they cannot be known.
    pub shapes: Vec<Vec<usize>>,
    /// Shapes of its learned blobs, in Caffe's order.
    pub parameter_shapes: Vec<Vec<usize>>,
    /// Learned numbers.
    pub parameters: u64,
    /// Multiply-adds for one image, of the layers whose cost they dominate.
    pub multiply_adds: u64,
    /// Whether a unit of it can be pushed; if not, why.
    pub problem: Option<String>,
}

/// Facts about all layers, in order.
pub fn survey(graph: &Graph, weights: Option<&Weights>, size: InputSize, most_entries: usize) -> Vec<LayerFacts> {
    let wiring = Wiring::new(graph);
    let device = Device::flex();
    let mut shapes: Vec<Option<Vec<usize>>> = vec![None; wiring.versions()];
    let mut facts = Vec::with_capacity(graph.layers.len());
    for (spec, wire) in graph.layers.iter().zip(&wiring.wires) {
        let mut fact = LayerFacts {
            name: spec.name.clone(),
            kind: spec.type_name.clone(),
            bottoms: spec.bottoms.clone(),
            tops: spec.tops.clone(),
            shapes: Vec::new(),
            parameter_shapes: Vec::new(),
            parameters: 0,
            multiply_adds: 0,
            problem: None,
        };
        let bottoms: Option<Vec<&[usize]>> = wire.reads.iter().map(|version| shapes[*version].as_deref()).collect();
        match (&spec.kind, bottoms) {
            (LayerKind::Input { shape }, _) => {
                let mut shape = shape.clone().unwrap_or_else(|| vec![1, 3, 227, 227]);
                if let (InputSize::Resized(rows_columns), [_, _, rows, columns]) = (size, shape.as_mut_slice()) {
                    [*rows, *columns] = rows_columns;
                }
                if entries(&shape).is_none_or(|entries| entries > most_entries) {
                    fact.problem = Some(format!("an input of shape {shape:?} does not fit memory"));
                }
                fact.shapes.push(shape);
            }
            (LayerKind::Sink, _) => fact.problem = Some("computes nothing that a picture could change".into()),
            (LayerKind::Unsupported, _) => fact.problem = Some(format!("type {} is not supported", spec.type_name)),
            (_, None) => fact.problem = Some("depends on a layer that cannot be computed".into()),
            (_, Some(bottoms)) => {
                let build = LayerBuild {
                    layer: spec,
                    bottoms,
                    learned: None,
                    device: &device,
                    most_entries,
                    asked_for: RefCell::default(),
                };
                let built = layer::build(&build);
                fact.parameter_shapes = build.asked_for.take().into_values().collect();
                match built {
                    Ok((module, tops)) => {
                        fact.multiply_adds = module.multiply_adds();
                        fact.shapes = tops;
                    }
                    Err(error) => fact.problem = Some(error.to_string()),
                }
            }
        }
        for (version, shape) in wire.writes.iter().zip(&fact.shapes) {
            if fact.problem.is_none() {
                shapes[*version] = Some(shape.clone());
            }
        }
        let missing = spec.kind.has_weights() && weights.is_some_and(|w| w.of(&spec.name).is_empty());
        if missing && fact.problem.is_none() {
            fact.problem = Some("the weights file has none for it".into());
        }
        let count = |shape: &Vec<usize>| shape.iter().map(|extent| *extent as u64).product::<u64>();
        fact.parameters = fact.parameter_shapes.iter().map(count).sum();
        facts.push(fact);
    }
    facts
}
