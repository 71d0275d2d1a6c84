//! Sums along an axis of any length.

use burn::tensor::Tensor;

/// Entries that are added up in one go: burn 0.22 on wgpu leaves out what is beyond the 65,536th of an axis that it reduces.
const LONGEST: usize = 1 << 16;

/// The sum along axis `dim`, whose extent becomes 1.
pub fn sum_along<const D: usize>(x: Tensor<D>, dim: usize) -> Tensor<D> {
    if x.dims()[dim] <= LONGEST {
        return x.sum_dim(dim);
    }
    let parts = x
        .split(LONGEST, dim)
        .into_iter()
        .map(|part| part.sum_dim(dim))
        .collect();
    Tensor::cat(parts, dim).sum_dim(dim)
}

/// The mean along axis `dim`, whose extent becomes 1.
#[expect(clippy::cast_precision_loss, reason = "an extent of a blob")]
pub fn mean_along<const D: usize>(x: Tensor<D>, dim: usize) -> Tensor<D> {
    let extent = x.dims()[dim];
    if extent <= LONGEST {
        return x.mean_dim(dim);
    }
    sum_along(x, dim) / extent as f64
}
