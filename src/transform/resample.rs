//! Resizing along an axis, as a matrix. Every library has its own idea of where pixels lie.

use burn::tensor::{Tensor, TensorData};

/// Which place of the input an output entry is taken from: of `n` entries made `m`, the `i`th.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Places {
    /// (i + 1/2) n / m - 1/2: entries are areas. PyTorch's `align_corners=False`, TensorFlow 2.
    HalfPixel,
    /// i n / m: TensorFlow 1, hence lucid.
    FromCorner,
    /// i (n - 1) / (m - 1): first and last entries stay. PyTorch's `align_corners=True`, hence lucent.
    Corners,
    /// The entry whose area the half pixel's place is in: PyTorch's `nearest`.
    Nearest,
}

/// The matrix, `m` rows of `n`, that resizes an axis from `n` entries to `m` by linear interpolation, neighbours beyond the
/// ends being those at the ends; row-major.
#[expect(clippy::cast_precision_loss, reason = "sizes of images")]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places within an image"
)]
pub fn matrix(n: usize, m: usize, places: Places) -> Vec<f32> {
    let mut values = vec![0.0; m * n];
    let last = n.saturating_sub(1);
    for (i, row) in values.chunks_exact_mut(n.max(1)).enumerate() {
        let (i, n, m) = (i as f64, n as f64, m as f64);
        let place = match places {
            Places::HalfPixel => (i + 0.5) * n / m - 0.5,
            Places::FromCorner => i * n / m,
            Places::Corners if m > 1.0 => i * (n - 1.0) / (m - 1.0),
            Places::Corners => 0.0,
            Places::Nearest => (i * n / m).floor(),
        };
        let place = place.clamp(0.0, n - 1.0);
        let (below, part) = (place.floor() as usize, place.fract());
        row[below] += (1.0 - part) as f32;
        row[(below + 1).min(last)] += part as f32;
    }
    values
}

/// Images resized to `size` (rows, columns), by two matrix products.
pub fn resize(images: Tensor<4>, size: [usize; 2], places: Places) -> Tensor<4> {
    let ([batch, channels, rows, columns], device) = (images.dims(), images.device());
    if size == [rows, columns] {
        return images;
    }
    let along = |n: usize, m: usize| {
        Tensor::<2>::from_data(TensorData::new(matrix(n, m, places), [m, n]), &device).unsqueeze::<3>()
    };
    let planes = images.reshape([batch * channels, rows, columns]);
    let narrower = planes.matmul(along(columns, size[1]).swap_dims(1, 2));
    along(rows, size[0])
        .matmul(narrower)
        .reshape([batch, channels, size[0], size[1]])
}
