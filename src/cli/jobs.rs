//! The units and seeds of one invocation, and what becomes of each.

use super::error::Result;
use super::literals::Spatial;
use super::model::Model;
use super::options::OptimizeOptions;
use super::selection;
use crate::optimizer::{Params, Unit, objective};

/// Most units that climb together unless --batch-size says otherwise: beyond it a CPU gains nothing.
const LARGEST_BATCH: usize = 16;
/// Bytes an entry of a blob costs: its value, its gradient and what the backward pass keeps.
const BYTES_AN_ENTRY: u64 = 16;

/// The settings of every optimization that was asked for, channel by channel, seed by seed.
pub(super) fn params(options: &OptimizeOptions, model: &Model, layer_shape: &[usize]) -> anyhow::Result<Vec<Params>> {
    let [channels, rows, columns] = objective::extents(layer_shape, &options.layer)?;
    let spatial = match options.spatial {
        Spatial::Unset => [0, 0],
        Spatial::At(place) => place,
        Spatial::Center => [rows / 2, columns / 2],
    };
    let chosen: Result<Vec<usize>> = selection::channels(&options.channels, &options.layer, channels, &model.labels);
    let mut all = Vec::new();
    for channel in chosen? {
        for seed in &options.seeds {
            all.push(Params {
                unit: Unit {
                    layer: options.layer.clone(),
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

/// How many climb together: as asked for, else what memory allows for blobs of `entries` an image.
pub(super) fn batch_size(asked: Option<usize>, entries: usize, memory: u64) -> usize {
    let allowed = memory / (entries as u64 * BYTES_AN_ENTRY).max(1);
    asked
        .unwrap_or_else(|| usize::try_from(allowed).unwrap_or(LARGEST_BATCH).min(LARGEST_BATCH))
        .max(1)
}
