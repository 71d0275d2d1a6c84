//! `deepvis inspect`: a network's layers, their shapes and cost, and what can be pushed.

use std::path::Path;
use std::process::ExitCode;

use deepvis_importer::names::suggest;
use deepvis_importer::{Graph, Weights, record};
use serde::Serialize;

use super::device::free_memory;
use super::error::Error;
use super::flags::InspectFlags;
use super::model::{ModelOptions, is_burnpack};
use super::settings::Settings;
use super::stdout::out;
use crate::network::{LayerFacts, survey};

#[derive(Serialize)]
struct Report {
    name: String,
    layers: Vec<LayerFacts>,
    parameters: u64,
    multiply_adds: u64,
}

pub(super) fn run(flags: &InspectFlags, settings: &Settings) -> anyhow::Result<ExitCode> {
    let options = ModelOptions::resolve(&flags.model, settings, flags.net.as_deref())?;
    let (mut graph, weights, warnings) = load(&options)?;
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
    if let Some(shape) = &options.input_shape {
        graph.set_input_shape(shape);
    }
    let most_entries = usize::try_from(free_memory() / 4).unwrap_or(usize::MAX);
    let mut facts = survey(&graph, weights.as_ref(), options.size, most_entries);
    if let Some(layer) = &flags.layer {
        let names: Vec<&str> = graph.layers.iter().map(|layer| layer.name.as_str()).collect();
        facts.retain(|fact| fact.name == *layer || fact.tops.contains(layer));
        if facts.is_empty() {
            return Err(Error::Usage(format!(
                "--layer {layer}: there is none; {}",
                suggest(layer, &names, 20)
            ))
            .into());
        }
    }
    let report = Report {
        name: graph.name,
        parameters: facts.iter().map(|fact| fact.parameters).sum(),
        multiply_adds: facts.iter().map(|fact| fact.multiply_adds).sum(),
        layers: facts,
    };
    if flags.json {
        out!("{}", serde_json::to_string_pretty(&report)?);
    } else if flags.layer.is_some() {
        report.layers.iter().for_each(detail);
    } else {
        table(&report);
    }
    Ok(ExitCode::SUCCESS)
}

/// The graph, and the weights where there are some: shapes and costs need none.
fn load(options: &ModelOptions) -> anyhow::Result<(Graph, Option<Weights>, Vec<String>)> {
    match (&options.deploy, &options.weights) {
        (_, Some(weights)) if is_burnpack(weights) => {
            let import = record::open(weights)?;
            Ok((import.graph, Some(import.weights), import.warnings))
        }
        (Some(deploy), Some(weights)) => {
            let import = deepvis_importer::import(deploy, weights)?;
            Ok((import.graph, Some(import.weights), import.warnings))
        }
        (Some(deploy), None) => {
            let (graph, warnings) = deepvis_importer::read_graph(deploy)?;
            Ok((graph, None, warnings))
        }
        (None, Some(weights)) => Err(Error::NoFile {
            flag: "--deploy-proto",
            path: weights.parent().unwrap_or(Path::new("")).join("deploy.prototxt"),
        }
        .into()),
        (None, None) => Err(Error::NoNetwork.into()),
    }
}

fn shapes(fact: &LayerFacts) -> String {
    let shape = |shape: &Vec<usize>| {
        shape
            .iter()
            .skip(1)
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" x ")
    };
    fact.shapes.iter().map(shape).collect::<Vec<_>>().join(", ")
}

/// Thousands apart, to be read.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

fn table(report: &Report) {
    let rows: Vec<[String; 6]> = report
        .layers
        .iter()
        .map(|fact| {
            let pushable = match (&fact.problem, fact.kind.as_str()) {
                (Some(problem), _) => format!("no: {problem}"),
                (None, "Input" | "Data") => "no: the input".to_owned(),
                (None, _) => "yes".to_owned(),
            };
            let or_blank = |number: u64| if number == 0 { String::new() } else { grouped(number) };
            [
                fact.name.clone(),
                fact.kind.clone(),
                shapes(fact),
                or_blank(fact.parameters),
                or_blank(fact.multiply_adds),
                pushable,
            ]
        })
        .collect();
    let head = [
        "layer",
        "type",
        "output",
        "parameters",
        "multiply-adds",
        "can be pushed",
    ]
    .map(str::to_owned);
    let width = |column: usize| {
        rows.iter()
            .chain([&head])
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths = [0, 1, 2, 3, 4].map(width);
    for [name, kind, shape, parameters, adds, pushable] in [&head].into_iter().chain(&rows) {
        out!(
            "{name:<0$}  {kind:<1$}  {shape:<2$}  {parameters:>3$}  {adds:>4$}  {pushable}",
            widths[0],
            widths[1],
            widths[2],
            widths[3],
            widths[4]
        );
    }
    out!(
        "\n{} layers, {} parameters, {} multiply-adds an image",
        report.layers.len(),
        grouped(report.parameters),
        grouped(report.multiply_adds)
    );
}

fn detail(fact: &LayerFacts) {
    out!("{} ({})", fact.name, fact.kind);
    out!("  reads          {}", fact.bottoms.join(", "));
    out!("  writes         {}", fact.tops.join(", "));
    out!("  output         {}", shapes(fact));
    out!("  parameters     {}", grouped(fact.parameters));
    out!("  multiply-adds  {}", grouped(fact.multiply_adds));
    out!(
        "  can be pushed  {}",
        fact.problem
            .as_deref()
            .map_or_else(|| "yes".into(), |why| format!("no: {why}"))
    );
}
