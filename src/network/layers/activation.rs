//! Functions of each entry by itself: ReLU, PReLU, ELU, Sigmoid, TanH, AbsVal, BNLL, Clip, Swish, Dropout.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, activation};
use deepvis_importer::LayerKind;

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::layer::Forward;

/// Which function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    /// The identity: Dropout in the TEST phase, Split, an input.
    Identity,
    /// x for x > 0, else slope * x.
    Relu {
        /// The slope.
        slope: f32,
    },
    /// x for x > 0, else alpha * (exp(x) - 1).
    Elu {
        /// alpha.
        alpha: f32,
    },
    /// 1 / (1 + exp(-x)).
    Sigmoid,
    /// tanh(x).
    TanH,
    /// |x|.
    AbsVal,
    /// log(1 + exp(x)).
    Bnll,
    /// min(max(x, min), max).
    Clip {
        /// Least value.
        min: f32,
        /// Greatest value.
        max: f32,
    },
    /// x * sigmoid(beta * x).
    Swish {
        /// beta.
        beta: f32,
    },
}

/// A function of each entry, without weights.
#[derive(Module, Debug)]
pub struct Activation {
    #[module(skip)]
    function: Function,
    #[module(skip)]
    tops: usize,
}

impl Activation {
    pub(in crate::network) fn build(build: &LayerBuild<'_>) -> BuildResult {
        let function = match build.layer.kind {
            LayerKind::Relu { slope } => Function::Relu { slope },
            LayerKind::Elu { alpha } => Function::Elu { alpha },
            LayerKind::Sigmoid => Function::Sigmoid,
            LayerKind::TanH => Function::TanH,
            LayerKind::AbsVal => Function::AbsVal,
            LayerKind::Bnll => Function::Bnll,
            LayerKind::Clip { min, max } => Function::Clip { min, max },
            LayerKind::Swish { beta } => Function::Swish { beta },
            _ => Function::Identity,
        };
        let tops = build.layer.tops.len();
        build.many(Self { function, tops }, vec![build.bottom().to_vec(); tops])
    }

    /// Which function it is.
    pub(in crate::network) fn function(&self) -> Function {
        self.function
    }
}

impl Forward for Activation {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        vec![bottoms[0].map(|x| apply(self.function, x)); self.tops]
    }
}

fn apply(function: Function, x: Tensor<4>) -> Tensor<4> {
    match function {
        Function::Identity => x,
        Function::Relu { slope } => relu(x, slope),
        Function::Elu { alpha } => {
            let negative = (-activation::relu(-x.clone())).exp().sub_scalar(1.0).mul_scalar(alpha);
            activation::relu(x) + negative
        }
        Function::Sigmoid => activation::sigmoid(x),
        Function::TanH => x.tanh(),
        Function::AbsVal => x.abs(),
        Function::Bnll => activation::relu(x.clone()) + (-x.abs()).exp().add_scalar(1.0).log(),
        Function::Clip { min, max } => x.clamp(min, max),
        Function::Swish { beta } => x.clone() * activation::sigmoid(x.mul_scalar(beta)),
    }
}

/// ReLU composed of burn's operations.
pub fn relu(x: Tensor<4>, slope: f32) -> Tensor<4> {
    if slope == 0.0 {
        activation::relu(x)
    } else {
        activation::relu(x.clone()) - activation::relu(-x).mul_scalar(slope)
    }
}

/// Caffe's `PReLU`: x for x > 0, else a * x with a learned a, one a channel or one in all.
#[derive(Module, Debug)]
pub struct PRelu {
    slope: Param<Tensor<3>>,
}

impl PRelu {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, shared: bool) -> BuildResult {
        let channels = if shared {
            1
        } else {
            build.bottom().get(1).copied().unwrap_or(1)
        };
        let slopes = build.values(0, "slope", &[channels])?;
        let slope = build.constant(slopes, [1, channels, 1]);
        build.one(Self { slope }, build.bottom().to_vec())
    }
}

impl Forward for PRelu {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let x = bottoms[0].around(1);
        let negative = activation::relu(-x.clone()) * self.slope.val();
        vec![Blob::new(activation::relu(x) - negative, bottoms[0].shape().to_vec())]
    }
}
