//! Images as spectra: the inverse real Fourier transform of free coefficients, low frequencies amplified.
//!
//! With rows ky = 0..H-1 in FFT order and columns kx = 0..floor(W/2), cycles per pixel f(ky, kx), decay power p:
//!
//! ```text
//! s = 1 / max(f, 1 / max(H, W))^p
//! x = irfft2(S * s * sqrt(W * H)) / divisor
//! ```
//!
//! the inverse transform dividing by W * H. Mordvintsev et al. 2018; `fft_image` of lucid and lucent, whose divisor is 4
//! (less saturation) and whose odd widths differ: lucent stores a column that has no effect, lucid computes another image.
//!
//! Both parts of each coefficient are free. Where a real image has no imaginary part (column 0 and, W even, column W/2) the
//! transform sees the Hermitian part alone.

use std::f64::consts::TAU;
use std::fmt::{self, Debug};
use std::sync::{Arc, OnceLock};

use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;
use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner};

use crate::network::host::{self, Gradient, HostArray, HostFunction, Output};

/// Columns of the spectrum of images `width` wide.
pub fn columns(width: usize) -> usize {
    width / 2 + 1
}

/// Numbers of a spectrum of `channels` planes of `size` (rows, columns): real and imaginary parts side by side.
pub fn entries(channels: usize, size: [usize; 2]) -> usize {
    channels * size[0] * columns(size[1]) * 2
}

/// Cycles per pixel of each coefficient, rows x columns: `sqrt(fftfreq(H)^2 + fftfreq(W)^2)`.
#[expect(clippy::cast_precision_loss, reason = "sizes of images")]
pub fn frequencies([rows, width]: [usize; 2]) -> Vec<f64> {
    let along = |k: usize, n: usize| k.min(n - k) as f64 / n as f64;
    (0..rows)
        .flat_map(|ky| (0..columns(width)).map(move |kx| along(ky, rows).hypot(along(kx, width))))
        .collect()
}

/// s: what each coefficient is amplified by; the constant one (f = 0) as the lowest frequencies are.
#[expect(clippy::cast_precision_loss, reason = "sizes of images")]
pub fn amplification(size: [usize; 2], decay_power: f64) -> Vec<f64> {
    let least = 1.0 / size[0].max(size[1]) as f64;
    frequencies(size)
        .iter()
        .map(|f| f.max(least).powf(-decay_power))
        .collect()
}

/// Whether the coefficients of column `kx` stand for themselves and their mirror images, which are not stored.
fn is_doubled(kx: usize, width: usize) -> bool {
    kx != 0 && 2 * kx != width
}

/// The inverse transform for images of one size, on the CPU by fast Fourier transforms, elsewhere by matrix products.
#[derive(Clone)]
pub struct InverseTransform {
    size: [usize; 2],
    /// What coefficients are multiplied by on their way to the image, so that `1` everywhere is the unitary transform.
    forward: Arc<[f32]>,
    /// The same for gradients on their way back.
    backward: Arc<[f32]>,
    /// The two are the same, as the chain rule has it.
    is_plain: bool,
    plans: Arc<Plans>,
    products: Arc<OnceLock<Products>>,
}

/// The transform as constants for a device without fast Fourier transforms.
struct Products {
    forward: Tensor<3>,
    backward: Tensor<3>,
    along_columns: Tensor<3>,
    along_rows: Tensor<3>,
}

struct Plans {
    columns_inverse: Arc<dyn Fft<f32>>,
    columns_forward: Arc<dyn Fft<f32>>,
    rows_inverse: Arc<dyn ComplexToReal<f32>>,
    rows_forward: Arc<dyn RealToComplex<f32>>,
}

impl Debug for InverseTransform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InverseTransform({:?})", self.size)
    }
}

impl InverseTransform {
    /// The transform that multiplies coefficients by `forward` and then is unitary ("ortho"); gradients are multiplied by
    /// `backward` instead where that is given. Both are rows x columns of the spectrum.
    pub fn new(size: [usize; 2], forward: &[f64], backward: Option<&[f64]>) -> Self {
        let single = |values: &[f64]| -> Arc<[f32]> {
            #[expect(clippy::cast_possible_truncation, reason = "tensors are float32")]
            values.iter().map(|value| *value as f32).collect()
        };
        let (mut complex, mut real) = (FftPlanner::new(), RealFftPlanner::new());
        Self {
            size,
            forward: single(forward),
            backward: single(backward.unwrap_or(forward)),
            is_plain: backward.is_none(),
            plans: Arc::new(Plans {
                columns_inverse: complex.plan_fft_inverse(size[0]),
                columns_forward: complex.plan_fft_forward(size[0]),
                rows_inverse: real.plan_fft_inverse(size[1]),
                rows_forward: real.plan_fft_forward(size[1]),
            }),
            products: Arc::default(),
        }
    }

