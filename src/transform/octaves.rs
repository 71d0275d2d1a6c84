//! An image seen at several sizes, the smallest first, through tiles of the network's size: what deep dreams are made by
//! (Mordvintsev, Olah and Tyka 2015, "Inceptionism"; the notebooks `dream.ipynb` of Caffe, whose constants these are, and
//! `deepdream.ipynb` of TensorFlow, which has the tiles).
//!
//! In each octave the image is resized, rolled by a random shift, and cut into tiles from its corner on. The gradient of all
//! tiles, resized to the image, is what is climbed: details that are found in a small octave are enlarged in the next.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::resample::{Places, resize};
use crate::random::Random;

/// How an image is seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Octaves {
    /// How many sizes.
    pub count: usize,
    /// How many times as large each is as the one before.
    pub scale: f64,
    /// How far an image is rolled, in pixels, along an axis that one tile covers; along others it is rolled by up to a tile.
    pub jitter: usize,
}

impl Default for Octaves {
    /// Caffe's notebook's: 4 octaves of scale 1.4, jitter of 32 pixels.
    fn default() -> Self {
        Self {
            count: 4,
            scale: 1.4,
            jitter: 32,
        }
    }
}

const FOR_TILES: u64 = 0x7469_6c65_7300;

impl Octaves {
    /// How many times as large the image is as its smallest octave.
    pub fn enlarged(&self) -> f64 {
        self.scale
            .powi(i32::try_from(self.count.saturating_sub(1)).unwrap_or(i32::MAX))
    }

    /// The octave of iteration `step` of `steps`, from 0: all have as many, or one more.
    pub fn octave(&self, [step, steps]: [usize; 2]) -> usize {
        (step * self.count / steps.max(1)).min(self.count.saturating_sub(1))
    }

    /// Rows and columns of an image of `size` in an octave.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sizes of images"
    )]
    pub fn size(&self, octave: usize, size: [usize; 2]) -> [usize; 2] {
        let smaller = i32::try_from(self.count.saturating_sub(1 + octave)).unwrap_or(i32::MAX);
        size.map(|n| ((n as f64 / self.scale.powi(smaller)).round() as usize).max(1))
    }

    /// Images as they are in an octave: made smaller octave by octave, bilinear.
    pub fn shrunk(&self, images: Tensor<4>, octave: usize) -> Tensor<4> {
        let [_, _, rows, columns] = images.dims();
        (octave..self.count.saturating_sub(1))
            .rev()
            .fold(images, |images, octave| {
                resize(images, self.size(octave, [rows, columns]), Places::HalfPixel)
            })
    }

    /// The rows and columns at which the tiles of an image begin, in iteration `step`; beyond an edge it begins anew at the other
    /// one. An image of `size` has as many tiles along an axis as it is tiles long, rounded.
    pub fn corners(&self, size: [usize; 2], tile: [usize; 2], seed: u32, step: usize) -> Vec<[usize; 2]> {
        let mut random = Random::new(&[FOR_TILES, u64::from(seed), step as u64]);
        let along = [0, 1].map(|axis| {
            let (n, tile) = (size[axis].max(1), tile[axis].max(1));
            let tiles = ((2 * n + tile) / (2 * tile)).max(1);
            let shift = if tiles == 1 {
                // From -jitter to jitter.
                n * self.jitter.div_ceil(n) + random.below(2 * self.jitter + 1) - self.jitter
            } else {
                random.below(tile)
            };
            (0..tiles).map(|index| (shift + index * tile) % n).collect::<Vec<_>>()
        });
        let [rows, columns] = along;
        let row = |row: &usize| columns.iter().map(|column| [*row, *column]).collect::<Vec<_>>();
        rows.iter().flat_map(row).collect()
    }
}

/// A tile of each image that begins at its own corner; beyond an edge the image begins anew. Differentiable.
pub fn tiles(images: &Tensor<4>, corners: &[[usize; 2]], tile: [usize; 2]) -> Tensor<4> {
    let one = |(image, corner): (usize, &[usize; 2])| {
        let image = images.clone().narrow(0, image, 1);
        around(around(image, 2, corner[0], tile[0]), 3, corner[1], tile[1])
    };
    Tensor::cat(corners.iter().enumerate().map(one).collect(), 0)
}

/// `len` entries along an axis from `start` on, beginning anew at its end.
fn around(images: Tensor<4>, axis: usize, start: usize, len: usize) -> Tensor<4> {
    let n = images.dims()[axis];
    let (mut pieces, mut at, mut left) = (Vec::new(), start % n, len);
    while left > 0 {
        let here = left.min(n - at);
        pieces.push(images.clone().narrow(axis, at, here));
        left -= here;
        at = 0;
    }
    Tensor::cat(pieces, axis)
}
