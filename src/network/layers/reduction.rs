//! Caffe's `Reduction`: the sum, sum of absolute values, sum of squares or mean over all axes from one on, times a factor.

use burn::module::Module;
use burn::tensor::Tensor;
use deepvis_importer::graph::Reduction as Operation;

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::layers::Forward;
use crate::network::sums::{mean_along, sum_along};

/// A reduction of all axes from one on.
#[derive(Module, Debug)]
pub struct Reduction {
    #[module(skip)]
    operation: Operation,
    #[module(skip)]
    axis: usize,
    #[module(skip)]
    coeff: f32,
}

impl Reduction {
    pub(in crate::network) fn build(
        build: &LayerBuild<'_>,
        operation: Operation,
        axis: i32,
        coeff: f32,
    ) -> BuildResult {
        let axis = build.axis(axis)?;
        let layer = Self { operation, axis, coeff };
        build.one(layer, build.bottom()[..axis].to_vec())
    }
}

impl Forward for Reduction {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let shape = bottoms[0].shape();
        let x: Tensor<2> = bottoms[0].view([shape[..self.axis].iter().product(), shape[self.axis..].iter().product()]);
        let y = match self.operation {
            Operation::Sum => sum_along(x, 1),
            Operation::AbsoluteSum => sum_along(x.abs(), 1),
            Operation::SumOfSquares => sum_along(x.clone() * x, 1),
            Operation::Mean => mean_along(x, 1),
        };
        vec![Blob::new(y.mul_scalar(self.coeff), shape[..self.axis].to_vec())]
    }

    fn keeps_images_apart(&self) -> bool {
        self.axis > 0
    }
}
