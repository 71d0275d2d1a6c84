//! Caffe's `Pooling`: max or average over windows, the output size rounded up, windows that would start in the far
//! padding left out; the average divides by the window's size with its padding.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::module::{avg_pool2d, max_pool2d, max_pool2d_with_indices};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions, PadMode};
use deepvis_importer::graph::{PoolMethod, Pooling as Settings, Rounding};

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::error::Result;
use crate::network::host::{
    self,
    pooling::{AveragePool, MaxPool, Windows},
};
use crate::network::layers::Forward;

/// A pooling layer.
#[derive(Module, Debug)]
pub struct Pooling {
    #[module(skip)]
    method: PoolMethod,
    #[module(skip)]
    windows: Windows,
    /// Whether the places of the chosen pixels are the second top.
    #[module(skip)]
    has_mask: bool,
    /// Window size over the number of entries that Caffe divides by, for backends that pool without it.
    correction: Param<Tensor<4>>,
}

/// The output size along one axis, as Caffe computes it.
fn pooled(size: usize, kernel: usize, stride: usize, [begin, end]: [usize; 2], rounding: Rounding) -> usize {
    let room = (size + begin + end).saturating_sub(kernel);
    let steps = match rounding {
        Rounding::Ceil => room.div_ceil(stride),
        Rounding::Floor => room / stride,
    };
    // The last window must start inside the image or its near padding.
    if begin + end > 0 && steps * stride >= size + begin {
        steps
    } else {
        steps + 1
    }
}

impl Pooling {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, settings: &Settings) -> BuildResult {
        let (layer, top) = Self::new(build, settings)?;
        build.many(layer, vec![top; build.layer.outputs.len()])
    }

    /// The layer and the shape of its top.
    pub(super) fn new(build: &LayerBuild<'_>, settings: &Settings) -> Result<(Self, Vec<usize>)> {
        let [batch, channels, rows, columns] = build.image()?;
        let kernel = settings.kernel.unwrap_or([rows, columns]);
        let input = [rows, columns];
        let output = [0, 1].map(|axis| {
            pooled(
                input[axis],
                kernel[axis],
                settings.stride[axis],
                [settings.pads.begin[axis], settings.pads.end[axis]],
                settings.rounding,
            )
        });
        let windows = Windows {
            input,
            output,
            kernel,
            // A stride of more than the image makes one window, as does one of just its size.
            stride: [0, 1].map(|axis| settings.stride[axis].min(input[axis] + settings.pads.along(axis))),
            pads: settings.pads,
            counted: settings.counted,
        };
        let has_mask = build.layer.outputs.len() > 1;
        if has_mask && settings.method != PoolMethod::Max {
            return Err(build.error("only max pooling has a second top, the mask of chosen pixels"));
        }
        let top = vec![batch, channels, output[0], output[1]];
        build.check_size(&top)?;
        let layer = Self {
            method: settings.method,
            windows,
            has_mask,
            correction: build.constant(correction(&windows), [1, 1, output[0], output[1]]),
        };
        Ok((layer, top))
    }
}

/// Window size over the number of entries that Caffe divides by, for each window: what [`average`] is corrected with.
#[expect(clippy::cast_precision_loss, reason = "windows are far smaller than 2^24 pixels")]
pub fn correction(windows: &Windows) -> Vec<f32> {
    let full = (windows.kernel[0] * windows.kernel[1]) as f32;
    (0..windows.output[0])
        .flat_map(|y| (0..windows.output[1]).map(move |x| (y, x)))
        .map(|(y, x)| full / (windows.window(0, y).extent * windows.window(1, x).extent).max(1) as f32)
        .collect()
}

impl Forward for Pooling {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let x = bottoms[0].tensor();
        let windows = self.windows;
        let on_host = host::is_host(&x.device());
        let mask = self.has_mask.then(|| mask(x.clone().detach(), &windows));
        let y: Tensor<4> = match self.method {
            PoolMethod::Max if on_host => host::apply(x, MaxPool { windows }),
            PoolMethod::Average if on_host => host::apply(x, AveragePool { windows }),
            PoolMethod::Max => max(x, &windows),
            PoolMethod::Average => average(x, &windows, self.correction.val()),
        };
        [Some(y), mask].into_iter().flatten().map(Blob::from_image).collect()
    }

    fn keeps_images_apart(&self) -> bool {
        true
    }

    /// Which pixel was the largest.
    fn kept(&self, _bottoms: u64, tops: u64) -> u64 {
        match self.method {
            PoolMethod::Max => 4 * tops,
            PoolMethod::Average => 0,
        }
    }
}

/// Pads so that exactly the windows of Caffe fit.
fn padded(x: Tensor<4>, windows: &Windows, value: f32) -> Tensor<4> {
    let far = [0, 1].map(|axis| {
        let needed = (windows.output[axis] - 1) * windows.stride[axis] + windows.kernel[axis];
        needed.saturating_sub(windows.input[axis] + windows.pads.begin[axis])
    });
    let near = windows.pads.begin;
    if near == [0, 0] && far == [0, 0] {
        return x;
    }
    x.pad((near[1], far[1], near[0], far[0]), PadMode::Constant(value))
}

/// Max pooling composed of burn's operations.
pub fn max(x: Tensor<4>, windows: &Windows) -> Tensor<4> {
    let options = MaxPoolOptions::new(windows.kernel).with_stride(windows.stride);
    cut(max_pool2d(padded(x, windows, -f32::MAX), options), windows)
}

/// The places, row by row in the image, of the pixels that max pooling chooses: Caffe's mask.
#[expect(clippy::cast_precision_loss, reason = "extents of images are exact in float32")]
pub fn mask(x: Tensor<4>, windows: &Windows) -> Tensor<4> {
    let options = MaxPoolOptions::new(windows.kernel).with_stride(windows.stride);
    let padded = padded(x, windows, -f32::MAX);
    let width = padded.dims()[3];
    let (_, places) = max_pool2d_with_indices(padded, options);
    // Places in the padded image become those in the image itself.
    let places = cut(places.float(), windows);
    let [above, left] = windows.pads.begin;
    let row = places.clone().div_scalar(width as f32).floor();
    let column = places - row.clone().mul_scalar(width as f32);
    row.sub_scalar(above as f32).mul_scalar(windows.input[1] as f32) + column.sub_scalar(left as f32)
}

/// Average pooling composed of burn's operations; `correction` is [`correction`], one for each window.
pub fn average(x: Tensor<4>, windows: &Windows, correction: Tensor<4>) -> Tensor<4> {
    let options = AvgPoolOptions::new(windows.kernel).with_stride(windows.stride);
    cut(avg_pool2d(padded(x, windows, 0.0), options), windows) * correction
}

/// Drops windows that Caffe does not have, where the padded far side had room for more.
fn cut(y: Tensor<4>, windows: &Windows) -> Tensor<4> {
    y.narrow(2, 0, windows.output[0]).narrow(3, 0, windows.output[1])
}
