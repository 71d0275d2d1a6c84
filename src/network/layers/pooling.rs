//! Caffe's `Pooling`: max or average over windows, the output size rounded up, windows that would start in the far
//! padding left out; the average divides by the window's size with its padding.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::module::{avg_pool2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions, PadMode};
use deepvis_importer::graph::{PoolMethod, Pooling as Settings};

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::host::{
    self,
    pooling::{AveragePool, MaxPool, Windows},
};
use crate::network::layer::Forward;

/// A pooling layer.
#[derive(Module, Debug)]
pub struct Pooling {
    #[module(skip)]
    method: PoolMethod,
    #[module(skip)]
    windows: Windows,
    /// Window size over the number of entries that Caffe divides by, for backends that pool without it.
    correction: Param<Tensor<4>>,
}

/// Caffe's output size along one axis.
fn pooled(size: usize, kernel: usize, stride: usize, pad: usize, ceil: bool) -> usize {
    let room = (size + 2 * pad).saturating_sub(kernel);
    let short = size + 2 * pad < kernel;
    let steps = if ceil && !short {
        room.div_ceil(stride)
    } else {
        room / stride
    };
    let output = steps + 1;
    // The last window must start inside the image or its near padding.
    if pad > 0 && (output - 1) * stride >= size + pad {
        output - 1
    } else {
        output
    }
}

impl Pooling {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, settings: &Settings) -> BuildResult {
        let [batch, channels, rows, columns] = build.image()?;
        let kernel = settings.kernel.unwrap_or([rows, columns]);
        let input = [rows, columns];
        let output = [0, 1].map(|axis| {
            pooled(
                input[axis],
                kernel[axis],
                settings.stride[axis],
                settings.pad[axis],
                settings.ceil,
            )
        });
        let windows = Windows {
            input,
            output,
            kernel,
            stride: settings.stride,
            pad: settings.pad,
        };
        if build.layer.tops.len() > 1 {
            return Err(build.error("its second top, the mask of chosen pixels, is not supported"));
        }
        let top = vec![batch, channels, output[0], output[1]];
        build.check_size(&top)?;
        let layer = Self {
            method: settings.method,
            windows,
            correction: build.constant(correction(&windows), [1, 1, output[0], output[1]]),
        };
        build.one(layer, top)
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
        let y: Tensor<4> = match self.method {
            PoolMethod::Max if on_host => host::apply(x, MaxPool { windows }),
            PoolMethod::Average if on_host => host::apply(x, AveragePool { windows }),
            PoolMethod::Max => max(x, &windows),
            PoolMethod::Average => average(x, &windows, self.correction.val()),
        };
        vec![Blob::from_image(y)]
    }
}

/// Pads so that exactly the windows of Caffe fit.
fn padded(x: Tensor<4>, windows: &Windows, value: f32) -> Tensor<4> {
    let far = [0, 1].map(|axis| {
        let needed = (windows.output[axis] - 1) * windows.stride[axis] + windows.kernel[axis];
        needed.saturating_sub(windows.input[axis] + windows.pad[axis])
    });
    let near = windows.pad;
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

/// Average pooling composed of burn's operations; `correction` is [`correction`], one for each window.
pub fn average(x: Tensor<4>, windows: &Windows, correction: Tensor<4>) -> Tensor<4> {
    let options = AvgPoolOptions::new(windows.kernel).with_stride(windows.stride);
    cut(avg_pool2d(padded(x, windows, 0.0), options), windows) * correction
}

/// Drops windows beyond Caffe's, where the far side had room for more.
fn cut(y: Tensor<4>, windows: &Windows) -> Tensor<4> {
    y.narrow(2, 0, windows.output[0]).narrow(3, 0, windows.output[1])
}
