//! `deepvis inspect`: a network's layers, their shapes and cost, and what can be pushed.

mod modules;

use std::borrow::Cow;
use std::ops::Range;
use std::process::ExitCode;

use deepvis_importer::caffe;
use deepvis_importer::graph::Origin;
use deepvis_importer::names::suggest;
use deepvis_importer::{Doubt, Format, Graph, Import, InputTransform, Weights};
use serde::Serialize;

use crate::ascent::Recipe;
use crate::cli::compute;
use crate::cli::error::Error;
use crate::cli::flags::InspectFlags;
use crate::cli::model::{ModelOptions, files_used};
use crate::cli::shell::quoted;
use crate::cli::stdout::out;
use crate::model::preprocessing::ChannelOrder;
use crate::model::{Scheme, Settings, fit_input, is_whole};
use crate::network::{LayerFacts, class_layer, gigabytes, survey_with_sizes};
use crate::session::memory;
use modules::Module;

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
    let read = options.source.read_options();
    match (&options.source.deploy, &options.source.weights) {
        (_, Some(weights)) if is_whole(weights) => {
            Ok(deepvis_importer::open(weights, options.source.given_size())?.into())
        }
        (Some(deploy), Some(weights)) => Ok(caffe::import_with(deploy, weights, &read)?.into()),
        (Some(deploy), None) => {
            let description = caffe::read_graph_with(deploy, &read)?;
            Ok(Loaded {
                graph: description.graph,
                weights: None,
                warnings: description.warnings,
                doubts: description.doubts,
                transform: description.transform,
            })
        }
        (None, Some(weights)) if Format::of(weights)? == Format::Caffemodel => {
            Err(crate::model::Error::half(weights, "prototxt").into())
        }
        (None, Some(weights)) => Ok(deepvis_importer::open(weights, options.source.given_size())?.into()),
        (None, None) => Err(crate::model::Error::NoNetwork.into()),
    }
}

/// Whether a layer can be pushed, and what of its settings is not known.
fn pushable(fact: &LayerFacts, doubts: &[Doubt]) -> String {
    let unknown: Vec<&str> = doubts
        .iter()
        .filter(|doubt| doubt.layer == fact.name)
        .map(|doubt| doubt.field.as_str())
        .collect();
    match &fact.problem {
        Some(problem) => format!("no: {problem}"),
        None if fact.is_input => "no: the input".to_owned(),
        None if unknown.is_empty() => "yes".to_owned(),
        None => format!("yes, but it may compute otherwise: {} is not known", unknown.join(", ")),
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

/// The same, nothing for none.
fn or_blank(number: u64) -> String {
    if number == 0 { String::new() } else { grouped(number) }
}

/// The widest column, in characters: what is longer pushes the rest of its own line to the right, and not that of all others.
const WIDEST: usize = 60;
/// The longest text of a cell: names may have thousands of characters.
const LONGEST: usize = 160;

/// A cell's text, without its end where it is too long.
fn cell(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Prints rows below each other, columns of `numbers` to the right; the last column has no width.
fn columns<const N: usize>(rows: &[[String; N]], numbers: Range<usize>) {
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0).min(WIDEST)
    };
    let widths: Vec<usize> = (0..N - 1).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (column, (text, width)) in row.iter().zip(&widths).enumerate() {
            let text = cell(text);
            line += &if numbers.contains(&column) {
                format!("{text:>width$}  ")
            } else {
                format!("{text:<width$}  ")
            };
        }
        out!("{line}{}", cell(&row[N - 1]));
    }
}

fn table(report: &Report) {
    let rows: Vec<[String; 6]> = report
        .layers
        .iter()
        .map(|fact| {
            let pushable = pushable(fact, &report.doubts);
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
    columns(&[vec![head], rows].concat(), 3..5);
    out!("\n{}", sums(report));
    memory_line(report);
}

/// What the whole network has.
fn sums(report: &Report) -> String {
    format!(
        "{} layers, {} parameters, {} multiply-adds an image",
        report.layers.len(),
        grouped(report.parameters),
        grouped(report.multiply_adds)
    )
}

/// What climbing takes.
fn memory_line(report: &Report) {
    if let Some(bytes) = &report.bytes {
        out!(
            "memory: about {} for a unit of the last layer, {} for 16 of them together",
            gigabytes(bytes.one),
            gigabytes(bytes.sixteen)
        );
    }
}

/// The name by which people know a value.
fn known_as<'a>(graph: &'a Graph, value: &'a str) -> &'a str {
    let place = graph.values.iter().rposition(|name| name == value);
    place.map_or(value, |place| graph.known_as(place))
}

/// Which layer holds the classes, and a command that pushes one of them.
fn ending(report: &Report, options: &ModelOptions, flags: &InspectFlags, has_weights: bool) {
    let Some(classes) = &report.classes else { return };
    out!("classes: the {} units of layer {}", classes.units, classes.layer);
    if !has_weights {
        out!("no weights that fit are beside the prototxt: nothing can be pushed without them");
        return;
    }
    let settings = &options.settings;
    let channel = settings
        .push_channel
        .filter(|channel| *channel < classes.units)
        .unwrap_or(0);
    let mut words = vec!["deepvis".to_owned(), "optimize".into()];
    if let Some(net) = &flags.net {
        words.push(quoted(&net.to_string_lossy()));
    } else {
        let flags = &flags.model;
        for (flag, path) in [
            ("--model", &flags.model),
            ("--caffe-root", &flags.caffe_root),
            ("--deploy-proto", &flags.deploy_proto),
            ("--net-weights", &flags.net_weights),
        ] {
            if let Some(path) = path {
                words.extend([flag.to_owned(), quoted(&path.to_string_lossy())]);
            }
        }
    }
    let typed = [
        ("--mean", flags.model.mean.as_deref()),
        ("--preprocess", flags.model.preprocess.map(Scheme::name)),
        ("--input-std", flags.model.input_std.as_deref()),
        ("--input-scale", flags.model.input_scale.as_deref()),
        ("--channel-order", flags.model.channel_order.map(ChannelOrder::name)),
        ("--channel-swap-to-rgb", flags.model.channel_swap_to_rgb.as_deref()),
        ("--data-size", flags.model.data_size.as_deref()),
        ("--input-shape", flags.model.input_shape.as_deref()),
        ("--push-layer", Some(classes.layer.as_str())),
        ("--push-channel", Some(&channel.to_string())),
        ("--preset", settings.preset.is_none().then_some("paper-3")),
    ];
    for (flag, value) in typed {
        words.extend(value.into_iter().flat_map(|value| [flag.to_owned(), quoted(value)]));
    }
    out!("one of them: {}", words.join(" "));
}

fn detail(fact: &LayerFacts, doubts: &[Doubt]) {
    out!("{} ({})", fact.name, fact.kind);
    out!("  reads          {}", fact.bottoms.join(", "));
    out!("  writes         {}", fact.tops.join(", "));
    out!("  output         {}", shapes(fact));
    if let (Some(axes), Some(shape)) = (fact.axes.first(), fact.shapes.first())
        && !axes.names(shape).is_empty()
    {
        let token = if axes.class_token {
            "; token 0 is the class token"
        } else {
            ""
        };
        out!("  axes           {}{token}", axes.names(shape).join(" x "));
    }
    out!("  parameters     {}", grouped(fact.parameters));
    out!("  multiply-adds  {}", grouped(fact.multiply_adds));
    out!("  can be pushed  {}", pushable(fact, doubts));
}
