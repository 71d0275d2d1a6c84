//! Magnitude-constrained images (Fel et al. 2023, "Unlocking Feature Visualization for Deeper Networks with `MAgnitude`
//! Constrained Optimization"): the amplitude of each frequency is that of natural pictures, and the phase alone is free.
//!
//! ```text
//! phase' = (phase - mean) / (std + e)           over all channels together
//! x      = irfft2(A * exp(i phase'))
//! x'     = (x - mean) / (std + e)               over the whole image
//! ```
//!
//! then colour and squash. As x' is standardised, A counts up to a factor.

use burn::tensor::Tensor;

use super::fourier::{InverseTransform, columns, frequencies};
use crate::network::sums::mean_along;

/// Which deviation a library divides by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Deviation {
    /// What the sum of squares is divided by is less than the number of entries by this: 1 in horama, 0 in xplique.
    pub missing: f64,
    /// e: 1e-4 in horama, 1e-5 in xplique.
    pub epsilon: f64,
}

/// xplique's.
pub const POPULATION: Deviation = Deviation {
    missing: 0.0,
    epsilon: 1e-5,
};

/// horama's.
pub const SAMPLE: Deviation = Deviation {
    missing: 1.0,
    epsilon: 1e-4,
};

/// The amplitudes of natural pictures in decorrelated colours, fitted to the mean of ImageNet's spectra (of the logarithm,
/// 14 % rms for f up to 0.45 cycles per pixel): exp(3.457) f^-1.282 exp(-11.82 f^2), rows x columns of the spectrum. The
/// constant's amplitude has no effect; it is that of the lowest frequency.
#[expect(clippy::cast_precision_loss, reason = "sizes of images")]
pub fn natural_magnitude(size: [usize; 2]) -> Vec<f64> {
    let least = 1.0 / size[0].max(size[1]) as f64;
    frequencies(size)
        .iter()
        .map(|f| {
            let f = f.max(least);
            3.457f64.exp() * f.powf(-1.282) * (-11.82 * f * f).exp()
        })
        .collect()
}

/// Each row minus its mean, over its deviation.
#[expect(clippy::cast_precision_loss, reason = "entries of an image")]
fn standardised(x: Tensor<2>, deviation: Deviation) -> Tensor<2> {
    let count = x.dims()[1] as f64;
    let centred = x.clone() - mean_along(x, 1);
    let variance = mean_along(centred.clone().square(), 1).mul_scalar(count / (count - deviation.missing));
    centred / variance.sqrt().add_scalar(deviation.epsilon)
}

/// Images `[batch, channels, rows, columns]`, before colour and squash, of phases `[batch, channels * coefficients]`, with
/// `magnitude` `[1, channels * coefficients]` and the unscaled inverse transform.
pub fn image(
    phases: Tensor<2>,
    channels: usize,
    size: [usize; 2],
    magnitude: &Tensor<2>,
    transform: &InverseTransform,
    deviation: Deviation,
) -> Tensor<4> {
    let [batch, _] = phases.dims();
    let coefficients = channels * size[0] * columns(size[1]);
    // One by one, so that an image's bits are the same alone and among others.
    let images = (0..batch)
        .map(|index| {
            let phase = standardised(phases.clone().narrow(0, index, 1), deviation);
            let magnitude = if phase.is_autodiff() {
                magnitude.clone().autodiff()
            } else {
                magnitude.clone()
            };
            let real = (phase.clone().cos() * magnitude.clone()).reshape([1, coefficients, 1]);
            let imaginary = (phase.sin() * magnitude).reshape([1, coefficients, 1]);
            let spectrum = Tensor::cat(vec![real, imaginary], 2).reshape([1, 2 * coefficients]);
            let entries = channels * size[0] * size[1];
            let image = transform.image(spectrum, channels).reshape([1, entries]);
            standardised(image, deviation).reshape([1, channels, size[0], size[1]])
        })
        .collect();
    Tensor::cat(images, 0)
}
