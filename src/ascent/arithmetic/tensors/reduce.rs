//! Sums and extremes of each image or blob of a batch, axis by axis.
//!
//! Never over all axes at once: burn 0.22 on wgpu leaves out what is beyond the 65,536th entry of an axis that it reduces, and an
//! image of 3 x 227 x 227 has 154,587. Axis by axis the sums are more exact, too.

use burn::tensor::{Int, Tensor};

/// The sum of each image, `[batch, 1, 1, 1]`.
pub(super) fn sum(images: Tensor<4>) -> Tensor<4> {
    images.sum_dim(3).sum_dim(2).sum_dim(1)
}

/// The least entry of each image, `[batch, 1, 1, 1]`.
pub(super) fn min(images: Tensor<4>) -> Tensor<4> {
    images.min_dim(3).min_dim(2).min_dim(1)
}

/// The largest entry of each image, `[batch, 1, 1, 1]`.
pub(super) fn max(images: Tensor<4>) -> Tensor<4> {
    images.max_dim(3).max_dim(2).max_dim(1)
}

/// The norm of each image, `[batch, 1]`.
pub(super) fn norm(images: &Tensor<4>) -> Tensor<2> {
    let [batch, ..] = images.dims();
    sum(images.clone().square()).sqrt().reshape([batch, 1])
}

/// The largest entry of each blob and its row-major place, `[batch, 1]` each.
pub(super) fn largest(blobs: Tensor<4>) -> (Tensor<2>, Tensor<2, Int>) {
    let [batch, _, rows, columns] = blobs.dims();
    let (values, column) = blobs.max_dim_with_indices(3);
    let (values, row) = values.max_dim_with_indices(2);
    let column = column.gather(2, row.clone());
    let (values, channel) = values.max_dim_with_indices(1);
    let (row, column) = (row.gather(1, channel.clone()), column.gather(1, channel.clone()));
    #[expect(clippy::cast_possible_wrap, reason = "extents of a blob")]
    let place = (channel * rows as i64 + row) * columns as i64 + column;
    (values.reshape([batch, 1]), place.reshape([batch, 1]))
}
