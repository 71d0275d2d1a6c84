//! Convolution and its gradient with respect to the image, as matrix products: over tiles (`winograd`) or over patches.

mod deconvolve;
mod depthwise;
mod footprint;
mod geometry;
mod patches;
mod winograd;

use std::sync::Arc;

use rayon::prelude::*;

pub use self::deconvolve::Deconvolve;
use self::footprint::Footprint;
pub use self::geometry::Geometry;
use self::patches::{correlate, spread, spread_part};
use self::winograd::{Tiling, Weights};
use super::gemm::Cores;
use super::scratch::{CHUNK, Unwritten, cleared, written, zeros};
use super::vector::vectorized;
use super::{HostArray, HostFunction, OfWeight, Output};
use super::{redirect, relu};

/// Calls `work` for each image of `from` and `to`, or for up to `together` images at once. With at least as many images
/// as cores, every core computes images of its own, so that the cores need not synchronize within an image.
pub(super) fn for_each_image<T: Send>(
    (from, from_len): (&[f32], usize),
    (to, to_len): (&mut [T], usize),
    together: usize,
    work: impl Fn(&[f32], &mut [T], Cores) + Sync,
) {
    let (cores, batch) = (rayon::current_num_threads(), to.len() / to_len.max(1));
    assert_eq!(from.len(), batch * from_len, "as many images on both sides");
    let images = together.min(batch / cores).max(1);
    let (from_len, to_len) = ((images * from_len).max(1), (images * to_len).max(1));
    if batch < cores {
        let parts = from.chunks(from_len).zip(to.chunks_mut(to_len));
        parts.for_each(|(from, to)| work(from, to, Cores::All));
    } else {
        let parts = from.par_chunks(from_len).zip(to.par_chunks_mut(to_len));
        parts.for_each(|(from, to)| work(from, to, Cores::One));
    }
}

/// Planes of a parallel task.
fn planes_at_a_time(area: usize) -> usize {
    (CHUNK / area.max(1)).max(1)
}

/// Adds each channel's bias to its plane of `area` entries.
fn add_bias(out: &mut [f32], bias: &[f32], area: usize) {
    let planes = planes_at_a_time(area);
    let chunks = out.par_chunks_mut(planes * area.max(1)).enumerate();
    chunks.for_each(|(chunk, out)| {
        for (plane, out) in (chunk * planes..).zip(out.chunks_mut(area.max(1))) {
            let bias = bias[plane % bias.len()];
            out.iter_mut().for_each(|value| *value += bias);
        }
    });
}

/// Adds biases, if any, and applies a ReLU in the same pass; returns where the ReLU's input was positive (1, else 0).
fn rectify(out: &mut [f32], bias: Option<&[f32]>, area: usize, slope: f32) -> Vec<u8> {
    let mut passed = zeros(out.len());
    let planes = planes_at_a_time(area);
    let chunks = out
        .par_chunks_mut(planes * area.max(1))
        .zip(passed.par_chunks_mut(planes * area.max(1)))
        .enumerate();
    chunks.for_each(|(chunk, (out, passed))| {
        let lines = out.chunks_mut(area.max(1)).zip(passed.chunks_mut(area.max(1)));
        for (plane, (out, passed)) in (chunk * planes..).zip(lines) {
            let bias = bias.map_or(0.0, |bias| bias[plane % bias.len()]);
            vectorized(
                #[inline(always)]
                || relu::rectify(out, bias, slope, passed),
            );
        }
    });
    passed
}

/// Convolution, and the ReLU after it where there is one. Parameters: weight, then bias if any.
#[derive(Debug, Clone)]
pub struct Convolve {
    /// The sizes.
    pub geometry: Geometry,
    /// The slope (0 or more) of a ReLU to apply to the result.
    pub relu: Option<f32>,
    /// Whether a ReLU that would let no gradient of an image through is [redirected](super::redirect).
    pub redirects: bool,
    /// Transformed weights, computed once.
    kept: OfWeight<Weights>,
}

