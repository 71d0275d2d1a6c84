//! A fully connected layer on slices. Of images that are a row each, weights are read once forward and once backward for all
//! images of a batch, and rows whose gradient is zero are not read. Images of many rows (the tokens of a transformer) are matrix
//! products. The order of an image's sums does not depend on the batch.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::convolution::for_each_image;
use super::gemm::Cores;
use super::panels;
use super::scratch::{CHUNK, Unwritten, written, zeros};
use super::vector::{is_zero, with_vectors};
use super::{Gradient, HostArray, HostFunction, OfWeight, Output, is_host};

/// Most and fewest input entries of a parallel task in the backward pass.
const MOST_COLUMNS: usize = 2048;
const FEWEST_COLUMNS: usize = 256;
/// Entries of the widest vector. Blocks are multiples of it: what is left over is rounded once more for each product,
/// which must only happen at the end of a row, whatever the number of threads.
const WIDEST: usize = 16;
/// Most images of many rows in one product, which reads the weight once for all of them.
const TOGETHER: usize = 8;
/// Rows of the weight that are used for all images before the next are read: these stay in a core's cache.
const ROWS: usize = 16;

/// y = W x + b for each image. Parameters: W (`outputs x inputs`) as [`InnerProduct::arranged`] has it, then b if any.
#[derive(Debug, Clone)]
pub struct InnerProduct {
    /// Entries of the output.
    pub outputs: usize,
    /// Entries of the input.
    pub inputs: usize,
    /// Rows of one image.
    pub rows: usize,
    /// The transpose of the weight, of images of many rows: what the way forward multiplies with.
    turned: OfWeight<Vec<f32>>,
}

/// Dot products of four rows with each of N images. The order of each sum does not depend on their
/// number.
struct Products<'a, const N: usize> {
    rows: [&'a [f32]; 4],
    images: [&'a [f32]; N],
}

impl<const N: usize> WithSimd for Products<'_, N> {
    type Output = [[f32; N]; 4];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let rows = self.rows.map(|row| S::as_simd_f32s(row));
        let images = self.images.map(|image| S::as_simd_f32s(image));
        let len = rows[0].0.len();
        let (row_heads, image_heads) = (rows.map(|row| &row.0[..len]), images.map(|image| &image.0[..len]));
        let mut sums = [[simd.splat_f32s(0.0); N]; 4];
        for place in 0..len {
            for (sums, row) in sums.iter_mut().zip(&row_heads) {
                for (sum, image) in sums.iter_mut().zip(&image_heads) {
                    *sum = simd.mul_add_e_f32s(row[place], image[place], *sum);
                }
            }
        }
        let mut totals = [[0.0; N]; 4];
        for ((totals, sums), (_, row)) in totals.iter_mut().zip(sums).zip(rows) {
            for ((total, sum), (_, image)) in totals.iter_mut().zip(sums).zip(images) {
                let rest: f32 = row.iter().zip(image).map(|(weight, value)| weight * value).sum();
                *total = simd.reduce_sum_f32s(sum) + rest;
            }
        }
        totals
    }
}

/// Adds multiples of rows to `back`, one row after the other, but four in a pass.
struct AddRows<'a> {
    back: &'a mut [f32],
    rows: &'a [(f32, &'a [f32])],
}

impl WithSimd for AddRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { back, rows } = self;
        let (fours, rest) = rows.as_chunks::<4>();
        let (back, back_rest) = S::as_mut_simd_f32s(back);
        for four in fours {
            let factors = four.map(|(factor, _)| simd.splat_f32s(factor));
            let rows = four.map(|(_, row)| &S::as_simd_f32s(row).0[..back.len()]);
            for (place, back) in back.iter_mut().enumerate() {
                for (factor, row) in factors.iter().zip(&rows) {
                    *back = simd.mul_add_e_f32s(*factor, row[place], *back);
                }
            }
        }
        for (factor, row) in rest {
            let factor = simd.splat_f32s(*factor);
            for (back, weight) in back.iter_mut().zip(S::as_simd_f32s(row).0) {
                *back = simd.mul_add_e_f32s(factor, *weight, *back);
            }
        }
        for (factor, row) in rows {
            for (back, weight) in back_rest.iter_mut().zip(S::as_simd_f32s(row).1) {
                *back += factor * weight;
            }
        }
    }
}