    /// Images `[batch, channels, rows, columns]` of spectra `[batch, channels * rows * columns of the spectrum * 2]`.
    pub fn image(&self, spectra: Tensor<2>, channels: usize) -> Tensor<4> {
        if host::is_host(&spectra.device()) {
            let function = OnHost {
                transform: self.clone(),
                channels,
            };
            host::apply(spectra, function)
        } else {
            self.image_by_products(spectra, channels)
        }
    }

    /// The same by two dense matrix products, differentiated by burn.
    pub fn image_by_products(&self, spectra: Tensor<2>, channels: usize) -> Tensor<4> {
        let ([batch, _], [rows, width]) = (spectra.dims(), self.size);
        let kept = columns(width);
        let products = self.products.get_or_init(|| self.products(&spectra.device()));
        let given = spectra.reshape([batch * channels, rows * kept, 2]);
        let scaled = if self.is_plain {
            given.clone() * constant_for(&given, &products.forward)
        } else {
            // The value of the one product with the gradient of the other.
            let backward = given.clone() * constant_for(&given, &products.backward);
            let forward = given.clone().detach() * constant_for(&given, &products.forward);
            forward + (backward.clone() - backward.detach())
        };
        let parts = scaled.reshape([batch * channels, rows, kept, 2]);
        let part = |index: usize| {
            parts
                .clone()
                .narrow(3, index, 1)
                .reshape([batch * channels, rows, kept])
        };
        // Along columns: the real and the imaginary parts one above the other.
        let stacked = Tensor::cat(vec![part(0), part(1)], 1);
        let transformed = constant_for(&stacked, &products.along_columns).matmul(stacked);
        let real = transformed.clone().narrow(1, 0, rows);
        let imaginary = transformed.narrow(1, rows, rows);
        // Along rows: side by side, and only what is real remains.
        let beside = Tensor::cat(vec![real, imaginary], 2);
        let along_rows = constant_for(&beside, &products.along_rows);
        beside.matmul(along_rows).reshape([batch, channels, rows, width])
    }

    fn products(&self, device: &Device) -> Products {
        let [rows, width] = self.size;
        let scale = |values: &[f32]| {
            let data = TensorData::new(values.to_vec(), [1, values.len(), 1]);
            Tensor::from_data(data, device).without_autodiff()
        };
        Products {
            forward: scale(&self.forward),
            backward: scale(&self.backward),
            along_columns: along_columns(rows, device),
            along_rows: along_rows(width, device),
        }
    }

    /// Spectra of images: what [`InverseTransform::image`] makes them of, but for coefficients that have no effect, which are 0.
    pub fn spectra(&self, images: Tensor<4>) -> Tensor<2> {
        let ([batch, channels, rows, width], device) = (images.dims(), images.device());
        let count = entries(channels, self.size);
        let values: Vec<f32> = images.into_data().iter::<f32>().collect();
        let mut spectra = vec![0.0; batch * count];
        let planes = values.chunks(rows * width);
        for (plane, spectrum) in planes.zip(spectra.chunks_mut(count / channels.max(1))) {
            self.transform(plane, spectrum, |ky_kx, _| 1.0 / self.forward[ky_kx]);
        }
        Tensor::from_data(TensorData::new(spectra, [batch, count]), &device)
    }

    #[expect(clippy::cast_precision_loss, reason = "sizes of images")]
    fn unitary(&self) -> f32 {
        1.0 / ((self.size[0] * self.size[1]) as f32).sqrt()
    }

    /// One plane of a spectrum to a plane of an image.
    fn invert(&self, spectrum: &[f32], plane: &mut [f32]) {
        let [rows, width] = self.size;
        let kept = columns(width);
        let unitary = self.unitary();
        // Column by column, so that each is contiguous.
        let mut by_columns = vec![Complex32::default(); rows * kept];
        for (ky, (line, scales)) in spectrum
            .chunks_exact(2 * kept)
            .zip(self.forward.chunks_exact(kept))
            .enumerate()
        {
            for (kx, (pair, scale)) in line.chunks_exact(2).zip(scales).enumerate() {
                let scale = scale * unitary;
                by_columns[kx * rows + ky] = Complex32::new(pair[0] * scale, pair[1] * scale);
            }
        }
        self.plans.columns_inverse.process(&mut by_columns);
        let mut line = vec![Complex32::default(); kept];
        let mut scratch = self.plans.rows_inverse.make_scratch_vec();
        for (y, row) in plane.chunks_exact_mut(width).enumerate() {
            for (kx, value) in line.iter_mut().enumerate() {
                *value = by_columns[kx * rows + y];
                if !is_doubled(kx, width) {
                    value.im = 0.0;
                }
            }
            // Fails where lengths differ, or where one of these imaginary parts is not 0: neither can be.
            let done = self
                .plans
                .rows_inverse
                .process_with_scratch(&mut line, row, &mut scratch);
            debug_assert!(done.is_ok());
        }
    }

