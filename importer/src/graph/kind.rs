//! What a layer computes: one variant a Caffe layer type, with its settings resolved (defaults filled in, `kernel_h` and
//! `kernel_size` told apart, legacy spellings translated).

use serde::{Deserialize, Serialize};

/// The layer types whose result a pushed unit may depend on.
pub const SUPPORTED: &[&str] = &[
    "AbsVal",
    "BatchNorm",
    "Bias",
    "BNLL",
    "Clip",
    "Concat",
    "Convolution",
    "Crop",
    "Deconvolution",
    "Dropout",
    "Eltwise",
    "ELU",
    "Exp",
    "Flatten",
    "InnerProduct",
    "Input",
    "Log",
    "LRN",
    "MVN",
    "Normalize",
    "Permute",
    "Pooling",
    "Power",
    "PReLU",
    "Reduction",
    "ReLU",
    "Reshape",
    "Scale",
    "Sigmoid",
    "Slice",
    "Softmax",
    "SoftmaxWithLoss",
    "Split",
    "Swish",
    "TanH",
    "Tile",
];

/// What a layer computes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum LayerKind {
    /// A source of images, `Input` or one of the data layers; the shape may be left to the user.
    Input {
        /// The declared shape, with the batch axis.
        shape: Option<Vec<usize>>,
    },
    /// `Convolution`.
    Convolution(Convolution),
    /// `Deconvolution`, the transpose of a convolution.
    Deconvolution(Convolution),
    /// `Pooling`.
    Pooling(Pooling),
    /// `LRN`, local response normalization.
    Lrn(Lrn),
    /// `InnerProduct`, a fully connected layer.
    InnerProduct(InnerProduct),
    /// `ReLU`: x for x > 0, else slope * x.
    Relu {
        /// What is left of negative values.
        slope: f32,
    },
    /// `PReLU`: ReLU with a learned slope.
    PRelu {
        /// One slope for all channels.
        shared: bool,
    },
    /// `ELU`: x for x > 0, else alpha * (exp(x) - 1).
    Elu {
        /// The limit towards minus infinity, negated.
        alpha: f32,
    },
    /// `Sigmoid`.
    Sigmoid,
    /// `TanH`.
    TanH,
    /// `AbsVal`.
    AbsVal,
    /// `BNLL`: log(1 + exp(x)).
    Bnll,
    /// `Power`: (shift + scale * x) ^ power.
    Power {
        /// The exponent.
        power: f32,
        /// The factor.
        scale: f32,
        /// What is added before the power is taken.
        shift: f32,
    },
    /// `Exp`: base ^ (shift + scale * x).
    Exp {
        /// The base; e when absent.
        base: Option<f32>,
        /// The factor.
        scale: f32,
        /// What is added.
        shift: f32,
    },
    /// `Log`: log_base(shift + scale * x).
    Log {
        /// The base; e when absent.
        base: Option<f32>,
        /// The factor.
        scale: f32,
        /// What is added.
        shift: f32,
    },
    /// `Clip`.
    Clip {
        /// The least value.
        min: f32,
        /// The greatest.
        max: f32,
    },
    /// `Swish`: x * sigmoid(beta * x).
    Swish {
        /// The factor inside.
        beta: f32,
    },
    /// `Dropout`: the identity in the TEST phase.
    Dropout,
    /// `BatchNorm` with the stored statistics.
    BatchNorm {
        /// Added to the variance.
        eps: f32,
    },
    /// `Scale`: a product along some axes, with a learned factor or with a second bottom.
    Scale {
        /// The first axis of the factor.
        axis: i32,
        /// How many axes a learned factor has; -1: all from `axis` on.
        num_axes: i32,
        /// Whether a learned bias is added.
        bias: bool,
    },
    /// `Bias`: a sum along some axes, with a learned term or with a second bottom.
    Bias {
        /// The first axis of the term.
        axis: i32,
        /// How many axes a learned term has; -1: all from `axis` on.
        num_axes: i32,
    },
    /// `Eltwise`.
    Eltwise(EltwiseOperation),
    /// `Concat`.
    Concat {
        /// The axis.
        axis: i32,
    },
    /// `Slice`.
    Slice {
        /// The axis.
        axis: i32,
        /// Where to cut; equal parts when empty.
        points: Vec<usize>,
    },
    /// `Split`: the same blob under several names.
    Split,
    /// `Softmax`, also what `SoftmaxWithLoss` computes of its first bottom.
    Softmax {
        /// The axis.
        axis: i32,
    },
    /// `Flatten`.
    Flatten {
        /// First axis.
        axis: i32,
        /// Last axis, inclusive.
        end_axis: i32,
    },
    /// `Reshape`.
    Reshape {
        /// 0 copies the bottom's extent, -1 is what is left over.
        dims: Vec<i64>,
        /// First axis that is replaced.
        axis: i32,
        /// How many; -1: all from `axis` on.
        num_axes: i32,
    },
    /// `Crop`: the first bottom cut to the second's size.
    Crop {
        /// First axis that is cut.
        axis: i32,
        /// Where to begin, one for all axes or one for each.
        offset: Vec<usize>,
    },
    /// `MVN`: minus the mean, divided by the standard deviation.
    Mvn {
        /// Whether to divide.
        normalize_variance: bool,
        /// Whether over all channels together.
        across_channels: bool,
        /// Added to the standard deviation.
        eps: f32,
    },
    /// `Tile`: copies along an axis.
    Tile {
        /// The axis.
        axis: i32,
        /// How many.
        tiles: usize,
    },
    /// `Reduction` of all axes from one on.
    Reduction {
        /// What is computed of them.
        operation: Reduction,
        /// First axis.
        axis: i32,
        /// Factor of the result.
        coeff: f32,
    },
    /// `Permute` of the SSD fork.
    Permute {
        /// Which bottom axis becomes each top axis; left-out ones follow in order.
        order: Vec<usize>,
    },
    /// `Normalize` of the SSD fork.
    Normalize {
        /// Over space too, not only over channels.
        across_spatial: bool,
        /// One learned scale for all channels.
        channel_shared: bool,
        /// Added to the squared norm.
        eps: f32,
    },
    /// `Silence`, `Accuracy` and losses: nothing that a unit could depend on.
    Sink,
    /// A type that deepvis does not compute; an error only for units that depend on it.
    Unsupported,
}

