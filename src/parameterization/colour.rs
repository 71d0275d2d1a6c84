//! From what a parameterization makes to an image: colours that vary independently, and values that stay between 0 and 1.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData, activation};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::network::host::{self, Gradient, HostArray, HostFunction, Output};

/// What the three channels of an image's parameters stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    /// Brightness, red against blue and green against magenta, as natural pictures' colours vary independently: the image is
    /// the matrix M of lucid and lucent times these. Images of another number of channels than 3 are taken as they are.
    Decorrelated,
    /// The channels of the image.
    None,
}

/// What keeps values between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Squash {
    /// 1 / (1 + exp(-t)): 0 becomes mid-grey.
    Sigmoid,
    /// Cuts off below 0 and above 1, where there is then no gradient: exact for a picture to start from.
    Clamp,
}

/// lucid's square root of the covariance of natural pictures' colours; rows are red, green and blue.
const COVARIANCE_ROOT: [[f64; 3]; 3] = [[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]];

/// M: `COVARIANCE_ROOT` over the largest Euclidean norm of its columns.
pub fn matrix() -> [[f64; 3]; 3] {
    let norm = |column: usize| {
        COVARIANCE_ROOT
            .iter()
            .map(|row| row[column].powi(2))
            .sum::<f64>()
            .sqrt()
    };
    let largest = (0..3).map(norm).fold(0.0, f64::max);
    COVARIANCE_ROOT.map(|row| row.map(|value| value / largest))
}

/// The inverse of a matrix by its adjugate.
fn inverse(m: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let minor = |row: usize, column: usize| {
        let (r, c) = ([(row + 1) % 3, (row + 2) % 3], [(column + 1) % 3, (column + 2) % 3]);
        m[r[0]][c[0]] * m[r[1]][c[1]] - m[r[0]][c[1]] * m[r[1]][c[0]]
    };
    let determinant: f64 = (0..3).map(|column| m[0][column] * minor(0, column)).sum();
    std::array::from_fn(|row| std::array::from_fn(|column| minor(column, row) / determinant))
}

#[expect(clippy::cast_possible_truncation, reason = "tensors are float32")]
fn single(m: [[f64; 3]; 3]) -> [[f32; 3]; 3] {
    m.map(|row| row.map(|value| value as f32))
}

/// Colour and squash of images of `channels`, of which all beyond are left as they are before they are squashed (alpha).
#[derive(Debug, Clone, Copy)]
pub struct ToImage {
    decorrelated: bool,
    squash: Squash,
}

impl ToImage {
    /// For images of `channels` channels, without alpha.
    pub fn new(colour: Colour, squash: Squash, channels: usize) -> Self {
        Self {
            decorrelated: colour == Colour::Decorrelated && channels == 3,
            squash,
        }
    }

    /// Images between 0 and 1 of values of any size, both `[batch, channels, rows, columns]`.
    pub fn image(&self, values: Tensor<4>) -> Tensor<4> {
        if host::is_host(&values.device()) {
            host::apply(values, *self)
        } else {
            self.image_by_products(values)
        }
    }

    /// The same composed of burn's operations.
    pub fn image_by_products(&self, values: Tensor<4>) -> Tensor<4> {
        let coloured = if self.decorrelated {
            multiplied(values, matrix())
        } else {
            values
        };
        match self.squash {
            Squash::Sigmoid => activation::sigmoid(coloured),
            Squash::Clamp => coloured.clamp(0.0, 1.0),
        }
    }

    /// Values that [`ToImage::image`] makes images of: through a sigmoid these are kept at least `margin` away from 0 and 1.
    pub fn values(&self, images: Tensor<4>, margin: f64) -> Tensor<4> {
        let plain = match self.squash {
            Squash::Sigmoid => {
                let inner = images.clamp(margin, 1.0 - margin);
                inner.clone().log() - (inner.mul_scalar(-1.0).add_scalar(1.0)).log()
            }
            Squash::Clamp => images,
        };
        if self.decorrelated {
            multiplied(plain, inverse(matrix()))
        } else {
            plain
        }
    }
}

