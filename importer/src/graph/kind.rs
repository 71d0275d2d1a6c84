//! What a layer computes: one variant for each kind, with its settings resolved (defaults filled in, legacy spellings
//! translated) and the stored tensors that it uses by name.

use serde::{Deserialize, Serialize};

use super::general::{Move, Pairwise, Reduce, Unary};
use super::resample::{InterpSize, UnpoolSize};
use super::settings::{Convolution, EltwiseOperation, InnerProduct, Lrn, Pooling, Reduction};
use crate::weights::TensorName;

/// The layer types whose result a pushed unit may depend on.
pub const SUPPORTED: &[&str] = &[
    "AbsVal",
    "ArgMax",
    "Axpy",
    "BatchNorm",
    "Bias",
    "BN",
    "BNLL",
    "Clip",
    "Concat",
    "Convolution",
    "Crop",
    "Deconvolution",
    "DepthwiseConvolution",
    "Dropout",
    "Eltwise",
    "ELU",
    "Exp",
    "Flatten",
    "InnerProduct",
    "Input",
    "Interp",
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
    "ReLU6",
    "Reorg",
    "Reshape",
    "Scale",
    "SELU",
    "ShuffleChannel",
    "Sigmoid",
    "Slice",
    "Softmax",
    "SoftmaxWithLoss",
    "Split",
    "Swish",
    "TanH",
    "Tile",
    "Unpooling",
    "Upsample",
];

/// What a layer computes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum LayerKind {
    /// A source of images; the shape, or some of its extents, may be left to the user.
    Input {
        /// The declared shape, with the batch axis; `None` where the file says nothing.
        shape: Option<Vec<Option<usize>>>,
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
        /// The slopes: one, or one for each channel.
        slope: TensorName,
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
        /// The mean of each channel.
        mean: TensorName,
        /// The variance of each channel.
        variance: TensorName,
        /// One number by which both are divided (Caffe's accumulated weight of its moving averages); 0 makes both 0.
        divisor: Option<TensorName>,
        /// Added to the variance.
        eps: f32,
    },
    /// `Scale`: a product along some axes, with a learned factor or with a second input.
    Scale {
        /// The learned factor; `None` when the second input is the factor.
        factor: Option<TensorName>,
        /// The first axis of the factor.
        axis: i32,
        /// How many axes a learned factor has; -1: all from `axis` on.
        num_axes: i32,
        /// A learned term of the factor's shape that is added.
        bias: Option<TensorName>,
    },
    /// `Bias`: a sum along some axes, with a learned term or with a second input.
    Bias {
        /// The learned term; `None` when the second input is the term.
        term: Option<TensorName>,
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
    /// `Softmax`, also what `SoftmaxWithLoss` computes of its first input.
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
        /// 0 copies the input's extent, -1 is what is left over.
        dims: Vec<i64>,
        /// First axis that is replaced.
        axis: i32,
        /// How many; -1: all from `axis` on.
        num_axes: i32,
    },
    /// `Crop`: the first input cut to the second's size.
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
        /// Which input axis becomes each output axis; left-out ones follow in order.
        order: Vec<usize>,
    },
    /// `Normalize` of the SSD fork.
    Normalize {
        /// Over space too, not only over channels.
        across_spatial: bool,
        /// The learned scale: one, or one for each channel.
        scale: TensorName,
        /// One learned scale for all channels.
        channel_shared: bool,
        /// Added to the squared norm.
        eps: f32,
    },
    /// (x - mean) / sqrt(variance + eps) with the statistics of each channel of the image itself: `BatchNorm` with
    /// `use_global_stats: false`, for a batch of one.
    BatchStatistics {
        /// Added to the variance.
        eps: f32,
    },
    /// `Interp` of DeepLab's fork: bilinear resizing, the corners of the image kept.
    Interp {
        /// The size of the result.
        size: InterpSize,
        /// Pixels cut off above and to the left, then below and to the right.
        cut: [usize; 2],
    },
    /// `Upsample` with one input: every pixel repeated.
    Upsample {
        /// How often, along rows and columns.
        scale: [usize; 2],
    },
    /// `Upsample` of SegNet's and `Unpooling` of DeconvNet's fork: entries put back where the pooling layer that the second
    /// input is the mask of found them, zeros elsewhere.
    Unpool {
        /// The size of the result.
        size: UnpoolSize,
    },
    /// `ShuffleChannel` of ShuffleNet's fork: the channels of all groups in turn.
    ShuffleChannel {
        /// How many groups.
        groups: usize,
    },
    /// `Reorg` of the ports of YOLO v2: pixels become channels, as darknet's `reorg_cpu` orders them.
    Reorg {
        /// How many pixels along each side become channels of one.
        stride: usize,
        /// The other way around.
        reverse: bool,
    },
    /// `ArgMax`: the places of the largest entries; its gradient is 0.
    ArgMax {
        /// The axis; absent, all entries of an image are compared.
        axis: Option<i32>,
        /// How many.
        top_k: usize,
        /// With their values too, or, along an axis, the values alone.
        out_max_val: bool,
    },
    /// `Silence`, `Accuracy` and losses: nothing that a unit could depend on.
    Sink,
    /// A constant.
    Constant {
        /// Its entries.
        value: TensorName,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A function of each entry.
    Unary(Unary),
    /// A function of the entries of two inputs.
    Pairwise(Pairwise),
    /// The second input where the first is not 0, else the third; shapes stretched to each other.
    Where,
    /// The product of matrices in the last two axes; those before are stretched to each other.
    MatMul,
    /// The reduction of some axes.
    Reduce(Reduce),
    /// Entries moved.
    Move(Move),
    /// A linear map along one axis.
    AlongAxis {
        /// The axis.
        axis: usize,
        /// Its extent in the output.
        outputs: usize,
        /// The matrix, `[outputs, inputs]`.
        weight: TensorName,
    },
    /// (x - mean) / sqrt(variance + eps) over all axes from one on.
    Standardize {
        /// The first axis.
        axis: usize,
        /// Added to the variance.
        eps: f32,
        /// A factor for each entry of these axes.
        factor: Option<TensorName>,
        /// A term for each entry of these axes.
        term: Option<TensorName>,
    },
    /// The logarithm of a softmax.
    LogSoftmax {
        /// The axis.
        axis: usize,
    },
    /// A type that deepvis does not compute; an error only for units that depend on it.
    /// A layer that deepvis does not compute; an error only for units that depend on it.
    Unsupported {
        /// Why it is not; `None` where the type is unknown.
        reason: Option<String>,
    },
}

