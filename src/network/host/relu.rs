//! The ReLU that follows a convolution, fused with adding its bias. A ReLU by itself is burn's own, which is as fast.

use rayon::prelude::*;

use super::scratch::CHUNK;
use super::vector::vectorized;

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
    assert_eq!(grad.len(), passed.len());
    let mut values = Vec::with_capacity(grad.len());
    let chunks = values.spare_capacity_mut()[..grad.len()]
        .par_chunks_mut(CHUNK)
        .zip(grad.par_chunks(CHUNK))
        .zip(passed.par_chunks(CHUNK));
    chunks.for_each(|((masked, grad), passed)| {
        vectorized(
            #[inline(always)]
            || {
                for ((masked, grad), passed) in masked.iter_mut().zip(grad).zip(passed) {
                    // Selecting the factor, unlike selecting the product, is vectorized by the compiler.
                    masked.write(grad * if *passed == 1 { 1.0 } else { slope });
                }
            },
        );
    });
    // SAFETY: there is room for as many entries, and the chunks, which are as long as those of the gradient and of its
    // mask, have all been written.
    unsafe { values.set_len(grad.len()) };
    values
}
