//! Random square crops of one image, each resized to the network's input: what images of fixed magnitude are seen through
//! (Fel et al. 2023; xplique's `maco_optimisation_step`).

use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::sample::{Affine, Edge, Surroundings, Take, sample};
use crate::random::Random;

/// How crops are drawn. A crop's centre is normal about the image's; its side, a fraction of the image's, normal about a value
/// that goes evenly from `first` to `last` over the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Crops {
    /// How many of an image in each iteration.
    pub count: usize,
    /// The side in the first iteration: 0.5 in xplique.
    pub first: f64,
    /// The side in the last: 0.05 in xplique.
    pub last: f64,
    /// Deviation of the side, which is kept from 0.05 to 1: 0.05 in xplique.
    pub side_deviation: f64,
    /// Deviation of the centre, right and down apart: 0.15 in xplique.
    pub centre_deviation: f64,
    /// Deviation of the normal noise that is added, values being from 0 to 1, and width of an even one: half of xplique's 0.08,
    /// whose values are from -1 to 1.
    pub noise: f64,
}

impl Default for Crops {
    /// xplique's, with as many crops as a CPU does quickly.
    fn default() -> Self {
        Self {
            count: 6,
            first: 0.5,
            last: 0.05,
            side_deviation: 0.05,
            centre_deviation: 0.15,
            noise: 0.04,
        }
    }
}

/// Least side of a crop.
const LEAST: f64 = 0.05;

const FOR_CROPS: u64 = 0x6372_6f70_7300;

/// The place in an image of `size` (rows, columns) of each pixel of a crop `[top, left, bottom, right]` (fractions of size - 1)
/// made `resized`: the corners of both coincide, as in TensorFlow's `crop_and_resize`.
#[expect(clippy::cast_precision_loss, reason = "sizes of images")]
pub fn corners([top, left, bottom, right]: [f64; 4], size: [usize; 2], resized: [usize; 2]) -> Affine {
    let along = |from: f64, to: f64, axis: usize| {
        let last = size[axis] as f64 - 1.0;
        if resized[axis] > 1 {
            [(to - from) * last / (resized[axis] as f64 - 1.0), from * last]
        } else {
            [0.0, 0.5 * (from + to) * last]
        }
    };
    let ([across, left], [down, top]) = (along(left, right, 1), along(top, bottom, 0));
    Affine {
        x: [across, 0.0, left],
        y: [0.0, down, top],
    }
}

impl Crops {
    /// The crops of `images` in iteration `step` of `steps`, `[images * count, channels, size]`: those of an image are together.
    /// `seeds` has one for each image. What is beyond an image is 0. Differentiable.
    pub fn apply(&self, images: Tensor<4>, [step, steps]: [usize; 2], seeds: &[u32], size: [usize; 2]) -> Tensor<4> {
        let [_, channels, rows, columns] = images.dims();
        let device = images.device();
        #[expect(clippy::cast_precision_loss, reason = "a number of iterations")]
        let progress = step as f64 / steps.saturating_sub(1).max(1) as f64;
        let side = self.first + (self.last - self.first) * progress;
        let entries = channels * size[0] * size[1];
        let (mut takes, mut noise) = (Vec::new(), Vec::new());
        for (image, seed) in seeds.iter().enumerate() {
            let mut random = Random::new(&[FOR_CROPS, u64::from(*seed), step as u64]);
            for _ in 0..self.count {
                let [x, y] = [(); 2].map(|()| 0.5 + self.centre_deviation * random.normal());
                let half = (side + self.side_deviation * random.normal()).clamp(LEAST, 1.0) / 2.0;
                takes.push(Take {
                    image,
                    places: corners([y - half, x - half, y + half, x + half], [rows, columns], size),
                    surroundings: Surroundings {
                        reflected: 0,
                        ground: 0.0,
                        edge: Edge::Centre,
                    },
                });
            }
            if self.noise > 0.0 {
                #[expect(clippy::cast_possible_truncation, reason = "tensors are float32")]
                noise.extend(
                    (0..self.count * entries)
                        .map(|_| (self.noise * random.normal() + self.noise * (random.unit() - 0.5)) as f32),
                );
            }
        }
        let crops = sample(images, &takes, size);
        if noise.is_empty() {
            return crops;
        }
        let noise = Tensor::from_data(TensorData::new(noise, crops.dims()), &device);
        crops + noise
    }
}
