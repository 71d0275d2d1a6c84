//! The layers of a network: one file for each kind, or small family of kinds.

pub mod arg_max;
pub mod arithmetic;
pub mod convolution;
pub mod deconvolution;
pub mod eltwise;
pub mod entrywise;
pub mod general;
pub mod inner_product;
pub mod join;
pub mod lrn;
pub mod normalize;
pub mod pooling;
pub mod power;
pub mod rearrange;
pub mod reduction;
pub mod resample;
pub mod reshape;
pub mod softmax;

use burn::module::Module;
use deepvis_importer::LayerKind;

use super::blob::Blob;
use super::build::{BuildResult, LayerBuild};
use arg_max::ArgMax;
use arithmetic::{Bias, Scale};
use convolution::Convolution;
use deconvolution::Deconvolution;
use eltwise::Eltwise;
use entrywise::{Entrywise, Function, PRelu};
use general::constant::Constant;
use general::moves::Move;
use general::normalize::{LogSoftmax, Standardize};
use general::pairwise::{Pairwise, Where};
use general::product::{AlongAxis, MatMul};
use general::reduce::Reduce;
use general::unary::Unary;
use inner_product::InnerProduct;
use join::{Concat, Slice};
use lrn::Lrn;
use normalize::{BatchNorm, BatchStatistics, Mvn, Normalize};
use pooling::Pooling;
use power::{Outer, Power};
use rearrange::Rearrange;
use reduction::Reduction;
use resample::{Interp, Unpool, Upsample};
use reshape::{Crop, Permute, Reshape, Tile};
use softmax::Softmax;

/// What every layer can do.
pub trait Forward {
    /// The tops, computed from the bottoms.
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob>;

    /// Whether each image of a batch is computed as it would be alone: axis 0 of bottoms and tops counts images, and no top
    /// mixes them. Built for one image, a layer that does something along axis 0 does not.
    fn keeps_images_apart(&self) -> bool;

    /// Lets gradients through where a ReLU would let none through at all: see [`redirect`](super::host::redirect).
    fn redirect_relus(&mut self) {}

    /// Multiply-adds for one image, of layers whose cost they dominate.
    fn multiply_adds(&self) -> u64 {
        0
    }

    /// Weights of a fully connected layer: read once for all images of a batch.
    fn fully_connected_weights(&self) -> usize {
        0
    }

    /// Bytes that the way back keeps of it on the host, where its bottoms and its tops have so many entries. Of a composition of
    /// burn's operations it keeps what their derivatives read: unless a layer knows better, of three of them.
    fn kept(&self, _bottoms: u64, tops: u64) -> u64 {
        12 * tops
    }

    /// Entries of transformed weights that a host function keeps beside its own.
    fn transformed_weights(&self) -> usize {
        0
    }

    /// Entries of working memory that a host function takes for one image, where that is more than a few times its result.
    fn scratch(&self) -> usize {
        0
    }
}

macro_rules! layers {
    ($($kind:ident),* $(,)?) => {
        /// A layer with its frozen weights.
        #[derive(Module, Debug)]
        #[expect(missing_docs, reason = "each variant is documented by the type in it")]
        pub enum LayerModule {
            $($kind($kind),)*
        }

        impl Forward for LayerModule {
            fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
                match self {
                    $(Self::$kind(layer) => layer.forward(bottoms),)*
                }
            }

            fn keeps_images_apart(&self) -> bool {
                match self {
                    $(Self::$kind(layer) => layer.keeps_images_apart(),)*
                }
            }

            fn redirect_relus(&mut self) {
                match self {
                    $(Self::$kind(layer) => layer.redirect_relus(),)*
                }
            }

            fn multiply_adds(&self) -> u64 {
                match self {
                    $(Self::$kind(layer) => layer.multiply_adds(),)*
                }
            }

            fn fully_connected_weights(&self) -> usize {
                match self {
                    $(Self::$kind(layer) => layer.fully_connected_weights(),)*
                }
            }

            fn kept(&self, bottoms: u64, tops: u64) -> u64 {
                match self {
                    $(Self::$kind(layer) => layer.kept(bottoms, tops),)*
                }
            }

            fn transformed_weights(&self) -> usize {
                match self {
                    $(Self::$kind(layer) => layer.transformed_weights(),)*
                }
            }

            fn scratch(&self) -> usize {
                match self {
                    $(Self::$kind(layer) => layer.scratch(),)*
                }
            }
        }

        $(impl From<$kind> for LayerModule {
            fn from(layer: $kind) -> Self {
                Self::$kind(layer)
            }
        })*
    };
}

layers!(
    AlongAxis,
    ArgMax,
    BatchNorm,
    BatchStatistics,
    Bias,
    Concat,
    Constant,
    Convolution,
    Crop,
    Deconvolution,
    Eltwise,
    Entrywise,
    InnerProduct,
    LogSoftmax,
    Interp,
    Lrn,
    MatMul,
    Move,
    Mvn,
    Normalize,
    PRelu,
    Pairwise,
    Permute,
    Pooling,
    Power,
    Reduce,
    Rearrange,
    Reduction,
    Reshape,
    Scale,
    Slice,
    Softmax,
    Standardize,
    Tile,
    Unary,
    Where,
    Unpool,
    Upsample,
);

