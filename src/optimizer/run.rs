//! Climbs and a network together: several units, or seeds of one, in one forward and backward pass.

use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use super::climb::Climb;
use super::error::{Error, Result};
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

/// The layer's values and the gradient of the image, one after the other for each image of a batch.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// Values of the pushed layer.
    pub values: Vec<f32>,
    /// Gradient of the images; zeros where nothing depends on them.
    pub gradient: Vec<f32>,
}

/// Runs `images` (batch x channels x rows x columns, row-major) through the network up to its target number `target`, and
/// back from `seeds`: for each image the place of a unit in the layer's values and what its gradient begins with.
///
/// # Errors
/// When the device cannot give the results back.
pub fn evaluate(
    network: &Network,
    target: usize,
    images: Vec<f32>,
    seeds: &[(usize, f32)],
    device: &Device,
) -> Result<Evaluation> {
    let [channels, rows, columns] = network.image();
    let batch = seeds.len();
    let count = images.len();
    let data = TensorData::new(images, [batch, channels, rows, columns]);
    let images = Tensor::<4>::from_data(data, &device.clone().autodiff()).require_grad();
    let mut readings = network.forward(images.clone());
    let reading = readings.swap_remove(target);
    let size = reading.pushed.shape().iter().product::<usize>() / batch.max(1);
    let mut one_hot = vec![0.0f32; batch * size];
    for (place, (index, push)) in seeds.iter().enumerate() {
        one_hot[place * size + index] = *push;
    }
    let one_hot = Tensor::<2>::from_data(TensorData::new(one_hot, [batch, size]), device);
    let values = floats(reading.value.tensor())?;
    let pushed = reading.pushed.view([batch, size]);
    drop(reading);
    let gradients = (pushed * one_hot).sum().backward();
    let gradient = match images.grad(&gradients) {
        Some(gradient) => floats(gradient)?,
        None => vec![0.0; count],
    };
    Ok(Evaluation { values, gradient })
}

/// Numbers that come back from a device.
///
/// # Errors
/// [`Error::Device`] when it gives none: its memory may not have been enough for the computation.
pub(super) fn floats<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    tensor.try_into_vec_as::<f32>().map_err(|error| {
        let whole = error.to_string();
        let told = whole.to_lowercase();
        Error::Device {
            // What follows the first line is where in the driver's code it happened.
            message: whole.lines().next().unwrap_or_default().to_owned(),
            out_of_memory: ["memory", "allocate buffer", "buffer size"]
                .iter()
                .any(|word| told.contains(word)),
        }
    })
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
        let evaluation = match evaluate(network, target, images, &seeds, device) {
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
