//! Convolution as a matrix product over unfolded patches, and its way back to the image.

use std::sync::Arc;

use rayon::prelude::*;

use super::gemm::{Cores, Matrix, multiply};
use super::relu;
use super::scratch::{with_scratch, zeros};
use super::vector::vectorized;
use super::winograd::{Kept, Tiling};
use super::{HostArray, HostFunction, Output};

/// The sizes of a convolution over one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Channels, rows, columns of the input.
    pub input: [usize; 3],
    /// Channels, rows, columns of the output.
    pub output: [usize; 3],
    /// Rows, columns of the kernel.
    pub kernel: [usize; 2],
    /// Steps, in pixels.
    pub stride: [usize; 2],
    /// Zeros around the image.
    pub pad: [usize; 2],
    /// Distance between kernel elements.
    pub dilation: [usize; 2],
    /// Groups of channels.
    pub group: usize,
}

impl Geometry {
    /// Input channels of a group times kernel size: rows of an unfolded group.
    fn patch(&self) -> usize {
        self.input[0] / self.group * self.kernel[0] * self.kernel[1]
    }

    /// Products that are added up for one image, in either direction.
    pub fn multiply_adds(&self) -> u64 {
        (self.patch() * self.output.iter().product::<usize>()) as u64
    }

    fn output_area(&self) -> usize {
        self.output[1] * self.output[2]
    }

    fn input_area(&self) -> usize {
        self.input[1] * self.input[2]
    }

    /// Whether unfolding would copy the image as it is.
    fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.pad == [0, 0]
    }

    /// For kernel offset `k` along `axis` (0: rows): the output positions whose tap falls inside the input, and the
    /// input position of the first of them.
    fn span(&self, axis: usize, k: usize) -> (usize, usize, usize) {
        let (stride, pad) = (self.stride[axis], self.pad[axis]);
        let offset = k * self.dilation[axis];
        let first = pad.saturating_sub(offset).div_ceil(stride);
        let last = if self.input[axis + 1] + pad > offset {
            ((self.input[axis + 1] + pad - offset - 1) / stride + 1).min(self.output[axis + 1])
        } else {
            0
        };
        let first = first.min(last);
        (first, last, (first * stride + offset).saturating_sub(pad))
    }

    /// Writes the patches of some channels into `columns`, `patch x output_area`.
    fn unfold(&self, image: &[f32], columns: &mut [f32]) {
        let taps = self.kernel[0] * self.kernel[1];
        let rows = columns.par_chunks_mut(self.output_area()).enumerate();
        rows.with_min_len(4).for_each(|(place, row)| {
            let (channel, tap) = (place / taps, place % taps);
            let plane = &image[channel * self.input_area()..][..self.input_area()];
            self.unfold_tap(plane, row, tap / self.kernel[1], tap % self.kernel[1]);
        });
    }

    fn unfold_tap(&self, plane: &[f32], row: &mut [f32], ky: usize, kx: usize) {
        let (y0, y1, mut iy) = self.span(0, ky);
        let (x0, x1, ix) = self.span(1, kx);
        let (width, out_width) = (self.input[2], self.output[2]);
        row[..y0 * out_width].fill(0.0);
        for line in row[y0 * out_width..y1 * out_width].chunks_mut(out_width) {
            line[..x0].fill(0.0);
            line[x1..].fill(0.0);
            let source = &plane[iy * width..(iy + 1) * width];
            if self.stride[1] == 1 {
                line[x0..x1].copy_from_slice(&source[ix..ix + x1 - x0]);
            } else {
                for (to, from) in line[x0..x1]
                    .iter_mut()
                    .zip(source[ix.min(width)..].iter().step_by(self.stride[1]))
                {
                    *to = *from;
                }
            }
            iy += self.stride[0];
        }
        row[y1 * out_width..].fill(0.0);
    }

    /// Adds the patches in `columns` up into the image they were taken from.
    fn fold(&self, columns: &[f32], image: &mut [f32]) {
        let taps = self.kernel[0] * self.kernel[1];
        let [_, height, width] = self.input;
        let channels = image.len() / self.input_area();
        // Of few channels, each is cut into bands of lines, so that all cores have their part.
        let bands = (4 * rayon::current_num_threads()).div_ceil(channels).min(height);
        let lines = height.div_ceil(bands);
        let bands = height.div_ceil(lines);
        let parts: Vec<&mut [f32]> = image
            .chunks_mut(self.input_area())
            .flat_map(|plane| plane.chunks_mut(lines * width))
            .collect();
        parts.into_par_iter().enumerate().for_each(|(place, band)| {
            band.fill(0.0);
            let (channel, top) = (place / bands, place % bands * lines);
            let rows = &columns[channel * taps * self.output_area()..][..taps * self.output_area()];
            for (tap, row) in rows.chunks(self.output_area()).enumerate() {
                self.fold_tap(row, band, top, tap / self.kernel[1], tap % self.kernel[1]);
            }
        });
    }

    /// Adds one tap's row to the lines of a plane from `top` on.
    fn fold_tap(&self, row: &[f32], band: &mut [f32], top: usize, ky: usize, kx: usize) {
        let (y0, y1, iy) = self.span(0, ky);
        let (x0, x1, ix) = self.span(1, kx);
        let [_, _, width] = self.input;
        let out_width = self.output[2];
        let bottom = top + band.len() / width;
        // The output lines whose tap falls into the band: the first at `top` or below, the last above `bottom`.
        let [from, to] = [top, bottom].map(|line| (y0 + line.saturating_sub(iy).div_ceil(self.stride[0])).min(y1));
        for y in from..to {
            let line = &row[y * out_width..(y + 1) * out_width];
            let target = &mut band[(iy + (y - y0) * self.stride[0] - top) * width..][..width];
            if self.stride[1] == 1 {
                for (to, from) in target[ix..ix + x1 - x0].iter_mut().zip(&line[x0..x1]) {
                    *to += from;
                }
            } else {
                for (to, from) in target[ix.min(width)..]
                    .iter_mut()
                    .step_by(self.stride[1])
                    .zip(&line[x0..x1])
                {
                    *to += from;
                }
            }
        }
    }
}