impl LayerKind {
    /// Whether the layer learns blobs that it cannot do without.
    pub fn has_weights(&self) -> bool {
        matches!(
            self,
            Self::Convolution(_)
                | Self::Deconvolution(_)
                | Self::InnerProduct(_)
                | Self::PRelu { .. }
                | Self::BatchNorm { .. }
                | Self::Normalize { .. }
        )
    }
}

/// Settings of a convolution or its transpose, `[rows, columns]` each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Convolution {
    /// Output channels.
    pub num_output: usize,
    /// Kernel size in pixels.
    pub kernel: [usize; 2],
    /// Stride in pixels.
    pub stride: [usize; 2],
    /// Zeros added on each side.
    pub pad: [usize; 2],
    /// Distance between kernel elements.
    pub dilation: [usize; 2],
    /// Groups of channels.
    pub group: usize,
    /// Whether there is a bias.
    pub bias: bool,
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
    /// Window in pixels; absent: the whole blob (`global_pooling`).
    pub kernel: Option<[usize; 2]>,
    /// Stride in pixels.
    pub stride: [usize; 2],
    /// Padding in pixels.
    pub pad: [usize; 2],
    /// Whether the output size is rounded up, Caffe's rule unless `round_mode: FLOOR`.
    pub ceil: bool,
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
    /// Output entries.
    pub num_output: usize,
    /// Whether there is a bias.
    pub bias: bool,
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
    /// The sum, with one coefficient for each bottom (all 1 when empty).
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
