//! ReLU with a slope for negative values.

use std::sync::Arc;

use rayon::prelude::*;

use super::vector::vectorized;
use super::{HostArray, HostFunction, Output};

/// Entries a thread works on at a time.
const CHUNK: usize = 1 << 14;

/// x for x > 0, else slope * x.
#[derive(Debug, Clone)]
pub struct Relu {
    /// What is left of negative values.
    pub slope: f32,
}

/// Adds `bias`, applies a ReLU, and notes where it let its input through: 1 there, 0 elsewhere; one bit would do, a byte is
/// quicker.
#[inline(always)]
pub(super) fn rectify(values: &mut [f32], bias: f32, slope: f32, passed: &mut [u8]) {
    for (value, passed) in values.iter_mut().zip(passed) {
        let biased = *value + bias;
        *passed = u8::from(biased > 0.0);
        *value = if biased > 0.0 { biased } else { slope * biased };
    }
}

/// The gradient that a ReLU passes on: all of it where its input was positive, `slope` of it elsewhere.
pub(super) fn masked(grad: &[f32], passed: &[u8], slope: f32) -> Vec<f32> {
    let mut masked = vec![0.0; grad.len()];
    let chunks = masked
        .par_chunks_mut(CHUNK)
        .zip(grad.par_chunks(CHUNK))
        .zip(passed.par_chunks(CHUNK));
    chunks.for_each(|((masked, grad), passed)| {
        vectorized(
            #[inline(always)]
            || {
                for ((masked, grad), passed) in masked.iter_mut().zip(grad).zip(passed) {
                    *masked = if *passed == 1 { *grad } else { slope * grad };
                }
            },
        );
    });
    masked
}

impl HostFunction for Relu {
    fn forward(&self, x: &HostArray, _: &[HostArray], track: bool) -> Output {
        let slope = self.slope;
        let mut values = x.to_vec();
        let mut passed = vec![0; x.len()];
        let chunks = values.par_chunks_mut(CHUNK).zip(passed.par_chunks_mut(CHUNK));
        chunks.for_each(|(values, passed)| {
            vectorized(
                #[inline(always)]
                || rectify(values, 0.0, slope, passed),
            );
        });
        let gradient = track.then(|| Arc::new(move |grad: &HostArray| masked(grad, &passed, slope)) as super::Gradient);
        Output {
            values,
            shape: x.shape().to_vec(),
            gradient,
        }
    }
}
