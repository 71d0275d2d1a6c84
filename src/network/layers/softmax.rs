//! Caffe's `Softmax`: exp(x) / sum of exp(x) along an axis. `SoftmaxWithLoss` is read as the softmax of its first bottom.

use burn::module::Module;
use burn::tensor::{Tensor, activation};

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::host;
use crate::network::layers::Forward;

/// A softmax along an axis.
#[derive(Module, Debug)]
pub struct Softmax {
    #[module(skip)]
    axis: usize,
    #[module(skip)]
    tops: usize,
    /// Whether it is along the last of several axes, as in attention: not a single row, as that of classes, for which burn does.
    #[module(skip)]
    is_of_rows: bool,
}

impl Softmax {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, axis: i32) -> BuildResult {
        let axis = build.axis(axis)?;
        let tops = build.layer.outputs.len();
        let bottom = build.bottom();
        let is_of_rows = axis + 1 == bottom.len() && bottom[..axis].iter().product::<usize>() > 1;
        let layer = Self { axis, tops, is_of_rows };
        build.many(layer, vec![build.bottom().to_vec(); tops])
    }
}

impl Forward for Softmax {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let x = bottoms[0].around(self.axis);
        let y: Tensor<3> = if self.is_of_rows && host::is_host(&x.device()) {
            let entries = bottoms[0].extent(self.axis);
            host::apply(x, host::softmax::Softmax { entries })
        } else {
            activation::softmax(x, 1)
        };
        vec![Blob::new(y, bottoms[0].shape().to_vec()); self.tops]
    }

    fn kept(&self, _bottoms: u64, tops: u64) -> u64 {
        if self.is_of_rows { 4 * tops } else { 12 * tops }
    }

    fn keeps_images_apart(&self) -> bool {
        self.axis > 0
    }
}
