//! The regularizers on the device, in float32; see [`crate::optimizer::regularize`] for what they do.

use burn::tensor::{Device, Tensor, TensorData};

use super::percentile::below;
use crate::optimizer::params::Regularizers;
use crate::optimizer::regularize::{blur_matrix, is_due};

/// The regularizers of a batch.
pub(super) struct DeviceRegularizers {
    settings: Regularizers,
    /// Blurs down (`[1, 1, rows, rows]`, from the left) and across (`[1, 1, columns, columns]`, from the right).
    blur: Option<[Tensor<4>; 2]>,
}

impl DeviceRegularizers {
    pub(super) fn new(settings: Regularizers, [rows, columns]: [usize; 2], device: &Device) -> Self {
        let sigma = settings.blur_radius.value();
        let blur = (sigma > 0.0 && settings.blur_every != 0).then(|| {
            #[expect(clippy::cast_possible_truncation, reason = "the device computes in float32")]
            let matrix = |len: usize| {
                let weights: Vec<f32> = blur_matrix(sigma, len)
                    .into_iter()
                    .map(|weight| weight as f32)
                    .collect();
                Tensor::<4>::from_data(TensorData::new(weights, [1, 1, len, len]), device)
            };
            [matrix(rows), matrix(columns).transpose()]
        });
        Self { settings, blur }
    }

    /// `x` (`[batch, channels, rows, columns]`) after the step of `iteration` along `gradient`.
    pub(super) fn apply(&self, mut x: Tensor<4>, gradient: &Tensor<4>, iteration: usize) -> Tensor<4> {
        let settings = &self.settings;
        let decay = settings.decay.value();
        if decay != 0.0 {
            x = x * (1.0 - decay);
        }
        if let Some([down, across]) = &self.blur
            && is_due(settings, iteration)
        {
            let [batch, channels, rows, columns] = x.dims();
            let down = down.clone().expand([batch, channels, rows, rows]);
            let across = across.clone().expand([batch, channels, columns, columns]);
            x = down.matmul(x).matmul(across);
        }
        let percent = settings.small_val_percentile.value();
        if percent > 0.0 {
            let mask = below(&x.clone().abs(), percent);
            x = x.mask_fill(mask, 0.0);
        }
        let percent = settings.small_norm_percentile.value();
        if percent > 0.0 {
            let norms = x.clone().square().sum_dim(1);
            x = without_pixels(x, norms, percent);
        }
        let percent = settings.px_benefit_percentile.value();
        if percent > 0.0 {
            let benefits = -(gradient.clone() * x.clone()).sum_dim(1);
            x = without_pixels(x, benefits, percent);
        }
        let percent = settings.px_abs_benefit_percentile.value();
        if percent > 0.0 {
            let benefits = (gradient.clone() * x.clone()).sum_dim(1).abs();
            x = without_pixels(x, benefits, percent);
        }
        x
    }
}

/// `x` without the pixels whose measure (`[batch, 1, rows, columns]`) is below the percentile of all.
fn without_pixels(x: Tensor<4>, measures: Tensor<4>, percent: f64) -> Tensor<4> {
    let mask = below(&measures, percent).expand(x.dims());
    x.mask_fill(mask, 0.0)
}
