//! Redirected gradients of ReLUs: a unit behind ReLUs that let nothing through has no gradient, and its image would never begin
//! to change. lucid's rule (`redirected_relu_grad.py`): where a ReLU's gradient of a whole image is 0, the gradient of its output
//! passes, but where it would push a negative input further down.

use std::sync::Arc;

use rayon::prelude::*;

use super::scratch::CHUNK;
use super::{Gradient, HostArray, HostFunction, Output};

/// Replaces `masked`, what a ReLU lets through of `grad` (the gradient of what is to be maximised), for each image of `len`
/// entries of which it is nothing. `is_positive` tells of an entry's place whether the ReLU's input is positive there.
pub(super) fn redirect(masked: &mut [f32], grad: &[f32], len: usize, is_positive: impl Fn(usize) -> bool + Sync) {
    let images = masked.chunks_mut(len.max(1)).zip(grad.chunks(len.max(1))).enumerate();
    for (image, (masked, grad)) in images {
        // What is no number is none to redirect either.
        if masked.iter().any(|value| *value != 0.0) {
            continue;
        }
        for (place, (masked, grad)) in masked.iter_mut().zip(grad).enumerate() {
            *masked = if *grad > 0.0 || is_positive(image * len + place) {
                *grad
            } else {
                0.0
            };
        }
    }
}

/// A ReLU by itself, redirected.
#[derive(Debug, Clone, Copy)]
pub struct Relu;

impl HostFunction for Relu {
    fn forward(&self, x: &HostArray, _: &[HostArray], track: bool) -> Output {
        let shape = x.shape().to_vec();
        let len = shape.iter().skip(1).product::<usize>();
        let mut values = x.to_vec();
        let rectify = |chunk: &mut [f32]| chunk.iter_mut().for_each(|x| *x = if *x > 0.0 { *x } else { 0.0 });
        values.par_chunks_mut(CHUNK).for_each(rectify);
        let gradient = track.then(|| {
            let kept: Arc<[f32]> = values.as_slice().into();
            Arc::new(move |grad: &HostArray| {
                let pass = |(grad, y): (&f32, &f32)| if *y > 0.0 { *grad } else { 0.0 };
                let mut masked: Vec<f32> = grad.iter().zip(kept.iter()).map(pass).collect();
                redirect(&mut masked, grad, len, |place| kept[place] > 0.0);
                masked
            }) as Gradient
        });
        Output {
            values,
            shape,
            gradient,
        }
    }
}
