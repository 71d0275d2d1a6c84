//! Caffe's `Deconvolution`: the transpose of a convolution; output size stride * (n - 1) + reach - 2 * pad.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, module::conv_transpose2d, ops::ConvTransposeOptions};
use deepvis_importer::graph::Convolution as Settings;

use super::convolution::reach;
use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::host::{
    self,
    convolution::{Deconvolve, Geometry},
};
use crate::network::layers::Forward;

/// A transposed convolution.
#[derive(Module, Debug)]
pub struct Deconvolution {
    weight: Param<Tensor<4>>,
    bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    geometry: Geometry,
}

impl Deconvolution {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, settings: &Settings) -> BuildResult {
        let [batch, input @ ..] = build.image()?;
        if !input[0].is_multiple_of(settings.group) {
            return Err(build.error(format!(
                "{} channels do not divide into {} groups",
                input[0], settings.group
            )));
        }
        let extent = |axis: usize| {
            let full = settings.stride[axis] * (input[axis + 1] - 1) + reach(settings, axis);
            full.checked_sub(settings.pads.along(axis))
                .ok_or_else(|| build.error("its padding is larger than its output"))
        };
        let geometry = Geometry {
            input: [settings.num_output, extent(0)?, extent(1)?],
            output: input,
            kernel: settings.kernel,
            stride: settings.stride,
            pad: settings.pads.begin,
            dilation: settings.dilation,
            group: settings.group,
        };
        let [rows, columns] = settings.kernel;
        let weight = build.parameter(
            &settings.weight,
            "weight",
            [input[0], settings.num_output / settings.group, rows, columns],
        )?;
        let bias = settings
            .bias
            .as_ref()
            .map(|name| build.parameter(name, "bias", [settings.num_output]))
            .transpose()?;
        let [channels, height, width] = geometry.input;
        build.one(Self { weight, bias, geometry }, vec![batch, channels, height, width])
    }
}

impl Forward for Deconvolution {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let x = bottoms[0].tensor();
        let y: Tensor<4> = if host::is_host(&x.device()) {
            host::apply_with(
                x,
                self.weight.val(),
                self.bias.as_ref().map(Param::val),
                Deconvolve {
                    geometry: self.geometry,
                },
            )
        } else {
            plain(x, self.weight.val(), self.bias.as_ref().map(Param::val), &self.geometry)
        };
        vec![Blob::from_image(y)]
    }

    fn keeps_images_apart(&self) -> bool {
        true
    }

    fn multiply_adds(&self) -> u64 {
        self.geometry.multiply_adds()
    }

    fn kept(&self, _bottoms: u64, _tops: u64) -> u64 {
        0
    }

    fn scratch(&self) -> usize {
        self.geometry.unfolded()
    }
}

/// The transposed convolution composed of burn's operations.
pub fn plain(x: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>, g: &Geometry) -> Tensor<4> {
    // Burn's cuts both sides alike: what is cut off more at one side is cut off after.
    let alike = [0, 1].map(|axis| g.pad[axis].min(g.far_pad(axis)));
    let y = conv_transpose2d(
        x,
        weight,
        bias,
        ConvTransposeOptions::new(g.stride, alike, [0, 0], g.dilation, g.group),
    );
    y.narrow(2, g.pad[0] - alike[0], g.input[1])
        .narrow(3, g.pad[1] - alike[1], g.input[2])
}