impl LayerKind {
    /// The stored tensors that the layer uses, in the order in which Caffe stores them.
    pub fn tensors(&self) -> Vec<&str> {
        fn all<'a>(names: &[Option<&'a TensorName>]) -> Vec<&'a str> {
            names.iter().flatten().map(|name| name.as_str()).collect()
        }
        match self {
            Self::Convolution(Convolution { weight, bias, .. })
            | Self::Deconvolution(Convolution { weight, bias, .. })
            | Self::InnerProduct(InnerProduct { weight, bias, .. }) => all(&[Some(weight), bias.as_ref()]),
            Self::PRelu { slope, .. } => all(&[Some(slope)]),
            Self::BatchNorm {
                mean,
                variance,
                divisor,
                ..
            } => all(&[Some(mean), Some(variance), divisor.as_ref()]),
            Self::Scale { factor, bias, .. } => all(&[factor.as_ref(), bias.as_ref()]),
            Self::Bias { term, .. } => all(&[term.as_ref()]),
            Self::Normalize { scale, .. } => all(&[Some(scale)]),
            Self::Constant { value, .. } => all(&[Some(value)]),
            Self::AlongAxis { weight, .. } => all(&[Some(weight)]),
            Self::Standardize { factor, term, .. } => all(&[factor.as_ref(), term.as_ref()]),
            Self::Input { .. }
            | Self::Pooling(_)
            | Self::Lrn(_)
            | Self::Relu { .. }
            | Self::Elu { .. }
            | Self::Sigmoid
            | Self::TanH
            | Self::AbsVal
            | Self::Bnll
            | Self::Power { .. }
            | Self::Exp { .. }
            | Self::Log { .. }
            | Self::Clip { .. }
            | Self::Swish { .. }
            | Self::Dropout
            | Self::Eltwise(_)
            | Self::Concat { .. }
            | Self::Slice { .. }
            | Self::Split
            | Self::Softmax { .. }
            | Self::Flatten { .. }
            | Self::Reshape { .. }
            | Self::Crop { .. }
            | Self::Mvn { .. }
            | Self::Tile { .. }
            | Self::Reduction { .. }
            | Self::Permute { .. }
            | Self::BatchStatistics { .. }
            | Self::Interp { .. }
            | Self::Upsample { .. }
            | Self::Unpool { .. }
            | Self::ShuffleChannel { .. }
            | Self::Reorg { .. }
            | Self::ArgMax { .. }
            | Self::Sink
            | Self::Unary(_)
            | Self::Pairwise(_)
            | Self::Where
            | Self::MatMul
            | Self::Reduce(_)
            | Self::Move(_)
            | Self::LogSoftmax { .. }
            | Self::Unsupported { .. } => Vec::new(),
        }
    }
}