impl Convolve {
    /// A convolution of these sizes; the weights are parameters of [`HostFunction::forward`].
    pub fn new(geometry: Geometry, relu: Option<f32>) -> Self {
        Self {
            geometry,
            relu,
            redirects: false,
            kept: OfWeight::default(),
        }
    }

    /// Entries of the weights at interpolation points, of both directions.
    pub fn transformed_weights(&self) -> usize {
        Tiling::of(&self.geometry).map_or(0, |tiling| 2 * tiling.transformed_weights())
    }

    /// Entries of the patches that an image is unfolded to.
    pub fn scratch(&self) -> usize {
        match Tiling::of(&self.geometry) {
            Some(_) => 0,
            None => self.geometry.unfolded(),
        }
    }
}

impl HostFunction for Convolve {
    fn forward(&self, x: &HostArray, parameters: &[HostArray], track: bool) -> Output {
        let geometry = self.geometry;
        let batch = x.shape()[0];
        let [channels, rows, columns] = geometry.output;
        let (in_len, out_len) = (geometry.input[0] * geometry.input_area(), channels * rows * columns);
        let weight = parameters[0].clone();
        let bias = parameters.get(1);
        let tiling = Tiling::of(&geometry).map(|tiling| (tiling, self.kept.of(&weight, Weights::new)));
        let together = tiling.as_ref().map_or(1, |(tiling, _)| tiling.together());
        let of_images = |images: &[f32], out: &mut Unwritten, cores| match &tiling {
            Some((tiling, weights)) => tiling.correlate(images, weights, cleared(out, cores), cores),
            None => correlate(&geometry, images, &weight, out, cores),
        };
        // SAFETY: all images are written.
        let mut out = unsafe {
            written(batch * out_len, |out| {
                for_each_image((x, in_len), (out, out_len), together, of_images);
            })
        };
        let (relu, redirects) = (self.relu, self.redirects);
        let passed = match (relu, bias) {
            (Some(slope), bias) => rectify(&mut out, bias.map(|bias| &**bias), rows * columns, slope),
            (None, Some(bias)) => {
                add_bias(&mut out, bias, rows * columns);
                Vec::new()
            }
            (None, None) => Vec::new(),
        };
        let shape = vec![batch, channels, rows, columns];
        if !track {
            return Output {
                values: out,
                shape,
                gradient: None,
            };
        }
        let gradient = Arc::new(move |grad: &HostArray| {
            let masked = relu.map(|slope| {
                let mut masked = relu::masked(grad, &passed, slope);
                if redirects && slope == 0.0 {
                    redirect::redirect(&mut masked, grad, out_len, |place| passed[place] == 1);
                }
                masked
            });
            let grad = masked.as_deref().unwrap_or(grad);
            let whole = |grad: &[f32], image: &mut Unwritten, cores| match &tiling {
                Some((tiling, weights)) => tiling.spread(grad, weights, cleared(image, cores), cores),
                None => spread(&geometry, grad, &weight, image, cores),
            };
            let of_images = |grad: &[f32], image: &mut Unwritten, cores| {
                let footprints = grad
                    .chunks(out_len)
                    .map(|grad| Footprint::of(grad, geometry.output, cores));
                let footprints: Vec<_> = footprints.collect();
                if footprints.iter().all(Option::is_none) {
                    return whole(grad, image, cores);
                }
                let images = grad.chunks(out_len).zip(image.chunks_mut(in_len));
                images
                    .zip(&footprints)
                    .for_each(|((grad, image), footprint)| match footprint {
                        Some(footprint) => {
                            let image = cleared(image, cores);
                            spread_part(&geometry, footprint, grad, &weight, image, cores);
                        }
                        None => whole(grad, image, cores),
                    });
            };
            // SAFETY: all images are written.
            unsafe {
                written(batch * in_len, |image| {
                    for_each_image((grad, out_len), (image, in_len), together, of_images);
                })
            }
        });
        Output {
            values: out,
            shape,
            gradient: Some(gradient),
        }
    }
}
