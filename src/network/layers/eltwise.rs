//! Caffe's `Eltwise`: the product, weighted sum or maximum of blobs of one shape.

use burn::module::Module;
use deepvis_importer::graph::EltwiseOperation;

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::layers::Forward;

/// An entrywise combination of several blobs.
#[derive(Module, Debug)]
pub struct Eltwise {
    #[module(skip)]
    operation: EltwiseOperation,
}

impl Eltwise {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, operation: &EltwiseOperation) -> BuildResult {
        if let Some(other) = build.bottoms.iter().find(|bottom| **bottom != build.bottom()) {
            return Err(build.error(format!(
                "its bottoms differ in shape: {:?} and {other:?}",
                build.bottom()
            )));
        }
        let layer = Self {
            operation: operation.clone(),
        };
        build.one(layer, build.bottom().to_vec())
    }
}

impl Forward for Eltwise {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let mut terms = bottoms.iter().enumerate().map(|(i, blob)| match &self.operation {
            EltwiseOperation::Sum(coefficients) => match coefficients.get(i) {
                Some(coefficient) => blob.tensor().mul_scalar(*coefficient),
                None => blob.tensor(),
            },
            EltwiseOperation::Product | EltwiseOperation::Max => blob.tensor(),
        });
        let first = terms.next();
        let result = first.map(|first| {
            terms.fold(first, |result, term| match self.operation {
                EltwiseOperation::Product => result * term,
                EltwiseOperation::Sum(_) => result + term,
                EltwiseOperation::Max => result.max_pair(term),
            })
        });
        result
            .map(|y| Blob::new(y, bottoms[0].shape().to_vec()))
            .into_iter()
            .collect()
    }

    fn keeps_images_apart(&self) -> bool {
        true
    }

    fn kept(&self, bottoms: u64, _tops: u64) -> u64 {
        match self.operation {
            EltwiseOperation::Sum(_) => 0,
            EltwiseOperation::Product | EltwiseOperation::Max => 4 * bottoms,
        }
    }
}
