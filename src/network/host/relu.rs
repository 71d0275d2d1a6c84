//! The ReLU after a convolution, in one pass with its biases. A ReLU by itself is burn's own, which is as fast.

use rayon::prelude::*;

use super::scratch::CHUNK;
use super::vector::vectorized;

/// Adds `bias`, applies a ReLU, and notes where it let its input through: 1 there, 0 elsewhere; one bit would do, a byte is
/// quicker.
#[inline(always)]
pub(super) fn rectify(values: &mut [f32], bias: f32, slope: f32, passed: &mut [u8]) {
    for (value, passed) in values.iter_mut().zip(passed) {
        let biased = *value + bias;
        *passed = u8::from(biased > 0.0);
        // Plus zero, lest a slope of zero make a negative one.
        *value = if biased > 0.0 { biased } else { slope * biased + 0.0 };
    }
}

/// The gradient that a ReLU passes on: all of it where its input was positive, `slope` of it elsewhere.
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
                    // A choice of factors, unlike one of products, becomes vector instructions.
                    masked.write(grad * if *passed == 1 { 1.0 } else { slope });
                }
            },
        );
    });
    // SAFETY: there is room for as many entries, and the chunks, which are as long as those of the gradient and of its mask, have
    // all been written.
    unsafe { values.set_len(grad.len()) };
    values
}
