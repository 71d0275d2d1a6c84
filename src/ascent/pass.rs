//! The one forward and backward pass: the network's answer to a batch of images.

use burn::tensor::{Device, Tensor, TensorData};

use super::error::{Error, Result};
use crate::backend::failures;
use crate::network::{Activation, Network};

/// A forward pass of `images` (`[batch, channels, rows, columns]`) to all targets, and a backward pass from the scalar
/// that `push` computes of the targets' activations; `push` may also return something to keep. Returns that and the
/// gradient with respect to the images (zeros where the scalar does not depend on them).
///
/// `push` sees as many images of each target as there are; where a layer along axis 0 makes more of one image (Concat), the
/// first, as the original did.
///
/// Activations that `push` does not keep are dropped before the backward pass, to save memory.
pub fn pass<T>(
    network: &Network,
    images: Tensor<4>,
    push: impl FnOnce(Vec<Activation>) -> (Tensor<1>, T),
) -> (T, Tensor<4>) {
    let count = images.dims()[0];
    differentiate(images, |images| {
        let targets = network.units(images).into_iter();
        push(targets.map(|target| target.of_images(count)).collect())
    })
}

/// Differentiates `function`, which returns a scalar and something to keep. Returns the latter and the scalar's
/// gradient with respect to `x` (zeros where it does not depend on it).
pub(super) fn differentiate<const D: usize, T>(
    x: Tensor<D>,
    function: impl FnOnce(Tensor<D>) -> (Tensor<1>, T),
) -> (T, Tensor<D>) {
    let x = x.autodiff().require_grad();
    let (number, kept) = function(x.clone());
    // What is constant in steps, as a comparison, is computed without a way back.
    let gradient = number.is_tracked().then(|| x.grad(&number.backward())).flatten();
    let gradient = gradient.unwrap_or_else(|| x.clone().inner().zeros_like());
    (kept, gradient)
}

/// The values of a layer and the gradient of the image, one after the other for each image of a batch.
#[derive(Debug, Clone, Default)]
pub(super) struct Evaluation {
    /// Values of the first target.
    pub(super) values: Vec<f32>,
    /// Gradient of the images.
    pub(super) gradient: Vec<f32>,
}

/// A forward pass of `images` (batch x channels x rows x columns, row-major) to the first target, and a backward pass
/// from one unit of each image: `seeds` has the unit's index in the target's values, and the gradient that it starts
/// from.
///
/// # Errors
/// When the device cannot give the results back.
pub(super) fn evaluate(
    network: &Network,
    images: Vec<f32>,
    seeds: &[(usize, f32)],
    device: &Device,
) -> Result<Evaluation> {
    let [channels, rows, columns] = network.image();
    let batch = seeds.len();
    let size = network.shape(0).iter().skip(1).product::<usize>();
    let data = TensorData::new(images, [batch, channels, rows, columns]);
    let mut one_hot = vec![0.0f32; batch * size];
    for (place, (index, push)) in seeds.iter().enumerate() {
        one_hot[place * size + index] = *push;
    }
    let one_hot = Tensor::<2>::from_data(TensorData::new(one_hot, [batch, size]), device);
    let (values, gradient) = pass(network, Tensor::from_data(data, device), |mut seen| {
        let target = seen.swap_remove(0);
        let values = floats(target.value.tensor());
        ((target.pushed.view([batch, size]) * one_hot.autodiff()).sum(), values)
    });
    Ok(Evaluation {
        values: values?,
        gradient: floats(gradient)?,
    })
}

/// Numbers that come back from a device.
///
/// # Errors
/// [`Error::Device`] when it gives none, or when a part of the computation failed on the way: its memory may not have
/// been enough, or another of its limits.
pub fn floats<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let device = tensor.device();
    let answer = tensor.try_into_vec_as::<f32>();
    if let Some(message) = failures::take() {
        // Operations queued after the failed one fail too. Waiting for one more result drains them, so that their
        // messages are not attributed to the next computation.
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
            // Further lines are a backtrace of the driver's code.
            message: whole.lines().next().unwrap_or_default().to_owned(),
            too_much: ["memory", "allocate buffer", "buffer size"]
                .iter()
                .any(|word| told.contains(word)),
        }
    })
}
