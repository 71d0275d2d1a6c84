//! Settings of the kinds that have many.

use serde::{Deserialize, Serialize};

use super::windows::{Counted, Pads, Rounding};
use crate::weights::TensorName;

/// Settings of a convolution or its transpose, `[rows, columns]` each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Convolution {
    /// The weight: `[num_output, inputs / group, rows, columns]`, of the transpose `[inputs, num_output / group, rows,
    /// columns]`.
    pub weight: TensorName,
    /// The bias, one number for each output channel.
    pub bias: Option<TensorName>,
    /// Output channels.
    pub num_output: usize,
    /// Kernel size in pixels.
    pub kernel: [usize; 2],
    /// Stride in pixels.
    pub stride: [usize; 2],
    /// Zeros added around the image; of a transposed convolution, pixels cut off its output.
    pub pads: Pads,
    /// Distance between kernel elements.
    pub dilation: [usize; 2],
    /// Groups of channels.
    pub group: usize,
}

/// What pooling computes of its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PoolMethod {
    /// The largest value.
    Max,
    /// The mean.
    Average,
}

/// Settings of pooling, `[rows, columns]` each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pooling {
    /// What is computed.
    pub method: PoolMethod,
    /// Window in pixels; absent: the whole image.
    pub kernel: Option<[usize; 2]>,
    /// Stride in pixels.
    pub stride: [usize; 2],
    /// Padding in pixels.
    pub pads: Pads,
    /// How the output size is rounded.
    pub rounding: Rounding,
    /// What an average is divided by.
    pub counted: Counted,
}

/// The neighbourhood of local response normalization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LrnRegion {
    /// Neighbouring channels.
    AcrossChannels,
    /// A square of pixels in the same channel.
    WithinChannel,
}

/// Settings of local response normalization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lrn {
    /// Where neighbours are.
    pub region: LrnRegion,
    /// How many, the entry itself included; odd.
    pub size: usize,
    /// Weight of the squares.
    pub alpha: f32,
    /// Exponent.
    pub beta: f32,
    /// Constant term.
    pub k: f32,
}

/// Settings of a fully connected layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InnerProduct {
    /// The weight: `[num_output, inputs]`, or the other way around if `transpose`.
    pub weight: TensorName,
    /// The bias, one number for each output.
    pub bias: Option<TensorName>,
    /// Output entries.
    pub num_output: usize,
    /// First axis that is summed over.
    pub axis: i32,
    /// Whether the weights are stored input x output.
    pub transpose: bool,
}

/// What `Eltwise` computes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum EltwiseOperation {
    /// The product.
    Product,
    /// The sum, with one coefficient for each input (all 1 when empty).
    Sum(Vec<f32>),
    /// The maximum.
    Max,
}

/// What `Reduction` computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reduction {
    /// The sum.
    Sum,
    /// The sum of absolute values.
    AbsoluteSum,
    /// The sum of squares.
    SumOfSquares,
    /// The mean.
    Mean,
}
