//! `deepvis inspect`: a network's layers, their shapes and cost, and what can be pushed.

mod ending;
mod modules;
mod table;

use std::process::ExitCode;

use deepvis_importer::caffe;
use deepvis_importer::graph::Origin;
use deepvis_importer::names::suggest;
use deepvis_importer::{Doubt, Graph, Import, InputTransform, Weights};
use serde::Serialize;

use crate::ascent::Recipe;
use crate::cli::compute;
use crate::cli::error::Error;
use crate::cli::flags::InspectFlags;
use crate::cli::model::{ModelOptions, files_used};
use crate::cli::stdout::out;
use crate::model::{Settings, fit_input};
use crate::network::{LayerFacts, class_layer, survey_with_sizes};
use crate::session::memory;
use ending::{ending, known_as};
use modules::Module;
use table::{detail, memory_line, sums, table};

#[derive(Serialize)]
struct Report {
    name: String,
    /// The layer whose units stand for the classes.
    classes: Option<Classes>,
    /// Of ONNX networks whose exporter tells: the modules, as their authors call them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    modules: Vec<Module>,
    layers: Vec<LayerFacts>,
    parameters: u64,
    multiply_adds: u64,
    /// Of a climb, where the network takes an image.
    bytes: Option<Bytes>,
    #[serde(skip)]
    doubts: Vec<Doubt>,
}

/// Bytes that a climb of the last layer takes, as an estimate.
#[derive(Serialize)]
struct Bytes {
    /// Of one unit.
    one: u64,
    /// Of sixteen units together.
    sixteen: u64,
}

/// A layer of classes.
#[derive(Serialize)]
struct Classes {
    layer: String,
    units: usize,
}

pub(super) fn run(flags: &InspectFlags, settings: &Settings) -> anyhow::Result<ExitCode> {
    let mut options = ModelOptions::resolve(&flags.model, settings, flags.net.as_deref())?;
    let Loaded {
        mut graph,
        weights,
        mut warnings,
        doubts,
        transform,
    } = load(&options)?;
    if let Some(transform) = &transform {
        warnings.extend(options.source.take_images_as(transform));
    }
    if let Some(shape) = &options.source.input_shape {
        graph.set_input_shape(shape);
    }
    if let Some(weights) = &weights {
        warnings.extend(fit_input(&mut graph, weights, options.source.size));
    }
    warnings.extend(crate::cli::assumed_size(&graph, options.source.size));
    crate::cli::warn(&warnings);
    if let Some(files) = files_used(&options.source) {
        eprintln!("{files}");
    }
    if flags.tree && graph.origin == Origin::Caffe {
        return Err(
            Error::Usage("--tree: the layers of a Caffe network are a list, without modules in it".into()).into(),
        );
    }
    let memory = compute::memory(flags.max_memory.as_deref())?;
    let most_entries = usize::try_from(memory / 4).unwrap_or(usize::MAX);
    let (mut facts, sizes) = survey_with_sizes(&graph, weights.as_ref(), options.source.size, most_entries);
    let image = facts.iter().find(|fact| fact.is_input).and_then(|fact| {
        let [_, image @ ..] = <[usize; 4]>::try_from(fact.shapes.first()?.as_slice()).ok()?;
        Some(image)
    });
    let bytes = image.map(|image| {
        let recipe = Recipe::of_unit("", 0);
        let of = |units| memory::climb(&sizes, &recipe, image, units, false);
        Bytes {
            one: of(1),
            sixteen: of(16),
        }
    });
    let classes = class_layer(&graph, &facts).map(|fact| Classes {
        layer: match (graph.origin, fact.tops.first()) {
            (Origin::Onnx, Some(top)) => known_as(&graph, top).to_owned(),
            (Origin::Onnx, None) | (Origin::Caffe, _) => fact.name.clone(),
        },
        units: fact.shapes[0].get(1).copied().unwrap_or(1),
    });
    if let Some(layer) = &flags.layer {
        // Also by the path of a module, and all other names that can be pushed.
        let value = graph.target(layer).map(|target| graph.values[target.value].clone());
        let value = value.filter(|_| graph.origin == Origin::Onnx);
        facts.retain(|fact| match &value {
            Some(value) => fact.tops.contains(value),
            None => fact.name == *layer || fact.tops.contains(layer),
        });
        if facts.is_empty() {
            let mut names: Vec<&str> = graph.layers.iter().map(|layer| layer.name.as_str()).collect();
            names.extend(graph.targets.iter().map(|target| target.name.as_str()));
            return Err(Error::Usage(format!(
                "--layer {layer}: there is none; {}",
                suggest(layer, &names, 20)
            ))
            .into());
        }
    }
    let modules = match flags.layer {
        Some(_) => Vec::new(),
        None => modules::of(&graph, &facts),
    };
    let report = Report {
        name: graph.name.clone(),
        classes,
        modules,
        parameters: facts.iter().map(|fact| fact.parameters).sum(),
        multiply_adds: facts.iter().map(|fact| fact.multiply_adds).sum(),
        bytes,
        layers: facts,
        doubts,
    };
    if flags.json {
        out!("{}", serde_json::to_string_pretty(&report)?);
    } else if flags.layer.is_some() {
        report.layers.iter().for_each(|fact| detail(fact, &report.doubts));
    } else if report.modules.is_empty() {
        table(&report);
        ending(&report, &options, flags, weights.is_some());
    } else {
        modules::table(&report.modules, flags.tree);
        out!("\n{} modules, {}", report.modules.len(), sums(&report));
        memory_line(&report);
        ending(&report, &options, flags, weights.is_some());
    }
    Ok(ExitCode::SUCCESS)
}

/// The graph, and the weights where there are some: shapes and costs need none.
struct Loaded {
    graph: Graph,
    weights: Option<Weights>,
    warnings: Vec<String>,
    doubts: Vec<Doubt>,
    transform: Option<InputTransform>,
}

impl From<Import> for Loaded {
    fn from(import: Import) -> Self {
        Self {
            graph: import.graph,
            weights: Some(import.weights),
            warnings: import.warnings,
            doubts: import.doubts,
            transform: import.transform,
        }
    }
}

fn load(options: &ModelOptions) -> anyhow::Result<Loaded> {
    let source = &options.source;
    let (Some(deploy), None) = (&source.deploy, &source.weights) else {
        return Ok(source.import()?.into());
    };
    let description = caffe::read_graph_with(deploy, &source.read_options())?;
    Ok(Loaded {
        graph: description.graph,
        weights: None,
        warnings: description.warnings,
        doubts: description.doubts,
        transform: description.transform,
    })
}
