//! Caffe's `Power`, `Exp` and `Log`: (shift + scale * x) ^ power, base ^ (shift + scale * x), log_base(shift + scale * x).

use burn::module::Module;
use burn::tensor::Tensor;
use deepvis_importer::LayerKind;

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::layer::Forward;

/// What is done to shift + scale * x.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Outer {
    Power(f32),
    /// exp(factor * ...), factor being the base's logarithm.
    Exp(f32),
    /// factor * log(...), factor being one over the base's logarithm.
    Log(f32),
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
    pub(in crate::network) fn build(build: &LayerBuild<'_>) -> BuildResult {
        let (outer, scale, shift) = match build.layer.kind {
            LayerKind::Exp { base, scale, shift } => (Outer::Exp(base.map_or(1.0, f32::ln)), scale, shift),
            LayerKind::Log { base, scale, shift } => {
                (Outer::Log(base.map_or(1.0, |base| 1.0 / base.ln())), scale, shift)
            }
            LayerKind::Power { power, scale, shift } => (Outer::Power(power), scale, shift),
            _ => (Outer::Power(1.0), 1.0, 0.0),
        };
        build.one(Self { outer, scale, shift }, build.bottom().to_vec())
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
}
