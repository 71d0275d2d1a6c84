//! Caffe's `Softmax`: exp(x) / sum of exp(x) along an axis. `SoftmaxWithLoss` is read as the softmax of its first bottom.

use burn::module::Module;
use burn::tensor::activation;

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::layers::Forward;

/// A softmax along an axis.
#[derive(Module, Debug)]
pub struct Softmax {
    #[module(skip)]
    axis: usize,
    #[module(skip)]
    tops: usize,
}

impl Softmax {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, axis: i32) -> BuildResult {
        let axis = build.axis(axis)?;
        let tops = build.layer.outputs.len();
        build.many(Self { axis, tops }, vec![build.bottom().to_vec(); tops])
    }
}

impl Forward for Softmax {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let y = activation::softmax(bottoms[0].around(self.axis), 1);
        vec![Blob::new(y, bottoms[0].shape().to_vec()); self.tops]
    }

    fn keeps_images_apart(&self) -> bool {
        self.axis > 0
    }
}
