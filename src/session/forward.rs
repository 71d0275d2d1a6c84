//! What layers say about images, without an ascent: values, and gradients of units.

use burn::tensor::{Device, Tensor, TensorData};

use super::error::Result;
use crate::ascent::{self, floats};
use crate::backend::Compute;
use crate::model::Model;
use crate::network::host::in_pool;
use crate::network::{Activation, Network};

/// What the numbers of an image are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Pixels from 0 to 255 less the mean, in the network's order of channels: what [`crate::model::photo`] makes. They are
    /// divided by the standard deviation on their way into the network.
    Pixels,
    /// The input blob, as the first layer and other frameworks take it.
    Blob,
}

/// Images, one after the other, each channels x rows x columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Images {
    /// The numbers, row-major.
    pub values: Vec<f32>,
    /// What they are.
    pub input: Input,
}

/// The values of a layer for a batch of images.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// The layer.
    pub layer: String,
    /// Its shape, with the batch axis first.
    pub shape: Vec<usize>,
    /// The values, row-major.
    pub values: Vec<f32>,
}

/// The values of `layers` for images.
///
/// # Errors
/// When a layer does not exist or cannot be computed, the images are not of the network's size, or the device fails.
pub fn forward(model: &Model, compute: &Compute, layers: &[&str], images: &Images) -> Result<Vec<Values>> {
    let network = network_of(model, compute, layers, images.input)?;
    let mut all: Vec<Values> = Vec::new();
    for images in chunks(&network, compute, images)? {
        let seen = network.forward(batch(&network, &compute.device, images));
        let some = layers.iter().zip(seen).map(|(layer, seen)| {
            Ok(Values {
                layer: (*layer).to_owned(),
                shape: seen.value.shape().to_vec(),
                values: floats(seen.value.tensor())?,
            })
        });
        let some = some.collect::<Result<Vec<Values>>>()?;
        if all.is_empty() {
            all = some;
            continue;
        }
        for (whole, part) in all.iter_mut().zip(some) {
            whole.values.extend(part.values);
            whole.shape[0] += part.shape[0];
        }
    }
    Ok(all)
}

/// The gradient of an entry of a layer's blob (its place in the row-major blob of one image) with respect to each image:
/// as many numbers as `images` has. As in Caffe, it starts at the *layer* of that name, before layers in place.
///
/// # Errors
/// As [`forward`]; when the blob has no such entry.
pub fn gradient(model: &Model, compute: &Compute, layer: &str, entry: usize, images: &Images) -> Result<Vec<f32>> {
    let network = network_of(model, compute, &[layer], images.input)?;
    let entries: usize = network.shape(0).iter().product();
    if entry >= entries {
        return Err(ascent::Error::Setting(format!("layer \"{layer}\" has no entry {entry}, it has {entries}")).into());
    }
    let on_tape = compute.device.clone().autodiff();
    let mut all = Vec::with_capacity(images.values.len());
    for images in chunks(&network, compute, images)? {
        let images = batch(&network, &on_tape, images).require_grad();
        let seen = network.forward(images.clone()).swap_remove(0);
        all.extend(seen.gradient(entry, &images)?);
    }
    Ok(all)
}

impl Activation {
    /// The gradient of an entry of each image's blob with respect to that image.
    ///
    /// # Errors
    /// When the device fails.
    pub(crate) fn gradient(&self, entry: usize, images: &Tensor<4>) -> ascent::Result<Vec<f32>> {
        let batch = images.dims()[0];
        let entries: usize = self.pushed.shape().iter().product();
        let climbed = self.pushed.view([batch, entries / batch]).narrow(1, entry, 1).sum();
        let gradient = || images.grad(&climbed.backward());
        let found = climbed.is_tracked().then(|| in_pool(&images.device(), gradient));
        match found.flatten() {
            Some(gradient) => floats(gradient),
            None => Ok(vec![0.0; images.dims().iter().product()]),
        }
    }
}

fn network_of(model: &Model, compute: &Compute, layers: &[&str], input: Input) -> Result<Network> {
    let network = model.network_of(layers, compute)?;
    Ok(match input {
        Input::Pixels => network,
        Input::Blob => network.with_factors(None),
    })
}

/// The images that the network may see at once: as many as memory allows, or where it mixes the images of a batch, each by
/// itself.
fn chunks<'a>(network: &Network, compute: &Compute, images: &'a Images) -> Result<std::slice::Chunks<'a, f32>> {
    let values = &images.values;
    let size: usize = network.image().iter().product();
    if values.is_empty() || !values.len().is_multiple_of(size) {
        return Err(ascent::Error::Setting(format!(
            "{} numbers are no images of {:?} (channels, rows, columns)",
            values.len(),
            network.image()
        ))
        .into());
    }
    let sizes = network.sizes();
    let fits = |count: usize| {
        let needed = if compute.is_gpu() {
            sizes.on_gpu(count)
        } else {
            sizes.at_once(count)
        };
        needed <= compute.memory
    };
    let mut count = values.len() / size;

    while count > 1 && !fits(count) {
        count /= 2;
    }
    if count > 1 && !network.keeps_images_apart() {
        count = 1;
    }
    let at_once = count * size;
    Ok(values.chunks(at_once))
}

fn batch(network: &Network, device: &Device, images: &[f32]) -> Tensor<4> {
    let [channels, rows, columns] = network.image();
    let shape = [images.len() / (channels * rows * columns), channels, rows, columns];
    Tensor::from_data(TensorData::new(images.to_vec(), shape), device)
}
