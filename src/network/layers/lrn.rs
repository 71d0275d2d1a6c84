//! Caffe's `LRN`: y = x * (k + alpha / n * sum of x^2 over n neighbours) ^ -beta, across channels, or in a window of the
//! same channel (where Caffe fixes k to 1 and pads the window's mean with zeros).

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::ops::PadMode;
use deepvis_importer::graph::{Counted, Lrn as Settings, LrnRegion, Pads, PoolMethod, Pooling as Window, Rounding};

use super::pooling::Pooling;
use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::host::{self, lrn::AcrossChannels};
use crate::network::layers::Forward;

/// Local response normalization.
#[derive(Module, Debug)]
pub struct Lrn {
    #[module(skip)]
    settings: Settings,
    window: Option<Pooling>,
}

impl Lrn {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, settings: &Settings) -> BuildResult {
        build.image()?;
        let window = match settings.region {
            LrnRegion::AcrossChannels => None,
            LrnRegion::WithinChannel => {
                let mean = Window {
                    method: PoolMethod::Average,
                    kernel: Some([settings.size; 2]),
                    stride: [1, 1],
                    pads: Pads::both([settings.size / 2; 2]),
                    rounding: Rounding::Ceil,
                    counted: Counted::Padded,
                };
                Some(Pooling::new(build, &mean)?.0)
            }
        };
        let layer = Self {
            settings: settings.clone(),
            window,
        };
        build.one(layer, build.bottom().to_vec())
    }
}

impl Forward for Lrn {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let settings = &self.settings;
        let x = bottoms[0].tensor();
        let y = if let Some(window) = &self.window {
            let squares = Blob::from_image(x.clone() * x.clone());
            let mean = window.forward(&[squares])[0].tensor();
            let scale = mean.mul_scalar(settings.alpha).add_scalar(1.0);
            x * scale.powf_scalar(-settings.beta)
        } else if host::is_host(&x.device()) {
            let function = AcrossChannels {
                size: settings.size,
                alpha: settings.alpha,
                beta: settings.beta,
                k: settings.k,
            };
            host::apply(x, function)
        } else {
            across_channels(x, settings)
        };
        vec![Blob::from_image(y)]
    }

    fn keeps_images_apart(&self) -> bool {
        true
    }

    fn kept(&self, bottoms: u64, _tops: u64) -> u64 {
        4 * bottoms
    }
}

/// Normalization across channels composed of burn's operations.
pub fn across_channels(x: Tensor<4>, settings: &Settings) -> Tensor<4> {
    let [_, channels, ..] = x.dims();
    let half = settings.size / 2;
    let squares = (x.clone() * x.clone())
        .swap_dims(1, 3)
        .pad((half, half, 0, 0), PadMode::Constant(0.0))
        .swap_dims(1, 3);
    let mut sum = squares.clone().narrow(1, 0, channels);
    for shift in 1..settings.size {
        sum = sum + squares.clone().narrow(1, shift, channels);
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of channels")]
    let weight = settings.alpha / settings.size as f32;
    x * sum
        .mul_scalar(weight)
        .add_scalar(settings.k)
        .powf_scalar(-settings.beta)
}
