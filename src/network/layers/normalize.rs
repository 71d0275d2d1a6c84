//! Caffe's `BatchNorm` with stored statistics, `MVN`, and the SSD fork's `Normalize`.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::layers::Forward;
use crate::network::sums::{mean_along, sum_along};

/// y = (x - mean / f) / sqrt(variance / f + eps), where f is the stored scale factor; kept as factor * x + shift.
#[derive(Module, Debug)]
pub struct BatchNorm {
    factor: Param<Tensor<3>>,
    shift: Param<Tensor<3>>,
}

impl BatchNorm {
    pub(in crate::network) fn build(
        build: &LayerBuild<'_>,
        mean: &str,
        variance: &str,
        divisor: Option<&str>,
        eps: f32,
    ) -> BuildResult {
        let channels = build.bottom().get(1).copied().unwrap_or(1);
        let means = build.values(mean, "mean", &[channels])?;
        let variances = build.values(variance, "variance", &[channels])?;
        let divisor = match divisor {
            Some(name) => build.values(name, "scale factor", &[1])?[0],
            None => 1.0,
        };
        let scale = if divisor == 0.0 { 0.0 } else { 1.0 / divisor };
        let factors: Vec<f32> = variances.iter().map(|v| 1.0 / (v * scale + eps).sqrt()).collect();
        let shifts = means
            .iter()
            .zip(&factors)
            .map(|(mean, factor)| -mean * scale * factor)
            .collect();
        let layer = Self {
            factor: build.constant(factors, [1, channels, 1]),
            shift: build.constant(shifts, [1, channels, 1]),
        };
        build.one(layer, build.bottom().to_vec())
    }

    /// Factor and shift, one a channel.
    pub(in crate::network) fn affine(&self) -> (Tensor<1>, Tensor<1>) {
        (self.factor.val().flatten(0, 2), self.shift.val().flatten(0, 2))
    }
}

impl Forward for BatchNorm {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let y = bottoms[0].around(1) * self.factor.val() + self.shift.val();
        vec![Blob::new(y, bottoms[0].shape().to_vec())]
    }

    fn kept(&self, _bottoms: u64, _tops: u64) -> u64 {
        0
    }

    fn keeps_images_apart(&self) -> bool {
        true
    }
}

/// y = (x - mean(x)) / (std(x) + eps), over each channel or over all of them.
#[derive(Module, Debug)]
pub struct Mvn {
    #[module(skip)]
    normalize_variance: bool,
    #[module(skip)]
    across_channels: bool,
    #[module(skip)]
    eps: f32,
}

impl Mvn {
    pub(in crate::network) fn build(
        build: &LayerBuild<'_>,
        normalize_variance: bool,
        across_channels: bool,
        eps: f32,
    ) -> BuildResult {
        build.image()?;
        let layer = Self {
            normalize_variance,
            across_channels,
            eps,
        };
        build.one(layer, build.bottom().to_vec())
    }
}

impl Forward for Mvn {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let shape = bottoms[0].shape().to_vec();
        let [batch, channels, rows, columns] = [shape[0], shape[1], shape[2], shape[3]];
        let x = if self.across_channels {
            bottoms[0].view([batch, channels * rows * columns])
        } else {
            bottoms[0].view([batch * channels, rows * columns])
        };
        let centred = x.clone() - mean_along(x, 1);
        let y = if self.normalize_variance {
            let deviation = mean_along(centred.clone() * centred.clone(), 1).sqrt();
            centred / deviation.add_scalar(self.eps)
        } else {
            centred
        };
        vec![Blob::new(y, shape)]
    }

    fn keeps_images_apart(&self) -> bool {
        true
    }
}

/// y = (x - mean(x)) / sqrt(variance(x) + eps), over each channel of each image: Caffe's `BatchNorm` with
/// `use_global_stats: false` on a batch of one.
#[derive(Module, Debug)]
pub struct BatchStatistics {
    #[module(skip)]
    eps: f32,
}

impl BatchStatistics {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, eps: f32) -> BuildResult {
        if build.bottom().len() < 2 {
            return Err(build.error(format!("its bottom of shape {:?} has no channels", build.bottom())));
        }
        build.one(Self { eps }, build.bottom().to_vec())
    }
}

impl Forward for BatchStatistics {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let shape = bottoms[0].shape().to_vec();
        let x: Tensor<2> = bottoms[0].view([shape[0] * shape[1], shape[2..].iter().product()]);
        let centred = x.clone() - mean_along(x, 1);
        let variance = mean_along(centred.clone() * centred.clone(), 1);
        let y = centred / variance.add_scalar(self.eps).sqrt();
        vec![Blob::new(y, shape)]
    }

    fn keeps_images_apart(&self) -> bool {
        true
    }
}

/// y = scale * x / sqrt(sum of x^2 + eps), the sum over channels and, if `across_spatial`, over all pixels too.
#[derive(Module, Debug)]
pub struct Normalize {
    scale: Param<Tensor<3>>,
    #[module(skip)]
    across_spatial: bool,
    #[module(skip)]
    eps: f32,
}

impl Normalize {
    pub(in crate::network) fn build(
        build: &LayerBuild<'_>,
        scale: &str,
        across_spatial: bool,
        channel_shared: bool,
        eps: f32,
    ) -> BuildResult {
        let [_, channels, ..] = build.image()?;
        let scales = if channel_shared { 1 } else { channels };
        let values = build.values(scale, "scale", &[scales])?;
        let layer = Self {
            scale: build.constant(values, [1, scales, 1]),
            across_spatial,
            eps,
        };
        build.one(layer, build.bottom().to_vec())
    }
}

impl Forward for Normalize {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let x = bottoms[0].around(1);
        let mut sum = (x.clone() * x.clone()).sum_dim(1);
        if self.across_spatial {
            sum = sum_along(sum, 2);
        }
        let y = x / sum.add_scalar(self.eps).sqrt() * self.scale.val();
        vec![Blob::new(y, bottoms[0].shape().to_vec())]
    }

    fn keeps_images_apart(&self) -> bool {
        true
    }
}
