//! What one invocation has to do: layers, and the units and seeds of each.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::Context;
use deepvis_importer::Graph;
use deepvis_importer::graph::Origin;
use deepvis_importer::names::counted;
use globset::Glob;

use super::options::OptimizeOptions;
use super::selection;
use super::tokens::{self, Tokens};
use crate::ascent::{Image, Recipe};
use crate::cli::error::{Error, Result};
use crate::model::Model;
use crate::network::{Axes, LayerFacts, survey};
use crate::objective::{self, Channel, Expression, Unit};
use crate::parameterization::{Colour, Parameterization};
use crate::session::{LayerPlan, Shard, labelled, magnitude_of, picture_size};

/// What one invocation has to do.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) layers: Vec<LayerPlan>,
    /// Of each layer, its tokens, if it has some.
    pub(super) tokens: Vec<Option<Tokens>>,
    /// Channels, rows, columns of the network's input.
    pub(super) image: [usize; 3],
    /// Rows and columns of the picture to start from, where one can be read.
    pub(super) start: Option<[usize; 2]>,
}

impl Plan {
    /// Units of all layers.
    pub(super) fn units(&self) -> usize {
        self.layers.iter().map(|plan| plan.recipes.len()).sum()
    }
}

/// The work, layer by layer, channel by channel, seed by seed; of several shards every `count`th unit.
pub(super) fn plan(
    options: &OptimizeOptions,
    model: &Model,
    shard: Option<Shard>,
    most_entries: usize,
) -> anyhow::Result<Plan> {
    let facts = survey(
        &model.import.graph,
        Some(&model.import.weights),
        model.source.size,
        most_entries,
    );
    let pushable = pushable(&model.import.graph, &facts);
    let layers = match &options.recipe.formula {
        Some(formula) => of_formula(formula),
        None => layers(&options.layers, &pushable)?,
    };
    let mut number = 0;
    let mut plans = Vec::with_capacity(layers.len());
    let mut tokens = Vec::with_capacity(layers.len());
    for layer in layers {
        let known = pushable.iter().rev().find(|known| known.name == layer);
        tokens.push(known.and_then(|known| Tokens::of(known.axes, known.shape)));
        let shape = match known {
            Some(known) => known.axes.channels_first(known.shape),
            None if model.import.graph.target(&layer).is_none() => {
                return Err(Error::Usage(unknown(&layer, &pushable, options)).into());
            }
            // The network says best why a layer cannot be had.
            None => model.shape(&layer, most_entries)?,
        };
        let extents = objective::extents(&shape, &layer).map_err(crate::session::Error::from)?;
        let mut recipes = recipes(options, model, &layer, extents, tokens.last().copied().flatten())?;
        // Before anything climbs: all of them are of one place.
        if let Some(recipe) = recipes.first() {
            let unit = &recipe.objective.unit;
            unit.place(extents)
                .map_err(crate::session::Error::from)
                .with_context(|| unit.to_string())?;
        }
        recipes.retain(|recipe| {
            // A company is one unit of the work.
            let is_next = recipe.company.first().is_none_or(|first| *first == recipe.seed);
            number += usize::from(is_next);
            shard.is_none_or(|shard| shard.holds(number - 1))
        });
        plans.push(LayerPlan {
            layer,
            shape,
            extents,
            recipes,
        });
    }
    let first = plans.first().map(|plan| plan.layer.as_str()).unwrap_or_default();
    let image = model.image(first, most_entries)?;
    let picture = picture_size(&options.recipe);
    let start = picture.as_ref().ok().copied().flatten();
    if options.recipe.size.is_none()
        && let Some(modern) = options.modern
    {
        let size = modern.size([image[1], image[2]], picture?);
        for recipe in plans.iter_mut().flat_map(|plan| &mut plan.recipes) {
            recipe.size = size;
        }
    }
    if let Some(folder) = &options.spectrum_from {
        set_magnitude(folder, model, image, &mut plans)?;
    }
    Ok(Plan {
        layers: plans,
        tokens,
        image,
        start,
    })
}

/// A value that can be pushed.
struct Pushable<'a> {
    /// By this name.
    name: &'a str,
    /// For one image, with the batch axis.
    shape: &'a [usize],
    axes: Axes,
    /// The value as the file calls it: several names may stand for one.
    value: &'a str,
}

/// What can be pushed, by every name that it can be asked for by, names that people know first. Of a Caffe network, layers are
/// pushed by the blob that carries their name.
fn pushable<'a>(graph: &'a Graph, facts: &'a [LayerFacts]) -> Vec<Pushable<'a>> {
    let mut values: Vec<Pushable<'a>> = Vec::new();
    for fact in facts.iter().filter(|fact| fact.can_be_pushed()) {
        let tops = fact.tops.iter().zip(&fact.shapes).zip(&fact.axes);
        values.extend(tops.map(|((top, shape), axes)| Pushable {
            name: top,
            shape,
            axes: *axes,
            value: top,
        }));
    }
    match graph.origin {
        Origin::Caffe => values,
        Origin::Onnx => {
            let by_value: HashMap<&str, &Pushable<'_>> = values.iter().map(|known| (known.value, known)).collect();
            let targets = graph.targets.iter().filter_map(|target| {
                let known = by_value.get(graph.values.get(target.value)?.as_str())?;
                Some(Pushable {
                    name: &target.name,
                    ..**known
                })
            });
            targets.collect()
        }
    }
}

