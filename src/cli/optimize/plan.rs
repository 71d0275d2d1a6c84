//! What one invocation has to do: layers, and the units and seeds of each.

use globset::Glob;

use super::options::OptimizeOptions;
use super::selection;
use crate::cli::device::Compute;
use crate::cli::error::{Error, Result};
use crate::cli::literals::{Spatial, wrong};
use crate::cli::model::Model;
use crate::network::{Network, survey};
use crate::optimizer::{Params, Unit, objective};

/// Most units that climb together unless --batch-size says otherwise: beyond it a CPU gains nothing.
const LARGEST_BATCH: usize = 16;
/// The same on a GPU.
const LARGEST_GPU_BATCH: usize = 64;
/// Bytes an entry of a blob costs: its value, its gradient and what the backward pass keeps.
const BYTES_AN_ENTRY: u64 = 16;

/// The units of one layer.
#[derive(Debug)]
pub(super) struct LayerPlan {
    pub(super) layer: String,
    /// For one image, with the batch axis.
    pub(super) shape: Vec<usize>,
    /// Channels, rows, columns.
    pub(super) extents: [usize; 3],
    pub(super) units: Vec<Params>,
}

/// The part of the work that is this machine's: number `index` (from 0) of `count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shard {
    pub(super) index: usize,
    pub(super) count: usize,
}

impl Shard {
    /// Parses `3/16`.
    pub(super) fn parse(given: &str) -> Result<Self> {
        let parts = given.split_once('/');
        let numbers = parts.and_then(|(part, count)| Some((part.trim().parse().ok()?, count.trim().parse().ok()?)));
        match numbers {
            Some((part, count)) if (1..=count).contains(&part) => Ok(Self { index: part - 1, count }),
            _ => Err(wrong(
                "--shard",
                given,
                "that is no part of a whole",
                "a part and their number, from 1/16 to 16/16",
            )),
        }
    }
}

/// The work, layer by layer, channel by channel, seed by seed; of several shards every `count`th unit, so that each gets as
/// many of every layer.
pub(super) fn plan(
    options: &OptimizeOptions,
    model: &Model,
    shard: Option<Shard>,
    most_entries: usize,
) -> anyhow::Result<Vec<LayerPlan>> {
    let facts = survey(
        &model.import.graph,
        Some(&model.import.weights),
        model.options.size,
        most_entries,
    );
    // Layers as they are pushed: by the blob that carries their name.
    let pushable: Vec<(&str, &[usize])> = facts
        .iter()
        .filter(|fact| fact.problem.is_none() && fact.kind != "Input")
        .flat_map(|fact| fact.tops.iter().zip(&fact.shapes))
        .map(|(top, shape)| (top.as_str(), shape.as_slice()))
        .collect();
    let layers = layers(&options.layers, &pushable)?;
    let mut number = 0;
    let mut plans = Vec::with_capacity(layers.len());
    for layer in layers {
        let shape = match pushable.iter().rev().find(|(name, _)| *name == layer) {
            Some((_, shape)) => shape.to_vec(),
            // The network says best why a layer cannot be had.
            None => model.shape(&layer, most_entries)?,
        };
        let extents = objective::extents(&shape, &layer)?;
        let mut units = params(options, model, &layer, extents)?;
        units.retain(|_| {
            number += 1;
            shard.is_none_or(|shard| (number - 1) % shard.count == shard.index)
        });
        plans.push(LayerPlan {
            layer,
            shape,
            extents,
            units,
        });
    }
    Ok(plans)
}

/// The layers that `--push-layer` names: one, several by commas, or patterns.
fn layers(given: &str, pushable: &[(&str, &[usize])]) -> Result<Vec<String>> {
    let is_known = |name: &str| pushable.iter().any(|(known, _)| *known == name);
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
        chosen.extend(
            pushable
                .iter()
                .map(|(name, _)| (*name).to_owned())
                .filter(|name| matcher.is_match(name)),
        );
        if chosen.len() == before {
            let known: Vec<&str> = pushable.iter().map(|(name, _)| *name).collect();
            return Err(Error::Usage(format!(
                "--push-layer {item}: no layer matches; {}",
                deepvis_importer::names::suggest(item, &known, 20)
            )));
        }
    }
    let mut seen = std::collections::HashSet::new();
    chosen.retain(|layer| seen.insert(layer.clone()));
    Ok(chosen)
}

/// The settings of every optimization of a layer.
fn params(
    options: &OptimizeOptions,
    model: &Model,
    layer: &str,
    [channels, rows, columns]: [usize; 3],
) -> Result<Vec<Params>> {
    let spatial = match options.spatial {
        Spatial::Unset => [0, 0],
        Spatial::At(place) => place,
        Spatial::Center => [rows / 2, columns / 2],
    };
    let mut all = Vec::new();
    for channel in selection::channels(&options.channels, layer, channels, &model.labels)? {
        for seed in &options.seeds {
            all.push(Params {
                unit: Unit {
                    layer: layer.to_owned(),
                    channel,
                    spatial,
                },
                push_dir: options.push_dir,
                start_at: options.start_at,
                rand_seed: *seed,
                regularizers: options.regularizers,
                rate: options.rate,
                lr_params: options.lr_params.clone(),
                max_iter: options.max_iter,
            });
        }
    }
    Ok(all)
}

/// How many climb together: as asked for, else what memory allows for all blobs of a network, and a GPU's largest buffer for
/// each of them.
pub(super) fn batch_size(asked: Option<usize>, network: &Network, compute: &Compute) -> usize {
    if let Some(asked) = asked {
        return asked.max(1);
    }
    let bytes = |entries: usize, each: u64| (entries as u64 * each).max(1);
    let by_memory = compute.memory / bytes(network.entries_an_image(), BYTES_AN_ENTRY);
    let (by_buffer, most) = match compute.largest_buffer {
        Some(buffer) => (buffer / bytes(network.largest_blob(), 4), LARGEST_GPU_BATCH),
        None => (u64::MAX, LARGEST_BATCH),
    };
    usize::try_from(by_memory.min(by_buffer)).unwrap_or(most).clamp(1, most)
}
