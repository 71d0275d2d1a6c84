//! The transpose of a convolution.

use std::sync::Arc;

use super::for_each_image;
use super::geometry::Geometry;
use super::patches::{correlate, spread};
use crate::network::host::scratch::zeros;
use crate::network::host::{Gradient, HostArray, HostFunction, Output};

/// The transpose of a convolution, Caffe's Deconvolution: `geometry` is that of the convolution whose input is our
/// output. Parameters: weight, then bias if any.
#[derive(Debug, Clone)]
pub struct Deconvolve {
    /// The sizes of the convolution that this is the transpose of.
    pub geometry: Geometry,
}

impl HostFunction for Deconvolve {
    fn forward(&self, x: &HostArray, parameters: &[HostArray], track: bool) -> Output {
        let geometry = self.geometry;
        let batch = x.shape()[0];
        let [channels, rows, columns] = geometry.input;
        let in_len = geometry.output[0] * geometry.output_area();
        let out_len = channels * rows * columns;
        let weight = parameters[0].clone();
        let mut out = zeros(batch * out_len);
        for_each_image((x, in_len), (&mut out, out_len), 1, |x, out, cores| {
            spread(&geometry, x, &weight, out, cores);
            if let Some(bias) = parameters.get(1) {
                for (plane, bias) in out.chunks_mut((rows * columns).max(1)).zip(bias.iter()) {
                    plane.iter_mut().for_each(|value| *value += bias);
                }
            }
        });
        let gradient = track.then(|| {
            let gradient = move |grad: &HostArray| {
                let mut back = zeros(batch * in_len);
                for_each_image((grad, out_len), (&mut back, in_len), 1, |grad, back, cores| {
                    correlate(&geometry, grad, &weight, back, cores);
                });
                back
            };
            Arc::new(gradient) as Gradient
        });
        Output {
            values: out,
            shape: vec![batch, channels, rows, columns],
            gradient,
        }
    }
}
