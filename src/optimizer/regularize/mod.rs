//! What keeps the image natural after each step (Section 3 of the paper), in the order of the original script.

mod blur;
mod percentile;

pub use blur::{LEAST_USEFUL_RADIUS, blur, matrix as blur_matrix};
pub use percentile::percentile;

use super::params::Regularizers;

/// Applies the regularizers of `iteration` to `x` (channels x `rows` x `columns`, row-major); `gradient` is the one that the
/// step was taken along.
pub fn regularize(
    x: &mut [f64],
    gradient: &[f32],
    settings: &Regularizers,
    iteration: usize,
    [rows, columns]: [usize; 2],
) {
    let decay = settings.decay.value();
    if decay != 0.0 {
        let kept = 1.0 - decay;
        x.iter_mut().for_each(|value| *value *= kept);
    }
    if is_due(settings, iteration) {
        blur(x, settings.blur_radius.value(), [rows, columns]);
    }
    let area = rows * columns;
    if settings.small_val_percentile.value() > 0.0 {
        let sizes: Vec<f64> = x.iter().map(|value| value.abs()).collect();
        let least = percentile(&sizes, settings.small_val_percentile.value());
        for (value, size) in x.iter_mut().zip(&sizes) {
            if *size < least {
                *value = 0.0;
            }
        }
    }
    if settings.small_norm_percentile.value() > 0.0 {
        let norms = pixel_sums(x, area, |i| x[i] * x[i])
            .into_iter()
            .map(f64::sqrt)
            .collect();
        zero_below(x, norms, settings.small_norm_percentile.value());
    }
    if settings.px_benefit_percentile.value() > 0.0 {
        let benefits = pixel_sums(x, area, |i| f64::from(gradient[i]) * -x[i]);
        zero_below(x, benefits, settings.px_benefit_percentile.value());
    }
    if settings.px_abs_benefit_percentile.value() > 0.0 {
        let benefits = pixel_sums(x, area, |i| f64::from(gradient[i]) * -x[i])
            .into_iter()
            .map(f64::abs)
            .collect();
        zero_below(x, benefits, settings.px_abs_benefit_percentile.value());
    }
}

/// Whether the image is blurred after the step of `iteration`.
pub fn is_due(settings: &Regularizers, iteration: usize) -> bool {
    let every = usize::try_from(settings.blur_every.unsigned_abs()).unwrap_or(usize::MAX);
    every != 0 && settings.blur_radius.value() > 0.0 && iteration.is_multiple_of(every)
}

/// For each pixel the sum of `term` over its channels.
fn pixel_sums(x: &[f64], area: usize, term: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut sums = vec![0.0; area];
    for start in (0..x.len()).step_by(area.max(1)) {
        for (pixel, sum) in sums.iter_mut().enumerate() {
            *sum += term(start + pixel);
        }
    }
    sums
}

/// Zeroes all channels of the pixels whose measure is below the percentile of all measures.
fn zero_below(x: &mut [f64], measures: Vec<f64>, percent: f64) {
    let least = percentile(&measures, percent);
    for plane in x.chunks_mut(measures.len().max(1)) {
        for (value, measure) in plane.iter_mut().zip(&measures) {
            if *measure < least {
                *value = 0.0;
            }
        }
    }
}
