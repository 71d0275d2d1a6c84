//! The transpose of a convolution.

use std::sync::Arc;

use super::geometry::Geometry;
use super::patches::{correlate, spread};
use super::{add_bias, for_each_image};
use crate::network::host::scratch::{Unwritten, written};
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
        let of_image = |x: &[f32], out: &mut Unwritten, cores| spread(&geometry, x, &weight, out, cores);
        // SAFETY: each image is written.
        let mut out = unsafe {
            written(batch * out_len, |out| {
                for_each_image((x, in_len), (out, out_len), 1, of_image);
            })
        };
        if let Some(bias) = parameters.get(1) {
            add_bias(&mut out, bias, rows * columns);
        }
        let gradient = track.then(|| {
            let gradient = move |grad: &HostArray| {
                let of_image = |grad: &[f32], back: &mut Unwritten, cores| {
                    correlate(&geometry, grad, &weight, back, cores);
                };
                // SAFETY: each image is written.
                unsafe {
                    written(batch * in_len, |back| {
                        for_each_image((grad, out_len), (back, in_len), 1, of_image);
                    })
                }
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