/// The first three channels times a matrix, and those beyond as they are.
fn multiplied(values: Tensor<4>, by: [[f64; 3]; 3]) -> Tensor<4> {
    let ([batch, channels, rows, columns], device) = (values.dims(), values.device());
    let flat = single(by).concat();
    let by = Tensor::<2>::from_data(TensorData::new(flat, [3, 3]), &device).unsqueeze::<3>();
    let colours = values.clone().narrow(1, 0, 3).reshape([batch, 3, rows * columns]);
    let product = by.matmul(colours).reshape([batch, 3, rows, columns]);
    if channels > 3 {
        Tensor::cat(vec![product, values.narrow(1, 3, channels - 3)], 1)
    } else {
        product
    }
}

/// Replaces the first three channels of each image by their product with `m`.
fn multiply(values: &mut [f32], area: usize, of_image: usize, m: [[f32; 3]; 3]) {
    values.par_chunks_mut(of_image).for_each(|image| {
        let (red, rest) = image.split_at_mut(area);
        let (green, rest) = rest.split_at_mut(area);
        for ((a, b), c) in red.iter_mut().zip(green).zip(rest) {
            let given = [*a, *b, *c];
            let [x, y, z] = m.map(|row| row[0] * given[0] + row[1] * given[1] + row[2] * given[2]);
            (*a, *b, *c) = (x, y, z);
        }
    });
}

/// Entries that a core works on at a time.
const CHUNK: usize = 1 << 13;

impl HostFunction for ToImage {
    fn forward(&self, x: &HostArray, _: &[HostArray], track: bool) -> Output {
        let shape = x.shape().to_vec();
        let area = (shape[2] * shape[3]).max(1);
        let of_image = (shape[1] * area).max(1);
        let mut values = x.to_vec();
        if self.decorrelated {
            multiply(&mut values, area, of_image, single(matrix()));
        }
        let squash = self.squash;
        let kept: Option<Arc<[f32]>> = (track && squash == Squash::Clamp).then(|| values.as_slice().into());
        values.par_chunks_mut(CHUNK).for_each(|chunk| match squash {
            Squash::Sigmoid => chunk.iter_mut().for_each(|t| *t = 1.0 / (1.0 + (-*t).exp())),
            Squash::Clamp => chunk.iter_mut().for_each(|t| *t = t.clamp(0.0, 1.0)),
        });
        let gradient = track.then(|| {
            let kept = kept.unwrap_or_else(|| values.as_slice().into());
            let decorrelated = self.decorrelated;
            Arc::new(move |grad: &HostArray| {
                let mut back = grad.to_vec();
                let chunks = back.par_chunks_mut(CHUNK).zip(kept.par_chunks(CHUNK));
                chunks.for_each(|(back, kept)| {
                    for (back, kept) in back.iter_mut().zip(kept) {
                        *back *= match squash {
                            Squash::Sigmoid => kept * (1.0 - kept),
                            Squash::Clamp => f32::from(u8::from((0.0..=1.0).contains(kept))),
                        };
                    }
                });
                if decorrelated {
                    let m = single(matrix());
                    let transposed = std::array::from_fn(|row| std::array::from_fn(|column| m[column][row]));
                    multiply(&mut back, area, of_image, transposed);
                }
                back
            }) as Gradient
        });
        Output {
            values,
            shape,
            gradient,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_undoes_the_matrix() {
        let (m, back) = (matrix(), inverse(matrix()));
        for (row, line) in m.iter().enumerate() {
            for column in 0..3 {
                let product: f64 = line.iter().zip(back).map(|(left, right)| left * right[column]).sum();
                let expected = f64::from(u8::from(row == column));
                assert!((product - expected).abs() < 1e-12, "{row} {column} {product}");
            }
        }
    }
}
