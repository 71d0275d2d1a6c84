//! A fully connected layer on slices: weights are read once forward and once backward, and rows with no gradient not at all.

use std::sync::Arc;

use rayon::prelude::*;

use super::gemm::{Cores, Matrix, multiply};
use super::{Gradient, HostArray, HostFunction, Output};

/// Input entries a thread sums up at a time in the backward pass.
const COLUMNS: usize = 1 << 11;

/// y = W x + b for each image. Parameters: W (`outputs x inputs`, row-major), then b if any.
#[derive(Debug, Clone)]
pub struct InnerProduct {
    /// Entries of the output.
    pub outputs: usize,
    /// Entries of the input.
    pub inputs: usize,
}

/// The sum of products, in eight interleaved partial sums that the compiler turns into vector instructions.
fn dot(left: &[f32], right: &[f32]) -> f32 {
    const LANES: usize = 32;
    let mut sums = [0.0f32; LANES];
    let (left_lanes, left_rest) = left.as_chunks::<LANES>();
    let (right_lanes, right_rest) = right.as_chunks::<LANES>();
    for (left, right) in left_lanes.iter().zip(right_lanes) {
        for lane in 0..LANES {
            sums[lane] += left[lane] * right[lane];
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(l, r)| l * r).sum();
    sums.iter().sum::<f32>() + rest
}

impl InnerProduct {
    fn product(&self, x: &[f32], weight: &[f32], out: &mut [f32]) {
        out.par_iter_mut()
            .with_min_len(16)
            .zip(weight.par_chunks(self.inputs))
            .for_each(|(out, row)| *out += dot(row, x));
    }

    /// W^T grad, skipping the rows whose gradient is zero: all but one when a unit of this layer is pushed.
    fn transposed_product(&self, grad: &[f32], weight: &[f32]) -> Vec<f32> {
        let rows: Vec<(usize, f32)> = grad.iter().copied().enumerate().filter(|(_, g)| *g != 0.0).collect();
        let mut back = vec![0.0; self.inputs];
        back.par_chunks_mut(COLUMNS).enumerate().for_each(|(chunk, back)| {
            let start = chunk * COLUMNS;
            for (row, grad) in &rows {
                let weight = &weight[row * self.inputs + start..][..back.len()];
                for (back, weight) in back.iter_mut().zip(weight) {
                    *back += grad * weight;
                }
            }
        });
        back
    }
}

impl HostFunction for InnerProduct {
    fn forward(&self, x: &HostArray, parameters: &[HostArray], track: bool) -> Output {
        let batch = x.len() / self.inputs;
        let weight = parameters[0].clone();
        let mut values = Vec::with_capacity(batch * self.outputs);
        for _ in 0..batch {
            match parameters.get(1) {
                Some(bias) => values.extend_from_slice(bias),
                None => values.resize(values.len() + self.outputs, 0.0),
            }
        }
        if batch == 1 {
            self.product(x, &weight, &mut values);
        } else {
            let sizes = (batch, self.outputs, self.inputs);
            let left = Matrix::new(x, batch, self.inputs);
            let right = Matrix::new(&weight, self.outputs, self.inputs).transposed();
            multiply(&mut values, left, right, sizes, true, Cores::All);
        }
        let gradient = track.then(|| {
            let this = self.clone();
            Arc::new(move |grad: &HostArray| {
                if batch == 1 {
                    return this.transposed_product(grad, &weight);
                }
                let mut back = vec![0.0; batch * this.inputs];
                let sizes = (batch, this.inputs, this.outputs);
                let left = Matrix::new(grad, batch, this.outputs);
                let right = Matrix::new(&weight, this.outputs, this.inputs);
                multiply(&mut back, left, right, sizes, false, Cores::All);
                back
            }) as Gradient
        });
        Output {
            values,
            shape: vec![batch, self.outputs],
            gradient,
        }
    }
}
