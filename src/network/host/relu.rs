//! ReLU with a slope for negative values.

use std::sync::Arc;

use rayon::prelude::*;

use super::{HostArray, HostFunction, Output};

/// Entries a thread works on at a time.
const CHUNK: usize = 1 << 14;

/// x for x > 0, else slope * x.
#[derive(Debug, Clone)]
pub struct Relu {
    /// What is left of negative values.
    pub slope: f32,
}

pub(super) fn in_place(values: &mut [f32], slope: f32) {
    values.par_chunks_mut(CHUNK).for_each(|chunk| {
        for value in chunk {
            *value = if *value > 0.0 { *value } else { slope * *value };
        }
    });
}

/// Where a ReLU let its input through: 1 there, 0 elsewhere; one bit would do, a byte is quicker.
pub(super) fn passed(values: &[f32]) -> Vec<u8> {
    let mut passed = vec![0; values.len()];
    let chunks = passed.par_chunks_mut(CHUNK).zip(values.par_chunks(CHUNK));
    chunks.for_each(|(passed, values)| {
        for (passed, value) in passed.iter_mut().zip(values) {
            *passed = u8::from(*value > 0.0);
        }
    });
    passed
}

/// The gradient that a ReLU passes on: all of it where its input was positive, `slope` of it elsewhere.
pub(super) fn masked(grad: &[f32], passed: &[u8], slope: f32) -> Vec<f32> {
    let mut masked = vec![0.0; grad.len()];
    let chunks = masked
        .par_chunks_mut(CHUNK)
        .zip(grad.par_chunks(CHUNK))
        .zip(passed.par_chunks(CHUNK));
    chunks.for_each(|((masked, grad), passed)| {
        if slope == 0.0 {
            // On bits, without a branch, so that it becomes vector instructions.
            for ((masked, grad), passed) in masked.iter_mut().zip(grad).zip(passed) {
                *masked = f32::from_bits(grad.to_bits() & u32::from(*passed).wrapping_neg());
            }
        } else {
            for ((masked, grad), passed) in masked.iter_mut().zip(grad).zip(passed) {
                *masked = if *passed == 1 { *grad } else { slope * grad };
            }
        }
    });
    masked
}

impl HostFunction for Relu {
    fn forward(&self, x: &HostArray, _: &[HostArray], track: bool) -> Output {
        let slope = self.slope;
        let mut values = x.to_vec();
        in_place(&mut values, slope);
        let gradient = track.then(|| {
            let passed = passed(x);
            Arc::new(move |grad: &HostArray| masked(grad, &passed, slope)) as super::Gradient
        });
        Output {
            values,
            shape: x.shape().to_vec(),
            gradient,
        }
    }
}
