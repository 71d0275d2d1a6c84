//! A layer of the network: one variant a kind, each computed by its own file in [`layers`](super::layers).

use burn::module::Module;
use deepvis_importer::LayerKind;

use super::blob::Blob;
use super::build::{BuildResult, LayerBuild};
use super::layers::activation::{Activation, PRelu};
use super::layers::arithmetic::{Bias, Scale};
use super::layers::convolution::Convolution;
use super::layers::deconvolution::Deconvolution;
use super::layers::eltwise::Eltwise;
use super::layers::inner_product::InnerProduct;
use super::layers::join::{Concat, Slice};
use super::layers::lrn::Lrn;
use super::layers::normalize::{BatchNorm, Mvn, Normalize};
use super::layers::pooling::Pooling;
use super::layers::power::Power;
use super::layers::reduction::Reduction;
use super::layers::reshape::{Crop, Permute, Reshape, Tile};
use super::layers::softmax::Softmax;

/// What every layer can do.
pub trait Forward {
    /// The tops, computed from the bottoms.
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob>;

    /// Multiply-adds for one image, of layers whose cost they dominate.
    fn multiply_adds(&self) -> u64 {
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

            fn multiply_adds(&self) -> u64 {
                match self {
                    $(Self::$kind(layer) => layer.multiply_adds(),)*
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
    Activation,
    BatchNorm,
    Bias,
    Concat,
    Convolution,
    Crop,
    Deconvolution,
    Eltwise,
    InnerProduct,
    Lrn,
    Mvn,
    Normalize,
    PRelu,
    Permute,
    Pooling,
    Power,
    Reduction,
    Reshape,
    Scale,
    Slice,
    Softmax,
    Tile,
);

/// Builds a layer; also gives the shapes of its tops.
pub(super) fn build(build: &LayerBuild<'_>) -> BuildResult {
    match &build.layer.kind {
        LayerKind::Convolution(settings) => Convolution::build(build, settings),
        LayerKind::Deconvolution(settings) => Deconvolution::build(build, settings),
        LayerKind::Pooling(settings) => Pooling::build(build, settings),
        LayerKind::Lrn(settings) => Lrn::build(build, settings),
        LayerKind::InnerProduct(settings) => InnerProduct::build(build, settings),
        LayerKind::PRelu { shared } => PRelu::build(build, *shared),
        LayerKind::Power { .. } | LayerKind::Exp { .. } | LayerKind::Log { .. } => Power::build(build),
        LayerKind::BatchNorm { eps } => BatchNorm::build(build, *eps),
        LayerKind::Scale { axis, num_axes, bias } => Scale::build(build, *axis, *num_axes, *bias),
        LayerKind::Bias { axis, num_axes } => Bias::build(build, *axis, *num_axes),
        LayerKind::Eltwise(operation) => Eltwise::build(build, operation),
        LayerKind::Concat { axis } => Concat::build(build, *axis),
        LayerKind::Slice { axis, points } => Slice::build(build, *axis, points),
        LayerKind::Softmax { axis } => Softmax::build(build, *axis),
        LayerKind::Flatten { .. } | LayerKind::Reshape { .. } => Reshape::build(build),
        LayerKind::Crop { axis, offset } => Crop::build(build, *axis, offset),
        LayerKind::Mvn {
            normalize_variance,
            across_channels,
            eps,
        } => Mvn::build(build, *normalize_variance, *across_channels, *eps),
        LayerKind::Tile { axis, tiles } => Tile::build(build, *axis, *tiles),
        LayerKind::Reduction { operation, axis, coeff } => Reduction::build(build, *operation, *axis, *coeff),
        LayerKind::Permute { order } => Permute::build(build, order),
        LayerKind::Normalize {
            across_spatial,
            channel_shared,
            eps,
        } => Normalize::build(build, *across_spatial, *channel_shared, *eps),
        _ => Activation::build(build),
    }
}