/// `weight * patches(image)`; overwrites `out`.
fn correlate(geometry: &Geometry, image: &[f32], weight: &[f32], out: &mut [f32], cores: Cores) {
    let (patch, area) = (geometry.patch(), geometry.output_area());
    let outputs = geometry.output[0] / geometry.group;
    let inputs = geometry.input[0] / geometry.group * geometry.input_area();
    for group in 0..geometry.group {
        let image = &image[group * inputs..(group + 1) * inputs];
        let weight = &weight[group * outputs * patch..(group + 1) * outputs * patch];
        let out = &mut out[group * outputs * area..(group + 1) * outputs * area];
        let weight = Matrix::new(weight, outputs, patch);
        let sizes = (outputs, area, patch);
        if geometry.is_pointwise() {
            multiply(out, weight, Matrix::new(image, patch, area), sizes, cores);
        } else {
            with_scratch(patch * area, |columns| {
                geometry.unfold(image, columns);
                multiply(out, weight, Matrix::new(columns, patch, area), sizes, cores);
            });
        }
    }
}

/// The transpose of [`correlate`]: spreads `out` over the image; overwrites it.
fn spread(geometry: &Geometry, out: &[f32], weight: &[f32], image: &mut [f32], cores: Cores) {
    let (patch, area) = (geometry.patch(), geometry.output_area());
    let outputs = geometry.output[0] / geometry.group;
    let inputs = geometry.input[0] / geometry.group * geometry.input_area();
    for group in 0..geometry.group {
        let image = &mut image[group * inputs..(group + 1) * inputs];
        let weight = &weight[group * outputs * patch..(group + 1) * outputs * patch];
        let out = &out[group * outputs * area..(group + 1) * outputs * area];
        let weight = Matrix::new(weight, outputs, patch).transposed();
        let out = Matrix::new(out, outputs, area);
        let sizes = (patch, area, outputs);
        if geometry.is_pointwise() {
            multiply(image, weight, out, sizes, cores);
        } else {
            with_scratch(patch * area, |columns| {
                multiply(columns, weight, out, sizes, cores);
                geometry.fold(columns, image);
            });
        }
    }
}

