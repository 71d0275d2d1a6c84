//! The whole iteration on a device: clip, forward and backward, statistics, learning rate, step, regularizers, best images.
//!
//! The same as [`crate::optimizer::run`], in float32 throughout (that one keeps the image in float64). Nothing comes back but
//! a row of seven figures an iteration, and the images at the end.

mod batch;
mod percentile;
mod reduce;
mod regularize;

use burn::tensor::{Device, Tensor};

use super::climb::Climb;
use super::error::Result;
use super::evaluation::floats;
use super::objective::{Reading, unit};
use super::run::Progress;
use super::statistics::ImageStatistics;
use crate::network::Network;
use batch::{Batch, FIGURES};

/// Whether climbs can climb together on a device: all at their start, and different in unit and seed alone.
pub fn can_run_on_device(climbs: &[Climb]) -> bool {
    let Some(first) = climbs.first().map(Climb::params) else {
        return false;
    };
    climbs.iter().all(|climb| {
        let params = climb.params();
        climb.iteration() == 0
            && !climb.is_finished()
            && (
                params.push_dir,
                params.start_at,
                params.regularizers,
                params.rate,
                params.max_iter,
            ) == (
                first.push_dir,
                first.start_at,
                first.regularizers,
                first.rate,
                first.max_iter,
            )
    })
}

/// Lets all `climbs` climb on `device`, as [`crate::optimizer::run`] does on the host. Figures are read back every
/// `read_every` iterations; the closure hears of each iteration then, without a gradient, and may stop the run.
///
/// # Errors
/// One result a climb, in order.
pub fn run_on_device(
    network: &Network,
    target: usize,
    climbs: &mut [Climb],
    device: &Device,
    read_every: usize,
    mut progress: impl FnMut(Progress<'_>) -> bool,
) -> Vec<Result<()>> {
    let mut outcomes: Vec<Result<()>> = vec![Ok(()); climbs.len()];
    if climbs.is_empty() {
        return outcomes;
    }
    let iterations = climbs[0].params().max_iter;
    let mut batch = Batch::new(network, target, climbs, device);
    let mut rows = Vec::new();
    for iteration in 0..iterations {
        let is_last = iteration + 1 == iterations;
        rows.push(batch.iterate(iteration, is_last));
        if rows.len() < read_every && !is_last {
            continue;
        }
        let figures = match floats(Tensor::cat(std::mem::take(&mut rows), 0)) {
            Ok(figures) => figures,
            Err(error) => return vec![Err(error); climbs.len()],
        };
        let go_on = note(climbs, &figures, &mut outcomes, &mut progress);
        let is_any_left = climbs
            .iter()
            .zip(&outcomes)
            .any(|(climb, outcome)| outcome.is_ok() && !climb.is_finished());
        if !go_on || !is_any_left {
            break;
        }
    }
    match batch.images() {
        Ok(images) => climbs
            .iter_mut()
            .zip(images)
            .for_each(|(climb, images)| climb.illustrate(images)),
        Err(error) => return vec![Err(error); climbs.len()],
    }
    outcomes
}

/// Records rows of figures, iteration by iteration; whether to go on.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a blob, which float32 holds exactly up to 2^24"
)]
fn note(
    climbs: &mut [Climb],
    figures: &[f32],
    outcomes: &mut [Result<()>],
    progress: &mut impl FnMut(Progress<'_>) -> bool,
) -> bool {
    let mut go_on = true;
    let count = climbs.len();
    for row in figures.chunks(FIGURES * count) {
        for (place, figures) in row.as_chunks::<FIGURES>().0.iter().enumerate() {
            let climb = &mut climbs[place];
            if climb.is_finished() || outcomes[place].is_err() {
                continue;
            }
            let [objective, largest, largest_value, norm, dist, std, gradient_norm] = *figures;
            let reading = Reading {
                objective,
                largest: unit(largest as usize, climb.extents()),
                largest_value,
            };
            let statistics = ImageStatistics {
                norm: f64::from(norm),
                dist: f64::from(dist),
                std: f64::from(std),
            };
            match climb.note(reading, statistics, gradient_norm) {
                Ok(()) => {
                    go_on &= progress(Progress {
                        climb: &climbs[place],
                        place,
                        reading,
                        gradient: &[],
                    });
                }
                Err(error) => outcomes[place] = Err(error),
            }
        }
    }
    go_on
}