/// Builds a layer; also gives the shapes of its tops. This match alone decides how a kind is computed.
pub(super) fn build(build: &LayerBuild<'_>) -> BuildResult {
    match &build.layer.kind {
        LayerKind::Input { .. } | LayerKind::Sink | LayerKind::Unsupported { .. } => {
            Err(build.error("it is not a layer that is computed"))
        }
        LayerKind::Convolution(settings) => Convolution::build(build, settings),
        LayerKind::Deconvolution(settings) => Deconvolution::build(build, settings),
        LayerKind::Pooling(settings) => Pooling::build(build, settings),
        LayerKind::Lrn(settings) => Lrn::build(build, settings),
        LayerKind::InnerProduct(settings) => InnerProduct::build(build, settings),
        LayerKind::Relu { slope } => Entrywise::build(build, Function::Relu { slope: *slope }),
        LayerKind::Elu { alpha } => Entrywise::build(build, Function::Elu { alpha: *alpha }),
        LayerKind::Sigmoid => Entrywise::build(build, Function::Sigmoid),
        LayerKind::TanH => Entrywise::build(build, Function::TanH),
        LayerKind::AbsVal => Entrywise::build(build, Function::AbsVal),
        LayerKind::Bnll => Entrywise::build(build, Function::Bnll),
        LayerKind::Clip { min, max } => Entrywise::build(build, Function::Clip { min: *min, max: *max }),
        LayerKind::Swish { beta } => Entrywise::build(build, Function::Swish { beta: *beta }),
        LayerKind::Dropout | LayerKind::Split => Entrywise::build(build, Function::Identity),
        LayerKind::PRelu { slope, shared } => PRelu::build(build, slope, *shared),
        LayerKind::Power { power, scale, shift } => Power::build(build, Outer::Power(*power), *scale, *shift),
        LayerKind::Exp { base, scale, shift } => Power::build(build, Outer::exp(*base), *scale, *shift),
        LayerKind::Log { base, scale, shift } => Power::build(build, Outer::log(*base), *scale, *shift),
        LayerKind::BatchNorm {
            mean,
            variance,
            divisor,
            eps,
        } => BatchNorm::build(build, mean, variance, divisor.as_deref(), *eps),
        LayerKind::Scale {
            factor,
            axis,
            num_axes,
            bias,
        } => Scale::build(build, factor.as_deref(), bias.as_deref(), *axis, *num_axes),
        LayerKind::Bias { term, axis, num_axes } => Bias::build(build, term.as_deref(), *axis, *num_axes),
        LayerKind::Constant { value, shape } => Constant::build(build, value, shape),
        LayerKind::Unary(function) => Unary::build(build, *function),
        LayerKind::Pairwise(operation) => Pairwise::build(build, *operation),
        LayerKind::Where => Where::build(build),
        LayerKind::MatMul => MatMul::build(build),
        LayerKind::Reduce(settings) => Reduce::build(build, settings),
        LayerKind::Move(settings) => Move::build(build, settings),
        LayerKind::AlongAxis { axis, outputs, weight } => AlongAxis::build(build, *axis, *outputs, weight),
        LayerKind::Standardize {
            axis,
            eps,
            factor,
            term,
        } => Standardize::build(build, *axis, *eps, factor.as_deref(), term.as_deref()),
        LayerKind::LogSoftmax { axis } => LogSoftmax::build(build, *axis),
        LayerKind::Eltwise(operation) => Eltwise::build(build, operation),
        LayerKind::Concat { axis } => Concat::build(build, *axis),
        LayerKind::Slice { axis, points } => Slice::build(build, *axis, points),
        LayerKind::Softmax { axis } => Softmax::build(build, *axis),
        LayerKind::Flatten { axis, end_axis } => Reshape::flatten(build, *axis, *end_axis),
        LayerKind::Reshape { dims, axis, num_axes } => Reshape::build(build, dims, *axis, *num_axes),
        LayerKind::Crop { axis, offset } => Crop::build(build, *axis, offset),
        LayerKind::Mvn {
            normalize_variance,
            across_channels,
            eps,
        } => Mvn::build(build, *normalize_variance, *across_channels, *eps),
        LayerKind::Tile { axis, tiles } => Tile::build(build, *axis, *tiles),
        LayerKind::Reduction { operation, axis, coeff } => Reduction::build(build, *operation, *axis, *coeff),
        LayerKind::Permute { order } => Permute::build(build, order),
        LayerKind::BatchStatistics { eps } => BatchStatistics::build(build, *eps),
        LayerKind::Interp { size, cut } => Interp::build(build, *size, *cut),
        LayerKind::Upsample { scale } => Upsample::build(build, *scale),
        LayerKind::Unpool { size } => Unpool::build(build, *size),
        LayerKind::ShuffleChannel { groups } => Rearrange::shuffle(build, *groups),
        LayerKind::Reorg { stride, reverse } => Rearrange::reorg(build, *stride, *reverse),
        LayerKind::ArgMax {
            axis,
            top_k,
            out_max_val,
        } => ArgMax::build(build, *axis, *top_k, *out_max_val),
        LayerKind::Normalize {
            scale,
            across_spatial,
            channel_shared,
            eps,
        } => Normalize::build(build, scale, *across_spatial, *channel_shared, *eps),
    }
}