/// Stores the products of four rows with N images: `out` has `batch` results a row, these begin at `place`.
fn put<const N: usize>(products: [[f32; N]; 4], place: usize, out: &mut [f32], batch: usize) {
    for (out, products) in out.chunks_mut(batch).zip(products) {
        out[place..place + N].copy_from_slice(&products);
    }
}

impl InnerProduct {
    /// A layer from `inputs` to `outputs` entries of each of an image's `rows`.
    pub fn new(outputs: usize, inputs: usize, rows: usize) -> Self {
        Self {
            outputs,
            inputs,
            rows,
            turned: OfWeight::default(),
        }
    }

    /// W x for each image; `batch x outputs`.
    fn product(&self, x: &[f32], weight: &[f32], batch: usize) -> Vec<f32> {
        let images: Vec<&[f32]> = x.chunks(self.inputs).collect();
        let mut columns = vec![0.0; self.outputs * batch];
        columns
            .par_chunks_mut(4 * batch)
            .with_min_len(4)
            .zip(weight.par_chunks(4 * self.inputs))
            .for_each(|(out, rows)| {
                // Four rows at a time. Where fewer are left, the last one is computed several times, and `put` stores
                // only as many as `out` has rows.
                let last = rows.len() / self.inputs - 1;
                let rows = [0, 1, 2, 3].map(|row: usize| &rows[row.min(last) * self.inputs..][..self.inputs]);
                for (place, images) in images.chunks(2).enumerate() {
                    match *images {
                        [first, second] => put(
                            with_vectors(Products {
                                rows,
                                images: [first, second],
                            }),
                            2 * place,
                            out,
                            batch,
                        ),
                        [only] => put(with_vectors(Products { rows, images: [only] }), 2 * place, out, batch),
                        _ => {}
                    }
                }
            });
        let transposed = |image| columns.iter().skip(image).step_by(batch);
        (0..batch).flat_map(transposed).copied().collect()
    }

    /// W^T grad for each image; `batch x inputs`. Rows whose gradient is zero are skipped: all but one when a unit of
    /// this layer is pushed.
    fn transposed_product(&self, grad: &[f32], weight: &[f32], batch: usize) -> Vec<f32> {
        let columns = self
            .inputs
            .div_ceil(4 * rayon::current_num_threads())
            .clamp(FEWEST_COLUMNS, MOST_COLUMNS)
            .next_multiple_of(WIDEST);
        let blocks: Vec<Vec<f32>> = (0..self.inputs.div_ceil(columns))
            .into_par_iter()
            .map(|block| {
                let start = block * columns;
                self.transposed_block(grad, weight, batch, start, columns.min(self.inputs - start))
            })
            .collect();
        let mut back = Vec::with_capacity(batch * self.inputs);
        for image in 0..batch {
            for block in &blocks {
                let len = block.len() / batch;
                back.extend_from_slice(&block[image * len..(image + 1) * len]);
            }
        }
        back
    }

    /// The entries `start` to `start + len` of W^T grad, for each image.
    fn transposed_block(&self, grad: &[f32], weight: &[f32], batch: usize, start: usize, len: usize) -> Vec<f32> {
        let mut block = vec![0.0; batch * len];
        let mut rows = Vec::with_capacity(ROWS);
        for first in (0..self.outputs).step_by(ROWS) {
            let last = (first + ROWS).min(self.outputs);
            for (grad, back) in grad.chunks(self.outputs).zip(block.chunks_mut(len)) {
                rows.clear();
                let places = (first..last).filter(|row| grad[*row] != 0.0);
                rows.extend(places.map(|row| (grad[row], &weight[row * self.inputs + start..][..len])));
                with_vectors(AddRows { back, rows: &rows });
            }
        }
        block
    }

    /// Entries of the turned weight, where one is kept.
    pub fn turned_entries(&self) -> usize {
        if self.is_matrix() {
            self.inputs * self.outputs
        } else {
            0
        }
    }

    /// Whether an image is a matrix that a product takes: a product with a single row or column would be summed in another order.
    fn is_matrix(&self) -> bool {
        self.rows > 1 && self.inputs > 1 && self.outputs > 1
    }

