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

/// The gradient that a ReLU passes on: all of it where its input was positive, `slope` of it elsewhere.
pub(super) fn masked(grad: &[f32], passed: &[bool], slope: f32) -> Vec<f32> {
    grad.iter()
        .zip(passed)
        .map(|(grad, passed)| if *passed { *grad } else { slope * grad })
        .collect()
}

impl HostFunction for Relu {
    fn forward(&self, x: &HostArray, _: &[HostArray], track: bool) -> Output {
        let slope = self.slope;
        let mut values = x.to_vec();
        in_place(&mut values, slope);
        let gradient = track.then(|| {
            let x = x.clone();
            let gradient = move |grad: &HostArray| {
                grad.iter()
                    .zip(x.iter())
                    .map(|(grad, x)| if *x > 0.0 { *grad } else { slope * grad })
                    .collect()
            };
            Arc::new(gradient) as super::Gradient
        });
        Output {
            values,
            shape: x.shape().to_vec(),
            gradient,
        }
    }
}