/// Does `work` for each pair of parts, each part being one image's, or some `together`: with as many images as cores every
/// core takes its own, which spares them waiting for each other.
fn for_each_image(
    (from, from_len): (&[f32], usize),
    (to, to_len): (&mut [f32], usize),
    together: usize,
    work: impl Fn(&[f32], &mut [f32], Cores) + Sync,
) {
    let (cores, batch) = (rayon::current_num_threads(), to.len() / to_len.max(1));
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

/// Planes that a thread works on at a time: some sixteen thousand entries of them.
fn planes_at_a_time(area: usize) -> usize {
    ((1 << 14) / area.max(1)).max(1)
}

/// Adds a value a channel to planes of `area` entries.
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

/// Adds biases, if any, applies a ReLU, and tells where it let its input through, all in one pass.
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
    /// What is made of the weights once and for all.
    pub kept: Kept,
}

impl HostFunction for Convolve {
    fn forward(&self, x: &HostArray, parameters: &[HostArray], track: bool) -> Output {
        let geometry = self.geometry;
        let batch = x.shape()[0];
        let [channels, rows, columns] = geometry.output;
        let (in_len, out_len) = (geometry.input[0] * geometry.input_area(), channels * rows * columns);
        let weight = parameters[0].clone();
        let bias = parameters.get(1);
        let mut out = zeros(batch * out_len);
        let tiling = Tiling::of(&geometry).map(|tiling| (tiling, self.kept.of(&weight)));
        let together = tiling.as_ref().map_or(1, |(tiling, _)| tiling.together());
        for_each_image(
            (x, in_len),
            (&mut out, out_len),
            together,
            |images, out, cores| match &tiling {
                Some((tiling, weights)) => tiling.correlate(images, weights, out, cores),
                None => correlate(&geometry, images, &weight, out, cores),
            },
        );
        let relu = self.relu;
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
            let masked = relu.map(|slope| relu::masked(grad, &passed, slope));
            let grad = masked.as_deref().unwrap_or(grad);
            let mut image = zeros(batch * in_len);
            for_each_image(
                (grad, out_len),
                (&mut image, in_len),
                together,
                |grad, image, cores| match &tiling {
                    Some((tiling, weights)) => tiling.spread(grad, weights, image, cores),
                    None => spread(&geometry, grad, &weight, image, cores),
                },
            );
            image
        });
        Output {
            values: out,
            shape,
            gradient: Some(gradient),
        }
    }
}

/// The transpose of a convolution, Caffe's Deconvolution: `geometry` is that of the convolution whose input is our output.
/// Parameters: weight, then bias if any.
#[derive(Debug, Clone)]
pub struct Deconvolve {
    /// The sizes of the convolution that this is the transpose of.
    pub geometry: Geometry,
}

impl HostFunction for Deconvolve {
    fn forward(&self, x: &HostArray, parameters: &[HostArray], track: bool) -> Output {
        let geometry = self.geometry;
        let batch = x.shape()[0];
        let [channels, rows, columns] = geometry.input;
        let in_len = geometry.output[0] * geometry.output_area();
        let out_len = channels * rows * columns;
        let weight = parameters[0].clone();
        let mut out = zeros(batch * out_len);
        for_each_image((x, in_len), (&mut out, out_len), 1, |x, out, cores| {
            spread(&geometry, x, &weight, out, cores);
            if let Some(bias) = parameters.get(1) {
                for (plane, bias) in out.chunks_mut((rows * columns).max(1)).zip(bias.iter()) {
                    plane.iter_mut().for_each(|value| *value += bias);
                }
            }
        });
        let gradient = track.then(|| {
            let gradient = move |grad: &HostArray| {
                let mut back = zeros(batch * in_len);
                for_each_image((grad, out_len), (&mut back, in_len), 1, |grad, back, cores| {
                    correlate(&geometry, grad, &weight, back, cores);
                });
                back
            };
            Arc::new(gradient) as super::Gradient
        });
        Output {
            values: out,
            shape: vec![batch, channels, rows, columns],
            gradient,
        }
    }
}