/// Gives all recipes the mean magnitude of a folder's pictures.
fn set_magnitude(folder: &Path, model: &Model, image: [usize; 3], plans: &mut [LayerPlan]) -> anyhow::Result<()> {
    let mut recipes = plans.iter_mut().flat_map(|plan| &mut plan.recipes).peekable();
    let Some(first) = recipes.peek() else { return Ok(()) };
    let size = first.picture(image);
    let mut known = None;
    for recipe in recipes {
        let Image::Parameterized(spec) = &mut recipe.image else {
            continue;
        };
        let Parameterization::Maco { magnitude } = &mut spec.parameterization else {
            continue;
        };
        if known.is_none() {
            let swap = model.source.preprocessing.swap;
            let is_decorrelated = spec.colour == Colour::Decorrelated;
            known = Some(magnitude_of(folder, size, swap, is_decorrelated)?);
        }
        magnitude.clone_from(&known);
    }
    Ok(())
}

/// Layers that are named where one is asked for that is none.
const LAST_LAYERS: usize = 4;

/// That there is no such layer, and which there are.
fn unknown(layer: &str, pushable: &[Pushable<'_>], options: &OptimizeOptions) -> String {
    let mut seen = HashSet::new();
    let all: Vec<&str> = pushable
        .iter()
        .map(|known| known.name)
        .filter(|name| seen.insert(*name))
        .collect();
    // Each value by the first of its names.
    let mut seen = HashSet::new();
    let mut known: Vec<&str> = Vec::new();
    for one in pushable {
        if seen.insert(one.value) {
            known.push(one.name);
        }
    }
    let last = known[known.len().saturating_sub(LAST_LAYERS)..].join(", ");
    if options.layer_is_assumed && options.recipe.formula.is_none() {
        return format!(
            "no layer \"{layer}\", which is meant where no --push-layer is given: name one; the last layers are {last}"
        );
    }
    let near = deepvis_importer::names::suggest(layer, &all, 20);
    let bundled = if options.model.is_bundled {
        ". This is the bundled network, since none was named; `deepvis fetch caffenet-yos` brings the original's"
    } else {
        ""
    };
    // "Did you mean …?" ends a sentence by itself, a list does not.
    let end = if near.ends_with('?') { "" } else { "." };
    format!("no layer \"{layer}\": {near}{end} The last layers are {last}{bundled}")
}

/// The layer that stands for a formula: that of the first unit, else the first.
fn of_formula(formula: &Expression) -> Vec<String> {
    let unit = formula.first_unit().map(|(layer, _, _)| layer);
    let layer = unit.or(formula.layers().first().copied()).unwrap_or_default();
    vec![layer.to_owned()]
}

/// The channel that stands for a formula: that of the first unit, else 0.
fn channel_of(formula: &Expression, model: &Model, layer: &str, channels: usize) -> Result<usize> {
    let channel = match formula.first_unit() {
        Some((_, Channel::Index(channel), _)) => *channel,
        Some((_, Channel::Label(label), _)) => labelled(&model.labels, layer, channels, label)
            .map_err(|message| Error::Usage(format!("--objective: {message}")))?,
        None => 0,
    };
    if channel < channels {
        return Ok(channel);
    }
    Err(Error::Usage(format!(
        "--objective: layer \"{layer}\" has {} (from 0 to {}), but no {channel}",
        counted(channels, "channel"),
        channels.saturating_sub(1)
    )))
}

/// The layers that `--push-layer` names: one, several by commas, or patterns. What a pattern matches by several names is one layer,
/// by the first of them: the path of its module.
fn layers(given: &str, pushable: &[Pushable<'_>]) -> Result<Vec<String>> {
    let is_known = |name: &str| pushable.iter().any(|known| known.name == name);
    if is_known(given) {
        return Ok(vec![given.to_owned()]);
    }
    let mut chosen: Vec<String> = Vec::new();
    for item in given.split(',').map(str::trim) {
        if is_known(item) || !item.contains(['*', '?', '[', '{']) {
            chosen.push(item.to_owned());
            continue;
        }
        let matcher = Glob::new(item)
            .map_err(|e| Error::Usage(format!("--push-layer {item}: {}", e.kind())))?
            .compile_matcher();
        let before = chosen.len();
        let mut values = HashSet::new();
        let matching = pushable
            .iter()
            .filter(|known| matcher.is_match(known.name) && values.insert(known.value));
        chosen.extend(matching.map(|known| known.name.to_owned()));
        if chosen.len() == before {
            let known: Vec<&str> = pushable.iter().map(|known| known.name).collect();
            return Err(Error::Usage(format!(
                "--push-layer {item}: no layer matches; {}",
                deepvis_importer::names::suggest(item, &known, 20)
            )));
        }
    }
    let mut seen = HashSet::new();
    chosen.retain(|layer| seen.insert(layer.clone()));
    Ok(chosen)
}

/// What is climbed of a layer.
fn recipes(
    options: &OptimizeOptions,
    model: &Model,
    layer: &str,
    [channels, rows, columns]: [usize; 3],
    tokens: Option<Tokens>,
) -> Result<Vec<Recipe>> {
    let spatial = match options.recipe.formula {
        Some(_) => [0, 0],
        None => tokens::place(options.spatial, layer, tokens, [rows, columns])?,
    };
    let mut all = Vec::new();
    let chosen = match &options.recipe.formula {
        Some(formula) => vec![channel_of(formula, model, layer, channels)?],
        None => selection::channels(&options.channels, layer, channels, &model.labels)?,
    };
    for channel in chosen {
        for seed in &options.seeds {
            let mut recipe = options.recipe.clone();
            recipe.objective.unit = Unit {
                layer: layer.to_owned(),
                channel,
                spatial,
            };
            recipe.seed = *seed;
            all.push(recipe);
        }
    }
    Ok(all)
}