    /// One plane of an image to a plane of a unitary spectrum, each coefficient times `scale(index, column)`.
    fn transform(&self, plane: &[f32], spectrum: &mut [f32], scale: impl Fn(usize, usize) -> f32) {
        let [rows, width] = self.size;
        let kept = columns(width);
        let unitary = self.unitary();
        let mut by_columns = vec![Complex32::default(); rows * kept];
        let mut row = vec![0.0; width];
        let mut line = vec![Complex32::default(); kept];
        let mut scratch = self.plans.rows_forward.make_scratch_vec();
        for (y, given) in plane.chunks_exact(width).enumerate() {
            row.copy_from_slice(given);
            // Fails where lengths differ, which cannot be.
            let done = self
                .plans
                .rows_forward
                .process_with_scratch(&mut row, &mut line, &mut scratch);
            debug_assert!(done.is_ok());
            for (kx, value) in line.iter().enumerate() {
                by_columns[kx * rows + y] = *value;
            }
        }
        self.plans.columns_forward.process(&mut by_columns);
        for (ky, line) in spectrum.chunks_exact_mut(2 * kept).enumerate() {
            for (kx, pair) in line.chunks_exact_mut(2).enumerate() {
                let value = by_columns[kx * rows + ky] * (unitary * scale(ky * kept + kx, kx));
                pair.copy_from_slice(&[value.re, value.im]);
            }
        }
    }
}

/// A constant, to be computed with beside `x`, which may have a gradient.
fn constant_for<const D: usize, const E: usize>(x: &Tensor<D>, constant: &Tensor<E>) -> Tensor<E> {
    if x.is_autodiff() {
        constant.clone().autodiff()
    } else {
        constant.clone()
    }
}

/// The unitary inverse transform of columns, as a real matrix that acts on real parts above imaginary ones.
#[expect(clippy::cast_precision_loss, reason = "sizes of images")]
fn along_columns(rows: usize, device: &Device) -> Tensor<3> {
    let unitary = 1.0 / (rows as f64).sqrt();
    let mut values = vec![0.0f32; 4 * rows * rows];
    for y in 0..rows {
        for ky in 0..rows {
            // The product modulo the period, lest large angles lose digits.
            let angle = TAU * (y * ky % rows) as f64 / rows as f64;
            #[expect(clippy::cast_possible_truncation, reason = "tensors are float32")]
            let (cosine, sine) = ((unitary * angle.cos()) as f32, (unitary * angle.sin()) as f32);
            values[y * 2 * rows + ky] = cosine;
            values[y * 2 * rows + rows + ky] = -sine;
            values[(rows + y) * 2 * rows + ky] = sine;
            values[(rows + y) * 2 * rows + rows + ky] = cosine;
        }
    }
    Tensor::from_data(TensorData::new(values, [1, 2 * rows, 2 * rows]), device).without_autodiff()
}

/// The unitary transform that makes real rows of their coefficients, real parts beside imaginary ones.
#[expect(clippy::cast_precision_loss, reason = "sizes of images")]
fn along_rows(width: usize, device: &Device) -> Tensor<3> {
    let kept = columns(width);
    let unitary = 1.0 / (width as f64).sqrt();
    let mut values = vec![0.0f32; 2 * kept * width];
    for kx in 0..kept {
        let weight = if is_doubled(kx, width) { 2.0 * unitary } else { unitary };
        for x in 0..width {
            let angle = TAU * (x * kx % width) as f64 / width as f64;
            #[expect(clippy::cast_possible_truncation, reason = "tensors are float32")]
            let (cosine, sine) = ((weight * angle.cos()) as f32, (-weight * angle.sin()) as f32);
            values[kx * width + x] = cosine;
            // Exactly nothing, where the sine is that of whole half turns.
            values[(kept + kx) * width + x] = if is_doubled(kx, width) { sine } else { 0.0 };
        }
    }
    Tensor::from_data(TensorData::new(values, [1, 2 * kept, width]), device).without_autodiff()
}

#[derive(Debug)]
struct OnHost {
    transform: InverseTransform,
    channels: usize,
}

impl HostFunction for OnHost {
    fn forward(&self, x: &HostArray, _: &[HostArray], track: bool) -> Output {
        let [rows, width] = self.transform.size;
        let batch = x.shape()[0];
        let (area, of_plane) = (rows * width, entries(1, self.transform.size));
        let mut values = vec![0.0; batch * self.channels * area];
        let planes = values.par_chunks_mut(area).zip(x.par_chunks(of_plane));
        planes.for_each(|(plane, spectrum)| self.transform.invert(spectrum, plane));
        let gradient = track.then(|| {
            let (transform, len) = (self.transform.clone(), x.len());
            Arc::new(move |grad: &HostArray| {
                let mut back = vec![0.0; len];
                let planes = back.par_chunks_mut(of_plane).zip(grad.par_chunks(area));
                planes.for_each(|(spectrum, plane)| {
                    transform.transform(plane, spectrum, |index, kx| {
                        let weight = if is_doubled(kx, width) { 2.0 } else { 1.0 };
                        weight * transform.backward[index]
                    });
                });
                back
            }) as Gradient
        });
        Output {
            values,
            shape: vec![batch, self.channels, rows, width],
            gradient,
        }
    }
}
