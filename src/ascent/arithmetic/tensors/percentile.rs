//! Comparison with a percentile, without sorting, which is slow on a GPU: the limit is found by bisection, counting
//! entries.

use burn::tensor::{Bool, Tensor};

use super::reduce;

/// Steps of the bisection: enough to reach neighbouring float32 numbers.
const HALVINGS: usize = 48;

/// Which entries of each image of `values` (`[batch, channels, rows, columns]`) are below its `numpy.percentile(image,
/// percent)`.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions in an image"
)]
pub(super) fn below(values: &Tensor<4>, percent: f64) -> Tensor<4, Bool> {
    let [_, channels, rows, columns] = values.dims();
    let last = (channels * rows * columns).saturating_sub(1);
    let position = last as f64 * (percent / 100.0).clamp(0.0, 1.0);
    // Interpolation puts the limit above the entry at `position` unless it falls right on it.
    let zeroed = position.ceil() as usize;
    let mut low = reduce::min(values.clone());
    let high = reduce::max(values.clone());
    let mut high = high.clone() + high.abs() * f32::EPSILON + f32::MIN_POSITIVE;
    for _ in 0..HALVINGS {
        let middle = (low.clone() + high.clone()) / 2.0;
        let count = reduce::sum(values.clone().lower(middle.clone()).float());
        let few = count.lower_equal_elem(zeroed as f32);
        low = low.mask_where(few.clone(), middle.clone());
        high = middle.mask_where(few, high);
    }
    values.clone().lower(low)
}
