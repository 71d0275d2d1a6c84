//! ONNX's `Constant` and initializers that are read as values.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild, entries};
use crate::network::layers::Forward;

/// A constant, the same for every image.
#[derive(Module, Debug)]
pub struct Constant {
    value: Param<Tensor<1>>,
    #[module(skip)]
    shape: Vec<usize>,
}

impl Constant {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, value: &str, shape: &[usize]) -> BuildResult {
        let count = entries(shape).unwrap_or(usize::MAX);
        let values = build.values(value, "value", shape)?;
        let layer = Self {
            value: build.constant(values, [count]),
            shape: shape.to_vec(),
        };
        build.one(layer, shape.to_vec())
    }
}

impl Forward for Constant {
    fn forward(&self, _: &[Blob]) -> Vec<Blob> {
        vec![Blob::new(self.value.val(), self.shape.clone())]
    }

    fn kept(&self, _bottoms: u64, _tops: u64) -> u64 {
        0
    }

    fn keeps_images_apart(&self) -> bool {
        true // Where it would not, the front end says so: `Graph::alone`.
    }
}
