//! The ReLU that follows a convolution, fused with adding its bias. A ReLU by itself is burn's own, which is as fast.

use super::each::map_masked;

/// Adds `bias`, applies a ReLU of that slope, and records where the input was positive: 1 there, 0 elsewhere. A bit
/// would be enough; a byte is faster.
#[inline(always)]
pub(super) fn rectify(values: &mut [f32], bias: f32, slope: f32, passed: &mut [u8]) {
    for (value, passed) in values.iter_mut().zip(passed) {
        let biased = *value + bias;
        *passed = u8::from(biased > 0.0);
        // Adding zero turns -0.0, which a slope of 0 makes of negative numbers, into 0.0.
        *value = if biased > 0.0 { biased } else { slope * biased + 0.0 };
    }
}

/// The gradient of a ReLU: unchanged where its input was positive, times `slope` elsewhere.
pub(super) fn masked(grad: &[f32], passed: &[u8], slope: f32) -> Vec<f32> {
    map_masked(
        grad,
        passed,
        // Selecting the factor, unlike selecting the product, is vectorized by the compiler.
        #[inline(always)]
        move |grad, passed| grad * if passed == 1 { 1.0 } else { slope },
    )
}
