//! Gaussian blur as two matrix products.

use burn::tensor::{Tensor, TensorData};

/// The matrix that blurs an axis of `n` entries: weights `exp(-d^2 / (2 sigma^2))` of entries up to `radius` away, made to add
/// up to 1 among those that there are, so that edges keep their brightness. Row-major; the identity where sigma is 0.
#[expect(clippy::cast_precision_loss, reason = "sizes of images")]
#[expect(clippy::cast_possible_truncation, reason = "tensors are float32")]
pub fn matrix(n: usize, sigma: f64, radius: usize) -> Vec<f32> {
    let mut values = vec![0.0; n * n];
    for (i, row) in values.chunks_exact_mut(n.max(1)).enumerate() {
        let near = i.saturating_sub(radius)..(i + radius + 1).min(n);
        let weight = |j: usize| {
            let distance = i.abs_diff(j) as f64;
            if distance == 0.0 {
                1.0
            } else {
                (-distance * distance / (2.0 * sigma * sigma)).exp()
            }
        };
        let sum: f64 = near.clone().map(weight).sum();
        for j in near {
            row[j] = (weight(j) / sum) as f32;
        }
    }
    values
}

/// Images `[batch, channels, rows, columns]` blurred, each by its own sigma (pixels), up to four of it away.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of pixels"
)]
pub fn blur(images: Tensor<4>, sigmas: &[f64]) -> Tensor<4> {
    let ([_, channels, rows, columns], device) = (images.dims(), images.device());
    let along = |n: usize, sigma: f64| {
        let radius = (4.0 * sigma.max(0.0)).ceil() as usize;
        Tensor::<2>::from_data(TensorData::new(matrix(n, sigma, radius.min(n)), [n, n]), &device).unsqueeze::<3>()
    };
    let blurred = sigmas
        .iter()
        .enumerate()
        .map(|(index, sigma)| {
            let planes = images.clone().narrow(0, index, 1).reshape([channels, rows, columns]);
            let across = planes.matmul(along(columns, *sigma).swap_dims(1, 2));
            along(rows, *sigma).matmul(across).reshape([1, channels, rows, columns])
        })
        .collect();
    Tensor::cat(blurred, 0)
}
