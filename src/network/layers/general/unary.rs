//! Functions of each entry that Caffe has no layer for.

use burn::module::Module;
use burn::tensor::{Tensor, activation};
use deepvis_importer::graph::Unary as Function;

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::host::{self, curve::Curve};
use crate::network::layers::Forward;

/// A function of each entry.
#[derive(Module, Debug)]
pub struct Unary {
    #[module(skip)]
    function: Function,
}

impl Unary {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, function: Function) -> BuildResult {
        build.one(Self::new(function), build.bottom().to_vec())
    }

    pub(in crate::network) fn new(function: Function) -> Self {
        Self { function }
    }

    /// Which function it is.
    pub(in crate::network) fn function(&self) -> Function {
        self.function
    }
}

impl Forward for Unary {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        vec![bottoms[0].map(|x| apply(self.function, x))]
    }

    fn kept(&self, _bottoms: u64, tops: u64) -> u64 {
        let is_host = matches!(self.function, Function::Gelu | Function::GeluTanh | Function::HardSwish);
        if is_host || matches!(self.function, Function::HardSigmoid { .. }) {
            4 * tops
        } else {
            12 * tops
        }
    }

    fn keeps_images_apart(&self) -> bool {
        true // Where it would not, the front end says so: `Graph::alone`.
    }
}

/// The whole part, towards zero, without gradient.
pub(super) fn truncated<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let x = x.detach();
    x.clone().sign() * x.abs().floor()
}

fn apply(function: Function, x: Tensor<4>) -> Tensor<4> {
    match function {
        Function::Sign => x.detach().sign(),
        Function::Neg => -x,
        Function::Reciprocal => x.recip(),
        Function::Sqrt => x.sqrt(),
        Function::Erf => x.erf(),
        Function::Sin => x.sin(),
        Function::Cos => x.cos(),
        Function::Tan => x.tan(),
        Function::Atan => x.atan(),
        Function::Floor => x.detach().floor(),
        Function::Ceil => x.detach().ceil(),
        Function::Round => x.detach().round(),
        Function::Trunc => truncated(x),
        Function::Softplus => softplus(x),
        Function::Softsign => x.clone() / x.abs().add_scalar(1.0),
        Function::HardSigmoid { alpha, beta } => x.mul_scalar(alpha).add_scalar(beta).clamp(0.0, 1.0),
        Function::HardSwish if host::is_host(&x.device()) => host::apply(x, Curve::HardSwish),
        Function::HardSwish => hard_swish(x),
        Function::Gelu if host::is_host(&x.device()) => host::apply(x, Curve::Gelu),
        Function::Gelu => gelu(x),
        Function::GeluTanh if host::is_host(&x.device()) => host::apply(x, Curve::GeluTanh),
        Function::GeluTanh => gelu_tanh(x),
        Function::Mish => x.clone() * softplus(x).tanh(),
        Function::Selu { alpha, gamma } => {
            let negative = below(x.clone()).exp().sub_scalar(1.0).mul_scalar(alpha);
            (activation::relu(x) + negative).mul_scalar(gamma)
        }
        Function::Celu { alpha } => {
            let negative = below(x.clone())
                .div_scalar(alpha)
                .exp()
                .sub_scalar(1.0)
                .mul_scalar(alpha);
            activation::relu(x) + negative
        }
        Function::ThresholdedRelu { alpha } => {
            let kept = x.clone().detach().greater_elem(alpha).float();
            x * kept
        }
        Function::Shrink { bias, lambda } => {
            let above = x.clone().detach().greater_elem(lambda).float();
            let under = x.clone().detach().lower_elem(-lambda).float();
            x.clone().sub_scalar(bias) * above + x.add_scalar(bias) * under
        }
        Function::Not => x.detach().equal_elem(0.0).float(),
    }
}

/// GELU composed of burn's operations.
pub fn gelu(x: Tensor<4>) -> Tensor<4> {
    let half = x
        .clone()
        .mul_scalar(std::f32::consts::FRAC_1_SQRT_2)
        .erf()
        .add_scalar(1.0);
    x.mul_scalar(0.5) * half
}

/// GELU by its approximation with a hyperbolic tangent, composed of burn's operations.
pub fn gelu_tanh(x: Tensor<4>) -> Tensor<4> {
    let cube = x.clone() * x.clone() * x.clone();
    let inner = (x.clone() + cube.mul_scalar(0.044_715)).mul_scalar((2.0 / std::f32::consts::PI).sqrt());
    x.mul_scalar(0.5) * inner.tanh().add_scalar(1.0)
}

/// Hard swish composed of burn's operations.
pub fn hard_swish(x: Tensor<4>) -> Tensor<4> {
    x.clone() * x.mul_scalar(1.0 / 6.0).add_scalar(0.5).clamp(0.0, 1.0)
}

/// min(x, 0).
fn below(x: Tensor<4>) -> Tensor<4> {
    -activation::relu(-x)
}

/// log(1 + exp x), without overflow.
fn softplus(x: Tensor<4>) -> Tensor<4> {
    activation::relu(x.clone()) + (-x.abs()).exp().add_scalar(1.0).log()
}
