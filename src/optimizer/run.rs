//! Climbs and a network together: several units, or seeds of one, in one forward and backward pass.

use burn::tensor::Device;
use rayon::prelude::*;

use super::climb::Climb;
use super::crews::Crews;
use super::error::Result;
use super::objective::Reading;
use crate::network::Network;

/// What is told of each climb's iteration.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The climb, with what it recorded.
    pub climb: &'a Climb,
    /// Its place in the batch.
    pub place: usize,
    /// What was read.
    pub reading: Reading,
    /// The gradient of the image.
    pub gradient: &'a [f32],
}

/// Lets all `climbs` (of units of the network's target number `target`) climb to their ends.
///
/// A climb that ends early leaves the batch; one that fails does so alone. The closure hears of each iteration of each
/// climb and may stop the run by returning false.
///
/// # Errors
/// One result a climb, in order.
#[expect(clippy::cast_possible_truncation, reason = "gradients are float32")]
pub fn run(
    network: &Network,
    target: usize,
    climbs: &mut [Climb],
    device: &Device,
    mut progress: impl FnMut(Progress<'_>) -> bool,
) -> Vec<Result<()>> {
    let mut outcomes: Vec<Result<()>> = vec![Ok(()); climbs.len()];
    let crews = Crews::new(network, target, device, climbs.len());
    loop {
        let active: Vec<usize> = (0..climbs.len())
            .filter(|i| outcomes[*i].is_ok() && !climbs[*i].is_finished())
            .collect();
        if active.is_empty() {
            return outcomes;
        }
        let mut images = Vec::new();
        let mut seeds = Vec::with_capacity(active.len());
        for i in &active {
            climbs[*i].write_image(&mut images);
            seeds.push((climbs[*i].index(), climbs[*i].params().push_dir.value() as f32));
        }
        let evaluation = match crews.evaluate(images, &seeds) {
            Ok(evaluation) => evaluation,
            Err(error) => {
                for i in active {
                    outcomes[i] = Err(error.clone());
                }
                return outcomes;
            }
        };
        let values = evaluation.values.par_chunks(evaluation.values.len() / active.len());
        let gradients = evaluation.gradient.par_chunks(evaluation.gradient.len() / active.len());
        let mut climbing: Vec<&mut Climb> = climbs
            .iter_mut()
            .enumerate()
            .filter(|(place, _)| active.contains(place))
            .map(|(_, climb)| climb)
            .collect();
        let readings: Vec<Result<Reading>> = climbing
            .par_iter_mut()
            .zip(values)
            .zip(gradients)
            .map(|((climb, values), gradient)| climb.advance(values, gradient))
            .collect();
        let gradients = evaluation.gradient.chunks(evaluation.gradient.len() / active.len());
        let mut go_on = true;
        for ((place, reading), gradient) in active.into_iter().zip(readings).zip(gradients) {
            match reading {
                Ok(reading) => {
                    go_on &= progress(Progress {
                        climb: &climbs[place],
                        place,
                        reading,
                        gradient,
                    });
                }
                Err(error) => outcomes[place] = Err(error),
            }
        }
        if !go_on {
            return outcomes;
        }
    }
}
