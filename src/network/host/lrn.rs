//! Local response normalization across channels, forward and backward in one pass each.

use std::sync::Arc;

use rayon::prelude::*;

use super::vector::vectorized;
use super::{Gradient, HostArray, HostFunction, Output};

/// Pixels of a parallel task: few enough that all their channels fit the cache.
const PIXELS: usize = 128;

/// y = x * (k + alpha / size * sum of x^2 over `size` neighbouring channels) ^ -beta.
#[derive(Debug, Clone)]
pub struct AcrossChannels {
    /// Channels in the neighbourhood, odd.
    pub size: usize,
    /// Weight of the squares.
    pub alpha: f32,
    /// Exponent.
    pub beta: f32,
    /// Constant term.
    pub k: f32,
}

/// x ^ -beta, by square roots for Caffe's usual 0.75.
#[inline(always)]
fn inverse_power(x: f32, beta: f32) -> f32 {
    if beta == 0.75 {
        let root = x.sqrt();
        1.0 / (root * root.sqrt())
    } else {
        x.powf(-beta)
    }
}

/// Channels of `[start, start + len)` pixels of one image, side by side: `channels x len`.
fn gather(image: &[f32], channels: usize, area: usize, start: usize, len: usize) -> Vec<f32> {
    let mut block = Vec::with_capacity(channels * len);
    for channel in 0..channels {
        block.extend_from_slice(&image[channel * area + start..channel * area + start + len]);
    }
    block
}

/// Calls `each` with every channel and the sums of `terms` over its neighbouring channels, which are running sums.
#[inline(always)]
fn running_sums(terms: &[f32], channels: usize, len: usize, size: usize, mut each: impl FnMut(usize, &[f32])) {
    let half = size / 2;
    let mut sums = vec![0.0f32; len];
    let add = |sums: &mut [f32], channel: usize, sign: f32| {
        for (sum, term) in sums.iter_mut().zip(&terms[channel * len..(channel + 1) * len]) {
            *sum += sign * term;
        }
    };
    for channel in 0..half.min(channels) {
        add(&mut sums, channel, 1.0);
    }
    for channel in 0..channels {
        if channel + half < channels {
            add(&mut sums, channel + half, 1.0);
        }
        if channel > half {
            add(&mut sums, channel - half - 1, -1.0);
        }
        each(channel, &sums);
    }
}

impl AcrossChannels {
    #[expect(clippy::cast_precision_loss, reason = "a handful of channels")]
    fn weight(&self) -> f32 {
        self.alpha / self.size as f32
    }

    /// k + alpha / size * sum of x^2, for a block of pixels.
    #[inline(always)]
    fn scales(&self, block: &[f32], channels: usize, len: usize) -> Vec<f32> {
        // Over slices of known length: a loop that pushes to a `Vec` is not vectorized.
        let mut squares = vec![0.0; block.len()];
        for (square, x) in squares.iter_mut().zip(block) {
            *square = x * x;
        }
        let mut scales = vec![0.0; block.len()];
        let weight = self.weight();
        running_sums(&squares, channels, len, self.size, |channel, sums| {
            for (scale, sum) in scales[channel * len..][..len].iter_mut().zip(sums) {
                *scale = self.k + weight * sum;
            }
        });
        scales
    }

    #[inline(always)]
    fn forward_block(&self, block: &[f32], channels: usize, len: usize) -> Vec<f32> {
        let mut values = self.scales(block, channels, len);
        for (value, x) in values.iter_mut().zip(block) {
            *value = x * inverse_power(*value, self.beta);
        }
        values
    }

    #[inline(always)]
    fn backward_block(&self, x: &[f32], grad: &[f32], channels: usize, len: usize) -> Vec<f32> {
        let scales = self.scales(x, channels, len);
        let mut back = vec![0.0; x.len()];
        let mut ratios = vec![0.0; x.len()];
        let entries = back.iter_mut().zip(&mut ratios).zip(x).zip(grad).zip(&scales);
        for ((((back, ratio), x), grad), scale) in entries {
            *back = grad * inverse_power(*scale, self.beta);
            *ratio = *back * x / scale;
        }
        let factor = 2.0 * self.weight() * self.beta;
        running_sums(&ratios, channels, len, self.size, |channel, sums| {
            let at = channel * len;
            for ((back, x), sum) in back[at..at + len].iter_mut().zip(&x[at..at + len]).zip(sums) {
                *back -= factor * x * sum;
            }
        });
        back
    }
}

/// Runs `block` on blocks of pixels of every image, in parallel, and puts the results together in the images' layout.
fn by_blocks(shape: &[usize], block: impl Fn(usize, usize, usize) -> Vec<f32> + Send + Sync) -> Vec<f32> {
    let (batch, channels) = (shape[0], shape[1]);
    let area: usize = shape[2..].iter().product();
    let blocks_an_image = area.div_ceil(PIXELS);
    let blocks: Vec<Vec<f32>> = (0..batch * blocks_an_image)
        .into_par_iter()
        .map(|i| {
            let start = i % blocks_an_image * PIXELS;
            block(i / blocks_an_image, start, PIXELS.min(area - start))
        })
        .collect();
    let mut values = Vec::with_capacity(batch * channels * area);
    for image in blocks.chunks(blocks_an_image.max(1)) {
        for channel in 0..channels {
            for block in image {
                let len = block.len() / channels;
                values.extend_from_slice(&block[channel * len..(channel + 1) * len]);
            }
        }
    }
    values
}

impl HostFunction for AcrossChannels {
    fn forward(&self, x: &HostArray, _: &[HostArray], track: bool) -> Output {
        let shape = x.shape().to_vec();
        let channels = shape[1];
        let area: usize = shape[2..].iter().product();
        let size = channels * area;
        let values = by_blocks(&shape, |image, start, len| {
            let block = gather(&x[image * size..], channels, area, start, len);
            vectorized(
                #[inline(always)]
                || self.forward_block(&block, channels, len),
            )
        });
        let gradient = track.then(|| {
            let (this, x, shape) = (self.clone(), x.clone(), shape.clone());
            Arc::new(move |grad: &HostArray| {
                by_blocks(&shape, |image, start, len| {
                    let x = gather(&x[image * size..], channels, area, start, len);
                    let grad = gather(&grad[image * size..], channels, area, start, len);
                    vectorized(
                        #[inline(always)]
                        || this.backward_block(&x, &grad, channels, len),
                    )
                })
            }) as Gradient
        });
        Output {
            values,
            shape,
            gradient,
        }
    }
}
