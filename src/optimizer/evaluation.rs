//! One forward and backward pass: the network's answer to a batch of images.

use burn::tensor::{Device, Tensor, TensorData};

use super::error::{Error, Result};
use crate::backend::failures;
use crate::network::Network;

/// The layer's values and the gradient of the image, one after the other for each image of a batch.
#[derive(Debug, Clone, Default)]
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
/// [`Error::Device`] when it gives none, or when a part of the computation failed on the way: its memory may not have been
/// enough, or another of its limits.
pub fn floats<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let device = tensor.device();
    let answer = tensor.try_into_vec_as::<f32>();
    if let Some(message) = failures::take() {
        // What failed in its wake must not be laid to the next computation: after this answer, all of it has.
        let _ = Tensor::<1>::zeros([1], &device).try_into_vec_as::<f32>();
        failures::take();
        return Err(Error::Device {
            message,
            too_much: true,
        });
    }
    answer.map_err(|error| {
        let whole = error.to_string();
        let told = whole.to_lowercase();
        Error::Device {
            // What follows the first line is where in the driver's code it happened.
            message: whole.lines().next().unwrap_or_default().to_owned(),
            too_much: ["memory", "allocate buffer", "buffer size"]
                .iter()
                .any(|word| told.contains(word)),
        }
    })
}
