//! Functions of each entry by itself: ReLU, PReLU, ELU, Sigmoid, TanH, AbsVal, BNLL, Clip, Swish, Dropout.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, activation};

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::host::{self, curve::Curve};
use crate::network::layers::Forward;

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
pub struct Entrywise {
    #[module(skip)]
    function: Function,
    #[module(skip)]
    tops: usize,
    #[module(skip)]
    redirects: bool,
}

impl Entrywise {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, function: Function) -> BuildResult {
        let tops = build.layer.outputs.len();
        let layer = Self {
            tops,
            ..Self::new(function)
        };
        build.many(layer, vec![build.bottom().to_vec(); tops])
    }

    /// One with a single top.
    pub(in crate::network) fn new(function: Function) -> Self {
        Self {
            function,
            tops: 1,
            redirects: false,
        }
    }

    /// Which function it is.
    pub(in crate::network) fn function(&self) -> Function {
        self.function
    }
}

impl Forward for Entrywise {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let top = match self.function {
            Function::Relu { slope } if self.redirects && slope == 0.0 => bottoms[0].map(redirected_relu),
            function => bottoms[0].map(|x| apply(function, x)),
        };
        vec![top; self.tops]
    }

    fn redirect_relus(&mut self) {
        self.redirects = true;
    }

    fn kept(&self, _bottoms: u64, tops: u64) -> u64 {
        match self.function {
            Function::Identity => 0,
            Function::Relu { slope: 0.0 }
            | Function::Sigmoid
            | Function::TanH
            | Function::AbsVal
            | Function::Clip { .. }
            | Function::Swish { .. } => 4 * tops,
            Function::Relu { .. } => 8 * tops,
            Function::Elu { .. } | Function::Bnll => 12 * tops,
        }
    }

    fn keeps_images_apart(&self) -> bool {
        true
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
        Function::Sigmoid if host::is_host(&x.device()) => host::apply(x, Curve::Sigmoid),
        Function::Sigmoid => activation::sigmoid(x),
        Function::TanH => x.tanh(),
        Function::AbsVal => x.abs(),
        Function::Bnll => activation::relu(x.clone()) + (-x.abs()).exp().add_scalar(1.0).log(),
        Function::Clip { min, max } => x.clamp(min, max),
        Function::Swish { beta } if host::is_host(&x.device()) => host::apply(x, Curve::Swish { beta }),
        Function::Swish { beta } => swish(x, beta),
    }
}

/// Swish composed of burn's operations.
pub fn swish(x: Tensor<4>, beta: f32) -> Tensor<4> {
    x.clone() * activation::sigmoid(x.mul_scalar(beta))
}

/// ReLU composed of burn's operations.
pub fn relu(x: Tensor<4>, slope: f32) -> Tensor<4> {
    if slope == 0.0 {
        activation::relu(x)
    } else {
        activation::relu(x.clone()) - activation::relu(-x).mul_scalar(slope)
    }
}

/// What part of the gradient a [`redirected_relu`] lets through against its ReLU where that cannot be seen in the gradient:
/// lucent's.
const LEAK: f64 = 0.1;

/// ReLU whose gradient is redirected; see [`host::redirect`]. On a GPU, where a gradient cannot be looked at on its way, a tenth
/// of it passes where the input is negative, as in lucent's `InceptionV1`.
pub fn redirected_relu(x: Tensor<4>) -> Tensor<4> {
    if host::is_host(&x.device()) {
        return host::apply(x, host::redirect::Relu);
    }
    let leak = (-activation::relu(-x.clone())).mul_scalar(LEAK);
    let nothing = leak.clone() - leak.detach();
    activation::relu(x) + nothing
}

/// Caffe's `PReLU`: x for x > 0, else a * x with a learned a, one a channel or one in all.
#[derive(Module, Debug)]
pub struct PRelu {
    slope: Param<Tensor<3>>,
}

impl PRelu {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, slope: &str, shared: bool) -> BuildResult {
        let channels = if shared {
            1
        } else {
            build.bottom().get(1).copied().unwrap_or(1)
        };
        let slopes = build.values(slope, "slope", &[channels])?;
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

    fn kept(&self, _bottoms: u64, tops: u64) -> u64 {
        8 * tops
    }

    fn keeps_images_apart(&self) -> bool {
        true
    }
}