    /// A weight (`outputs x inputs`) as the function takes it: where images are of many rows, and on the host, in panels of columns,
    /// one after the other. The shape stays, though it no longer tells where an entry is.
    ///
    /// # Panics
    /// When the weight is not of that shape.
    pub fn arranged(&self, weight: Tensor<2>) -> Tensor<2> {
        let device = weight.device();
        if !self.is_matrix() || !is_host(&device) {
            return weight;
        }
        let values: Vec<f32> = weight.into_data().iter::<f32>().collect();
        let values = panels::arranged(&values, self.outputs, self.inputs);
        Tensor::from_data(TensorData::new(values, [self.outputs, self.inputs]), &device)
    }

    /// The product of each image, a matrix of `rows x inner`, with one of `inner x columns` in panels, plus a bias.
    fn matrix_products(
        &self,
        images: &[f32],
        right: &[f32],
        bias: Option<&[f32]>,
        [inner, columns]: [usize; 2],
    ) -> Vec<f32> {
        let rows = self.rows;
        let len = images.len() / inner * columns;
        let multiply = |images: &[f32], out: &mut Unwritten, cores| {
            panels::multiply(out, images, right, bias, (rows, columns, inner), cores);
        };
        // SAFETY: the products of all images are written.
        unsafe {
            written(len, |out| {
                for_each_image((images, rows * inner), (out, rows * columns), TOGETHER, multiply);
            })
        }
    }

    /// W^T grad for each row; zeros for a row of zeros. Where most rows are, as when a unit of the last layers is pushed, only the others
    /// are multiplied.
    fn back_through_matrix(&self, grad: &[f32], weight: &[f32]) -> Vec<f32> {
        let Self {
            outputs, inputs, rows, ..
        } = *self;
        let all = grad.len() / outputs;
        let mut some: Vec<usize> = (0..all)
            .into_par_iter()
            .with_min_len(CHUNK.div_ceil(outputs))
            .filter(|row| !is_zero(&grad[row * outputs..][..outputs]))
            .collect();
        if some.len() > all / 2 {
            let mut back = self.matrix_products(grad, weight, None, [outputs, inputs]);
            // What a row of zeros gives must not depend on the other rows, to the sign.
            let mut next = 0;
            for row in some.into_iter().chain([all]) {
                back[next * inputs..row * inputs].fill(0.0);
                next = row + 1;
            }
            return back;
        }
        let count = some.len();
        // A single row would be summed in another order.
        if let [only] = some[..] {
            some.push(if only == 0 { 1 } else { 0 });
        }
        let mut left = Vec::with_capacity(some.len() * outputs);
        for row in &some {
            left.extend_from_slice(&grad[row * outputs..][..outputs]);
        }
        // SAFETY: the product writes them.
        let of_some = unsafe {
            written(some.len() * inputs, |out| {
                panels::multiply(out, &left, weight, None, (rows, inputs, outputs), Cores::All);
            })
        };
        let mut back = zeros(all * inputs);
        for (row, values) in some.iter().zip(of_some.chunks(inputs)).take(count) {
            back[row * inputs..][..inputs].copy_from_slice(values);
        }
        back
    }
}

impl HostFunction for InnerProduct {
    fn forward(&self, x: &HostArray, parameters: &[HostArray], track: bool) -> Output {
        let batch = x.len() / self.inputs;
        let weight = parameters[0].clone();
        let bias = parameters.get(1).map(|bias| &**bias);
        let values = if self.is_matrix() {
            let (outputs, inputs) = (self.outputs, self.inputs);
            let turned = self
                .turned
                .of(&weight, |weight| panels::turned(weight, outputs, inputs));
            self.matrix_products(x, &turned, bias, [inputs, outputs])
        } else {
            let mut values = self.product(x, &weight, batch);
            for (row, bias) in values.chunks_mut(self.outputs).zip(bias.into_iter().cycle()) {
                row.iter_mut().zip(bias).for_each(|(value, bias)| *value += bias);
            }
            values
        };
        let gradient = track.then(|| {
            let this = self.clone();
            Arc::new(move |grad: &HostArray| {
                if this.is_matrix() {
                    this.back_through_matrix(grad, &weight)
                } else {
                    this.transposed_product(grad, &weight, batch)
                }
            }) as Gradient
        });
        Output {
            values,
            shape: vec![batch, self.outputs],
            gradient,
        }
    }
}
