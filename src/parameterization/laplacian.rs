//! Images as sums of images of lower and lower resolution, each resized to the whole: lucid's `laplacian_pyramid_image`
//! (halved three times, bilinear) and captum's `LaplacianImage` (down to a thirty-second, by nearest neighbours).

use burn::tensor::Tensor;

use crate::transform::resample::{Places, resize};

/// The sizes (rows, columns) of `levels` levels, each half of the one before, none below 1.
pub fn sizes([rows, columns]: [usize; 2], levels: usize) -> Vec<[usize; 2]> {
    (0..levels)
        .map(|level| [(rows >> level).max(1), (columns >> level).max(1)])
        .collect()
}

/// Numbers of all levels of images of `channels` channels.
pub fn entries(channels: usize, size: [usize; 2], levels: usize) -> usize {
    sizes(size, levels)
        .iter()
        .map(|[rows, columns]| channels * rows * columns)
        .sum()
}

/// Images `[batch, channels, rows, columns]` of levels one after another, `[batch, entries]`.
pub fn image(z: Tensor<2>, channels: usize, size: [usize; 2], levels: usize, places: Places) -> Tensor<4> {
    let [batch, _] = z.dims();
    let mut at = 0;
    let mut sum: Option<Tensor<4>> = None;
    for [rows, columns] in sizes(size, levels) {
        let count = channels * rows * columns;
        let level = z.clone().narrow(1, at, count).reshape([batch, channels, rows, columns]);
        at += count;
        let resized = resize(level, size, places);
        sum = Some(match sum {
            Some(sum) => sum + resized,
            None => resized,
        });
    }
    sum.unwrap_or_else(|| Tensor::zeros([batch, channels, size[0], size[1]], &z.device()))
}
