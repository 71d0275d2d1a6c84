//! Caffe's `Power`, `Exp` and `Log`: (shift + scale * x) ^ power, base ^ (shift + scale * x), log_base(shift + scale * x).

use burn::module::Module;
use burn::tensor::Tensor;

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::layers::Forward;

/// What is done to shift + scale * x.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outer {
    /// (...) ^ power.
    Power(f32),
    /// exp(factor * ...), factor being the base's logarithm.
    Exp(f32),
    /// factor * log(...), factor being one over the base's logarithm.
    Log(f32),
}

impl Outer {
    /// base ^ (...); the base is e when absent.
    pub(in crate::network) fn exp(base: Option<f32>) -> Self {
        Self::Exp(base.map_or(1.0, f32::ln))
    }

    /// log_base(...); the base is e when absent.
    pub(in crate::network) fn log(base: Option<f32>) -> Self {
        Self::Log(base.map_or(1.0, |base| 1.0 / base.ln()))
    }
}

/// One of the three.
#[derive(Module, Debug)]
pub struct Power {
    #[module(skip)]
    outer: Outer,
    #[module(skip)]
    scale: f32,
    #[module(skip)]
    shift: f32,
}

impl Power {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, outer: Outer, scale: f32, shift: f32) -> BuildResult {
        build.one(Self::new(outer, scale, shift), build.bottom().to_vec())
    }

    pub(in crate::network) fn new(outer: Outer, scale: f32, shift: f32) -> Self {
        Self { outer, scale, shift }
    }

    /// Factor and term, where it is a straight line.
    pub(in crate::network) fn affine(&self) -> Option<(f32, f32)> {
        (self.outer == Outer::Power(1.0)).then_some((self.scale, self.shift))
    }

    fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        let inner = x.mul_scalar(self.scale).add_scalar(self.shift);
        match self.outer {
            Outer::Power(1.0) => inner,
            Outer::Power(2.0) => inner.clone() * inner,
            Outer::Power(power) => inner.powf_scalar(power),
            Outer::Exp(factor) => inner.mul_scalar(factor).exp(),
            Outer::Log(factor) => inner.log().mul_scalar(factor),
        }
    }
}

impl Forward for Power {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        vec![bottoms[0].map(|x| self.apply(x))]
    }

    fn kept(&self, _bottoms: u64, tops: u64) -> u64 {
        if self.affine().is_some() { 0 } else { 8 * tops }
    }

    fn keeps_images_apart(&self) -> bool {
        true
    }
}
