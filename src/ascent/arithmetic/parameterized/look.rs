//! How the network sees parameterized images in an iteration: through transformations, crops, or the tiles of octaves.

use std::sync::PoisonError;

use burn::tensor::Tensor;

use super::Parameterized;
use crate::ascent::pass::differentiate;
use crate::network::Network;
use crate::transform::octaves::{Octaves, tiles};
use crate::transform::resample::{Places, resize};

/// The layer's values of each image, those of a formula, and the images.
pub(super) type Seen = (Tensor<2>, Option<Tensor<2>>, Tensor<4>);

impl Parameterized<'_> {
    /// What is climbed of `image`s in this iteration, and what the network saw.
    pub(super) fn look(&self, network: &Network, image: Tensor<4>, iteration: usize) -> (Tensor<1>, Seen) {
        let drawn = self.to_network(image.clone().inner(), &self.mean_of_picture);
        let (views, image) = match &self.crops {
            None => {
                let solid = match &self.ground {
                    Some(ground) => ground.behind(&image, &self.seeds, iteration),
                    None => image.clone(),
                };
                (self.transforms.apply(solid, iteration, &self.seeds), image)
            }
            Some(crops) => {
                let [_, _, rows, columns] = self.mean.dims();
                let when = [iteration, self.steps];
                let views = crops.apply(image.clone(), when, &self.seeds, [rows, columns]);
                (views, repeated(image, crops.count))
            }
        };
        let (pushed, layer, values) = self.judge(network, views, &image);
        let pushed = match &self.hold {
            None => pushed,
            Some((weight, picture)) => {
                let images = image.dims()[0] / self.seeds.len();
                let away = image - repeated(picture.clone().autodiff(), images);
                let entries = away.dims()[1..].iter().product::<usize>() * images;
                #[expect(clippy::cast_precision_loss, reason = "entries of an image")]
                let cost = away.square().sum() * (weight / entries as f64);
                pushed - cost
            }
        };
        (pushed, (layer, values, drawn))
    }

    /// What is climbed of what the network sees of each `image`: as a number to differentiate, the layer's values, those of a formula.
    fn judge(
        &self,
        network: &Network,
        views: Tensor<4>,
        image: &Tensor<4>,
    ) -> (Tensor<1>, Tensor<2>, Option<Tensor<2>>) {
        let count = views.dims()[0];
        let seen = network.units(self.to_network(views, &self.mean)).into_iter();
        let mut seen: Vec<_> = seen.map(|target| target.of_images(count)).collect();
        let of_formula = self.formula.as_ref().map(|formula| formula.value(&seen, image));
        let crops = self.crops.as_ref().map_or(1, |crops| crops.count);
        let (pushed, layer) = self.tensors.push(seen.swap_remove(0), crops);
        let Some(values) = of_formula else {
            return (pushed, layer, None);
        };
        let batch = self.seeds.len();
        let values = values.reshape([batch, crops]).mean_dim(1);
        (values.clone().sum(), layer, Some(values.inner()))
    }

    /// The same through the tiles of an octave, and the gradient of the whole image: the mean of the tiles'.
    pub(super) fn dream(
        &self,
        octaves: Octaves,
        network: &Network,
        image: Tensor<4>,
        iteration: usize,
    ) -> (Seen, Tensor<4>) {
        let [_, _, height, width] = image.dims();
        let [_, _, rows, columns] = self.mean.dims();
        let drawn = self.to_network(image.clone(), &self.mean_of_picture);
        let small = octaves.shrunk(image, octaves.octave([iteration, self.steps]));
        let [_, _, down, across] = small.dims();
        let corners = |seed: &u32| octaves.corners([down, across], [rows, columns], *seed, iteration);
        let corners: Vec<Vec<[usize; 2]>> = self.seeds.iter().map(corners).collect();
        // All images have as many tiles: how many is a matter of sizes.
        let count = corners.first().map_or(0, Vec::len);
        let mut sums: Option<(Tensor<2>, Option<Tensor<2>>, Tensor<4>)> = None;
        for tile in 0..count {
            let corners: Vec<[usize; 2]> = corners.iter().map(|corners| corners[tile]).collect();
            let ((layer, values), gradient) = differentiate(small.clone(), |small| {
                let views = tiles(&small, &corners, [rows, columns]);
                let (pushed, layer, values) = self.judge(network, views, &small);
                (pushed, (layer, values))
            });
            sums = Some(match sums {
                None => (layer, values, gradient),
                Some((layers, all, gradients)) => (
                    layers + layer,
                    all.zip(values).map(|(all, values)| all + values),
                    gradients + gradient,
                ),
            });
        }
        let (layer, values, gradient) = sums.unwrap_or_else(|| {
            let [batch, ..] = small.dims();
            (Tensor::zeros([batch, 1], &small.device()), None, small.zeros_like())
        });
        #[expect(clippy::cast_precision_loss, reason = "a few tiles")]
        let mean = 1.0 / count.max(1) as f64;
        let gradient = resize(gradient * mean, [height, width], Places::HalfPixel);
        ((layer * mean, values.map(|values| values * mean), drawn), gradient)
    }

    /// The gradient of parameters by that of the image.
    pub(super) fn gradient_of(&self, z: &Tensor<2>, of_image: Tensor<4>) -> Tensor<2> {
        let (_, gradient) = differentiate(z.clone(), |z| ((self.built.image(z) * of_image.autodiff()).sum(), ()));
        gradient
    }

    /// Adds the sum over channels of a gradient's absolute values.
    pub(super) fn add_pushes(&self, of_image: &Tensor<4>) {
        let [batch, _, rows, columns] = of_image.dims();
        let new = of_image.clone().abs().sum_dim(1).reshape([batch, rows * columns]);
        let pushes = || self.pushes.lock().unwrap_or_else(PoisonError::into_inner);
        // Not added under the lock: a thread that waits for others takes up other work.
        let before = pushes().take();
        let sum = match before {
            Some(before) => before + new,
            None => new,
        };
        *pushes() = Some(sum);
    }
}

/// Each image `times` times, one after the other.
fn repeated(images: Tensor<4>, times: usize) -> Tensor<4> {
    let [batch, channels, rows, columns] = images.dims();
    let one = |image: usize| vec![images.clone().narrow(0, image, 1); times];
    let all: Vec<Tensor<4>> = (0..batch).flat_map(one).collect();
    Tensor::cat(all, 0).reshape([batch * times, channels, rows, columns])
}
