//! Caffe's `Convolution`:
//! `y[o] = b[o] + sum over channels of the group and taps of W[o, c, i, j] * x[c, s*y + d*i - p, ...]`.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, module::conv2d, ops::ConvOptions, ops::PadMode};
use deepvis_importer::graph::Convolution as Settings;

use super::entrywise;
use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::error::Result;
use crate::network::host::{
    self,
    convolution::{Convolve, Geometry},
};
use crate::network::layers::Forward;

/// A convolution, with the ReLU after it when that is computed in the same pass.
#[derive(Module, Debug)]
pub struct Convolution {
    weight: Param<Tensor<4>>,
    bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    convolve: Convolve,
}

/// Extent of the kernel with its gaps.
pub(super) fn reach(settings: &Settings, axis: usize) -> usize {
    settings.dilation[axis] * (settings.kernel[axis] - 1) + 1
}

/// The sizes of a convolution from `input` to its output.
fn geometry(build: &LayerBuild<'_>, settings: &Settings, input: [usize; 3]) -> Result<Geometry> {
    if !input[0].is_multiple_of(settings.group) {
        return Err(build.error(format!(
            "{} channels do not divide into {} groups",
            input[0], settings.group
        )));
    }
    let extent = |axis: usize| {
        let padded = input[axis + 1] + settings.pads.along(axis);
        let reach = reach(settings, axis);
        if padded < reach {
            return Err(build.error(format!(
                "its kernel reaches over {reach} pixels, its input has {padded} with padding; is the image too small?"
            )));
        }
        Ok((padded - reach) / settings.stride[axis] + 1)
    };
    Ok(Geometry {
        input,
        output: [settings.num_output, extent(0)?, extent(1)?],
        kernel: settings.kernel,
        stride: settings.stride,
        pad: settings.pads.begin,
        dilation: settings.dilation,
        group: settings.group,
    })
}

impl Convolution {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, settings: &Settings) -> BuildResult {
        let [batch, input @ ..] = build.image()?;
        if build.bottoms.len() > 1 {
            return Err(build.error("several bottoms of one convolution are not supported; give each its own layer"));
        }
        let geometry = geometry(build, settings, input)?;
        let [rows, columns] = settings.kernel;
        let weight = build.parameter(
            &settings.weight,
            "weight",
            [settings.num_output, input[0] / settings.group, rows, columns],
        )?;
        let bias = settings
            .bias
            .as_ref()
            .map(|name| build.parameter(name, "bias", [settings.num_output]))
            .transpose()?;
        let [channels, height, width] = geometry.output;
        let layer = Self {
            weight,
            bias,
            convolve: Convolve::new(geometry, None),
        };
        build.one(layer, vec![batch, channels, height, width])
    }

    /// Whether a ReLU is already applied to the result.
    pub(in crate::network) fn has_relu(&self) -> bool {
        self.convolve.relu.is_some()
    }

    /// Applies a ReLU to the result in the same pass.
    pub(in crate::network) fn fuse_relu(&mut self, slope: f32) {
        self.convolve.relu = Some(slope);
    }

    /// Scales and shifts every output channel: y' = factor * y + shift.
    pub(in crate::network) fn fold_affine(&mut self, factor: &Tensor<1>, shift: &Tensor<1>) {
        // Built for its shapes alone.
        if !self.weight.is_initialized() {
            return;
        }
        let channels = self.convolve.geometry.output[0];
        let weight = self.weight.val() * factor.clone().reshape([channels, 1, 1, 1]);
        let bias = match &self.bias {
            Some(bias) => bias.val() * factor.clone() + shift.clone(),
            None => shift.clone(),
        };
        self.weight = Param::initialized(self.weight.id, weight).set_require_grad(false);
        self.bias = Some(Param::initialized(burn::module::ParamId::new(), bias).set_require_grad(false));
    }
}

impl Forward for Convolution {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let x = bottoms[0].tensor();
        let y: Tensor<4> = if host::is_host(&x.device()) {
            let bias = self.bias.as_ref().map(Param::val);
            host::apply_with(x, self.weight.val(), bias, self.convolve.clone())
        } else {
            let y = plain(
                x,
                self.weight.val(),
                self.bias.as_ref().map(Param::val),
                &self.convolve.geometry,
            );
            match self.convolve.relu {
                Some(0.0) if self.convolve.redirects => entrywise::redirected_relu(y),
                Some(slope) => entrywise::relu(y, slope),
                None => y,
            }
        };
        vec![Blob::from_image(y)]
    }

    fn keeps_images_apart(&self) -> bool {
        true
    }

    fn redirect_relus(&mut self) {
        self.convolve.redirects = true;
    }

    fn multiply_adds(&self) -> u64 {
        self.convolve.geometry.multiply_adds()
    }

    /// A byte for each entry that a ReLU let through or not.
    fn kept(&self, _bottoms: u64, tops: u64) -> u64 {
        if self.has_relu() { tops } else { 0 }
    }

    fn transformed_weights(&self) -> usize {
        self.convolve.transformed_weights()
    }

    fn scratch(&self) -> usize {
        self.convolve.scratch()
    }
}

/// The convolution composed of burn's operations.
pub fn plain(x: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>, g: &Geometry) -> Tensor<4> {
    // Burn's convolution pads both sides alike. Where the far side needs more, the input is padded before; where it
    // needs less, the surplus lines of the output are cut off after.
    let far = [0, 1].map(|axis| g.far_pad(axis).saturating_sub(g.pad[axis]));
    let x = if far == [0, 0] {
        x
    } else {
        x.pad((0, far[1], 0, far[0]), PadMode::Constant(0.0))
    };
    let y = conv2d(x, weight, bias, ConvOptions::new(g.stride, g.pad, g.dilation, g.group));
    y.narrow(2, 0, g.output[1]).narrow(3, 0, g.output[2])
}
