//! The regularizers at work, in the order of the original script (`optimize_image.py`, Section 3 of the paper).

use super::arithmetic::Pixelwise;
use super::regularizer::Regularizers;

/// Applies the regularizers of `iteration` to all images; `gradient` is the one that the step was taken along.
pub(super) fn regularize<A: Pixelwise>(
    regularizers: &Regularizers,
    arithmetic: &A,
    x: &mut A::Images,
    gradient: &A::Gradient,
    iteration: usize,
) {
    if regularizers.decay != 0.0 {
        arithmetic.scale(x, 1.0 - regularizers.decay);
    }
    if regularizers.blur_is_due(iteration) {
        arithmetic.blur(x);
    }
    if regularizers.small_val_percentile > 0.0 {
        arithmetic.zero_small_values(x, regularizers.small_val_percentile);
    }
    if regularizers.small_norm_percentile > 0.0 {
        let norms = arithmetic.pixel_norms(x);
        arithmetic.zero_pixels(x, norms, regularizers.small_norm_percentile);
    }
    if regularizers.px_benefit_percentile > 0.0 {
        let benefits = arithmetic.pixel_benefits(x, gradient);
        arithmetic.zero_pixels(x, benefits, regularizers.px_benefit_percentile);
    }
    if regularizers.px_abs_benefit_percentile > 0.0 {
        let benefits = arithmetic.pixel_benefits(x, gradient);
        let sizes = arithmetic.pixel_sizes(benefits);
        arithmetic.zero_pixels(x, sizes, regularizers.px_abs_benefit_percentile);
    }
}
